//! What happened, in one word that never changes its meaning: for programs in languages that don't see the typed
//! details. `docs/errors.md` lists them all.

use super::{Bug, Conflict, Denied, Error, FileError, Integrity, Invalid, NotFound, Unavailable};
use crate::customer::KeeperError;
use crate::profile::ProfileError;
use crate::secret::SecretError;
use symbolon_envelope::sealed::OpenError;
use symbolon_envelope::{HeaderError, StreamError};

impl Error {
    /// The stable code of what happened.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(detail) => detail.code(),
            Self::NotFound(detail) => detail.code(),
            Self::Conflict(detail) => detail.code(),
            Self::Invalid(detail) => detail.code(),
            Self::Integrity(detail) => detail.code(),
            Self::Unavailable { cause, .. } => cause.code(),
            Self::Bug(detail) => detail.code(),
        }
    }
}

impl Denied {
    fn code(&self) -> &'static str {
        match self {
            Self::NotGranted { .. } => "not-granted",
            Self::Refused { .. } => "refused",
            Self::Revoked { .. } => "revoked",
            Self::GrantNotInTime { .. } => "grant-not-in-time",
            Self::Driver { .. } => "driver-denies",
            Self::KeyDisabled { .. } | Self::Link(_) => "key-disabled",
        }
    }
}

impl NotFound {
    fn code(&self) -> &'static str {
        match self {
            Self::Account => "account-unknown",
            Self::Key(_) => "key-unknown",
            Self::Link(_) => "link-unknown",
            Self::Version { .. } => "version-unknown",
            Self::CustomerFragment(_) => "customer-fragment-missing",
            Self::File(_) => "file-missing",
            Self::Profile(_) => "profile-missing",
            Self::Thing => "nothing-there",
        }
    }
}

impl Conflict {
    fn code(&self) -> &'static str {
        match self {
            Self::KeyExists(_) => "key-exists",
            Self::KeyPending(_) => "key-pending",
            Self::KeyDestroyed { .. } | Self::LinkDestroyed(_) => "key-destroyed",
            Self::Changed => "changed",
            Self::Superseded(_) => "superseded",
            Self::File(_) => "file-exists",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Invalid {
    fn code(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::KeyId(_) => "key-id",
            Self::Context(_) => "context",
            Self::Purpose { .. } => "wrong-purpose",
            Self::OtherAccount => "other-account",
            Self::Members(_) => "members",
            Self::NotShared { .. } => "key-not-shared",
            Self::TooFewMembers { .. } => "too-few-members",
            Self::InHsm { .. } => "key-in-hsm",
            Self::NotInHsm { .. } => "key-not-in-hsm",
            Self::Job(_) => "job",
            Self::Driver(_) => "hsm-unsupported",
            Self::TooLong(_) => "message-too-long",
            Self::Profile(error) => of_profile(error),
            Self::Secret(error) => of_secret(error),
            Self::CustomerFragment { cause, .. } => of_keeper(cause),
            Self::File(error) => of_file(error),
            Self::Request(_) => "request",
            Self::Manager { .. } => "manager-refuses",
        }
    }
}

impl Integrity {
    fn code(&self) -> &'static str {
        match self {
            Self::Header(HeaderError::Malformed) => "not-a-ciphertext",
            Self::Header(HeaderError::UnsupportedVersion(_)) => "unsupported-version",
            Self::Header(HeaderError::Truncated) | Self::Chunks(StreamError::Truncated) => "truncated",
            Self::Commitment(_) => "commitment",
            Self::Chunks(StreamError::Extended) => "extended",
            Self::Chunks(StreamError::NotAuthentic { .. }) => "chunk",
            Self::Record(_) => "record",
            Self::Wrapped(_) => "wrapped-key",
            Self::Liar(_) => "manager-lied",
            Self::WrongServer(_) => "wrong-server",
            Self::Certificate(_) => "certificate",
            Self::Driver(_) => "hsm-integrity",
            Self::JobResult(_) => "job-result",
            Self::Root(_) => "root",
            Self::Protocol(_) => "protocol",
        }
    }
}

impl Unavailable {
    fn code(&self) -> &'static str {
        match self {
            Self::TooFewManagers { .. } => "too-few-managers",
            Self::AccessManager { .. } => "access-manager",
            Self::KeyStore { .. } => "key-store",
            Self::Driver(_) => "hsm-failed",
            Self::Server(_) => "busy",
            Self::RateLimited => "rate-limited",
            Self::TimedOut { .. } => "timed-out",
            Self::File(_) => "disk-full",
            Self::CustomerFragment { cause, .. } => of_keeper(cause),
            Self::Ceremony { .. } => "ceremony",
        }
    }
}

impl Bug {
    fn code(&self) -> &'static str {
        match self {
            Self::AccessManager => "access-manager-failed",
            Self::Internal(_) => "internal",
            Self::Panicked => "panicked",
        }
    }
}

fn of_profile(error: &ProfileError) -> &'static str {
    match error {
        ProfileError::File(error) => of_file(error),
        ProfileError::Nowhere { .. } => "profile-missing",
        ProfileError::Form { .. } => "profile-form",
        ProfileError::Account(_) => "profile-account",
        ProfileError::NotARoot(_) => "profile-root",
        ProfileError::Root(_) => "root",
        ProfileError::CustomerFragment(_) => "token",
    }
}

fn of_secret(error: &SecretError) -> &'static str {
    match error {
        SecretError::File(error) => of_file(error),
        SecretError::PassphraseNeeded(_) => "passphrase-needed",
        SecretError::KeyFileNeeded(_) => "key-file-needed",
        SecretError::Open { cause: OpenError::WrongKey | OpenError::OtherProtection(_), .. } => {
            "wrong-passphrase"
        }
        SecretError::Open { .. } | SecretError::Content(_) => "secret-file",
        SecretError::Seal(_) => "passphrase-cost",
    }
}

fn of_keeper(error: &KeeperError) -> &'static str {
    match error {
        KeeperError::Gone(_) => "token-gone",
        KeeperError::WrongPin => "wrong-pin",
        KeeperError::Place(_) => "token",
        KeeperError::WrongLength(_) => "customer-fragment-length",
        KeeperError::Failed(_) => "customer-fragment-failed",
    }
}

fn of_file(error: &FileError) -> &'static str {
    match error {
        FileError::Missing { .. } => "file-missing",
        FileError::Exists { .. } => "file-exists",
        FileError::Exposed { .. } => "file-exposed",
        FileError::DiskFull { .. } => "disk-full",
        FileError::Io { .. } => "file",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The page is what programs in other languages are written against.
    #[test]
    fn the_documentation_lists_every_code_and_no_other() {
        let source = include_str!("code.rs").split("#[cfg(test)]").next().unwrap();
        let used: BTreeSet<_> = source.split('"').skip(1).step_by(2).collect();
        let page = include_str!("../../../../docs/errors.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: BTreeSet<_> = rows.filter_map(|row| row.split('`').next()).collect();
        assert_eq!(used, listed);
    }
}
