//! The failures of drivers: of their HSM and its plugin, of a job queue that is another's.

use symbolon_client::owner::DriverError;
use symbolon_driver::{EnrolError, Fault, KeyStoreError, OpenError, PluginError, RunError};

use super::role::{datastore, store};
use super::{Failure, Kind};

/// What mends a PIN.
const NEW_PIN: &str =
    "write the right PIN into the PIN file, then start the driver again; it tries each PIN once";

/// What mends a module that isn't one.
const MODULE: &str = "is `module` in the plugin's policy the path of the vendor's PKCS#11 library?";

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Account { .. } | OpenError::Root(_) => Self::new(Kind::Invalid, error),
            OpenError::Store { cause, .. } => Self::new(datastore(cause), error),
            OpenError::Documents(_) => Self::new(Kind::Integrity, error),
            OpenError::Identity(_) => Self::new(Kind::Bug, error),
            OpenError::NotEnrolled(_) => Self::new(Kind::Denied, error)
                .next("show it to the owner:  symbolon driver enrol")
                .next("the owner signs it in:  symbolon root add-driver NAME FILE --fingerprint sym1…"),
            OpenError::PinRefusedBefore => Self::new(Kind::Denied, error).next(NEW_PIN),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match &error {
            RunError::PinRefused(_) => Self::new(Kind::Denied, error).next(NEW_PIN),
            RunError::Module(_) => Self::new(Kind::Invalid, error).next(MODULE),
            RunError::OtherMasterKey => Self::new(Kind::Integrity, error)
                .next("is it the right token? the key store's check value:  symbolon root show"),
            RunError::Twice => Self::new(Kind::Conflict, error)
                .next("stop the other one, or give this one an identity of its own:  symbolon driver enrol"),
            RunError::Retired => Self::new(Kind::Denied, error).next("the roster:  symbolon root show"),
            RunError::Store(cause) => Self::new(store(cause), error),
        }
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        match error {
            PluginError::Refused(refusal) => refusal.into(),
            PluginError::Bundle(_) => Self::new(Kind::Invalid, error),
            PluginError::Host(_) => Self::new(Kind::Bug, error),
        }
    }
}

impl From<EnrolError> for Failure {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::KeyStore(cause) => cause.into(),
        }
    }
}

impl From<KeyStoreError> for Failure {
    fn from(error: KeyStoreError) -> Self {
        match error.fault {
            Fault::NoMasterKey => Self::new(Kind::NotFound, error).next(
                "is it the right token? to found a new store:  symbolon driver enrol --create-master-key",
            ),
            Fault::PinRefused => {
                Self::new(Kind::Denied, error).next("it was tried once; mend the PIN file first")
            }
            Fault::TokenAbsent => Self::new(Kind::Unavailable, error).next(
                "is it plugged in, and `token` its label? what the module needs to find it:  `environment` in the plugin's policy",
            ),
            Fault::Module => Self::new(Kind::Unavailable, error),
            Fault::Unusable => Self::new(Kind::Invalid, error).next(MODULE),
            Fault::Integrity => Self::new(Kind::Integrity, error),
            Fault::Unsupported => Self::new(Kind::Invalid, error),
            Fault::Failed => Self::new(Kind::Io, error),
        }
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        Self::new(Kind::Integrity, error)
            .next("compare with what the driver's operator sees:  symbolon driver enrol")
    }
}
