//! The failures of this machine's own files, ports and passphrases: whose move they are, and what to do.

use symbolon_client::error::FileError;

use super::{Failure, Kind};
use crate::config::ConfigError;
use crate::identity::IdentityError;
use crate::passphrase::PassphraseError;
use crate::port::PortError;
use crate::sealing::SealingError;

/// What gives a passphrase without a terminal.
pub(super) const PASSPHRASE_FILE: &str =
    "name a file that holds it:  --passphrase-file FILE  (mode 0600, or a pipe such as /dev/fd/3)";

impl From<PassphraseError> for Failure {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::NobodyToAsk => Self::new(Kind::Invalid, error).next(PASSPHRASE_FILE),
            PassphraseError::File(cause) => cause.into(),
            PassphraseError::Empty | PassphraseError::Different => Self::new(Kind::Invalid, error),
            PassphraseError::Terminal(_) => Self::new(Kind::Io, error),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Unreadable { .. } => Self::new(Kind::Io, error),
            ConfigError::NotUnderstood { .. } => Self::new(Kind::Invalid, error),
        }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let next = match error {
            PortError::InUse(_) => {
                "stop that process, or choose another port:  `listen` in the configuration"
            }
            PortError::NotAllowed(_) => "choose a port above 1023:  `listen` in the configuration",
            PortError::Refused { .. } => "`listen` in the configuration wants an address of this machine",
        };
        Self::new(Kind::Io, error).next(next)
    }
}

impl From<SealingError> for Failure {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::File(FileError::Missing { .. }) => {
                Self::new(Kind::NotFound, error).next(MAKE_IDENTITY)
            }
            SealingError::File(cause) => cause.into(),
            SealingError::Passphrase(cause) => cause.into(),
            SealingError::Content(_) | SealingError::Locked { .. } => Self::new(Kind::Invalid, error),
            SealingError::Seal(_) => Self::new(Kind::Bug, error),
        }
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::File(FileError::Missing { .. }) => {
                Self::new(Kind::NotFound, error).next(MAKE_IDENTITY)
            }
            IdentityError::File(cause) => cause.into(),
            IdentityError::Content(_) => Self::new(Kind::Invalid, error),
            IdentityError::Sealed { .. } => Self::new(Kind::Integrity, error),
            IdentityError::Seal(_) => Self::new(Kind::Bug, error),
        }
    }
}

/// A role's secrets are made by one command, never on the way.
const MAKE_IDENTITY: &str =
    "a role's keys are made once, by its command  identity  (a driver's:  enrol); has the file been moved?";
