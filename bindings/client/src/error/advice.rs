//! What to do next, in the words of the command line, which every caller of a binding can run.

use super::{Conflict, Denied, Error, Integrity, NotFound, Unavailable};
use symbolon_keychain::{Level, Refused};

impl Error {
    /// What helps, on one line: whom to ask and for what. Nothing where the error says it all.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Denied(detail) => detail.advice(),
            Self::NotFound(detail) => detail.advice(),
            Self::Conflict(detail) => detail.advice(),
            Self::Integrity(detail) => detail.advice(),
            Self::Unavailable { cause, .. } => cause.advice(),
            Self::Bug(_) => Some("please report it; SECURITY.md says where".to_owned()),
            Self::Invalid(_) => None,
        }
    }
}

impl Denied {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NotGranted { holder, operation, key } => Some(format!(
                "the owner can allow it:  symbolon grant create --to {holder} --key '{key}' --allow {operation}"
            )),
            Self::GrantNotInTime { holder } => {
                Some(format!("the owner can renew it:  symbolon grant create --to {holder} …"))
            }
            Self::KeyDisabled { key } => Some(format!("the owner can enable it:  symbolon key enable {key}")),
            Self::Link(refused) => {
                Some(format!("the owner can enable it:  symbolon {}", verb(refused, "enable")))
            }
            Self::Refused { holder, .. } => Some(format!(
                "the owner can allow more:  symbolon grant create --to {holder} --key KEY --allow OPERATION"
            )),
            Self::Revoked { .. } => {
                Some("the owner can tell whether one grant or everything:  symbolon grant list".to_owned())
            }
            Self::Driver { .. } => None,
        }
    }
}

fn verb(refused: &Refused, verb: &str) -> String {
    let noun = match refused.level {
        Level::Tenant => "tenant",
        Level::System => "system",
        Level::Root | Level::Data => "key",
    };
    format!("{noun} {verb} {}", refused.key)
}

impl NotFound {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Key(_) => Some("those that you may see:  symbolon key list".to_owned()),
            Self::Link(_) => {
                Some("those that you may see:  symbolon tenant list;  symbolon system list".to_owned())
            }
            Self::Version { key, .. } => Some(format!("its versions:  symbolon key show {key}")),
            Self::CustomerFragment(Some(_)) => {
                Some("bring it back from its backup:  symbolon customer-fragment restore FILE".to_owned())
            }
            Self::CustomerFragment(None) => Some("make one:  symbolon customer-fragment create".to_owned()),
            Self::Profile(_) => Some(
                "to try Symbolon out here:  symbolon dev;  else name one:  SYMBOLON_PROFILE=FILE".to_owned(),
            ),
            Self::Account | Self::File(_) | Self::Thing => None,
        }
    }
}

impl Conflict {
    fn advice(&self) -> Option<String> {
        match self {
            Self::KeyExists(key) => {
                Some(format!("key ids are never used again; for a new version:  symbolon key rotate {key}"))
            }
            Self::KeyPending(key) => Some(format!(
                "whoever makes it finishes it by the same command again; look:  symbolon key show {key}"
            )),
            Self::KeyDestroyed { key } => Some(format!(
                "until it is done, the owner can keep it:  symbolon key cancel-destruction {key}"
            )),
            Self::LinkDestroyed(refused) => Some(format!(
                "until it is done, the owner can keep it:  symbolon {}",
                verb(refused, "cancel-destruction")
            )),
            Self::Changed | Self::Superseded(_) | Self::File(_) | Self::Cancelled => None,
        }
    }
}

impl Integrity {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Liar(_) => {
                Some("nothing was encrypted; have the owner exclude it:  symbolon order exclude".to_owned())
            }
            Self::WrongServer(_) => {
                Some("what the owner signed names another key: is the address right?".to_owned())
            }
            Self::Chunks(_) => {
                Some("the file was changed or cut since it was written: take another copy of it".to_owned())
            }
            Self::Commitment(_)
            | Self::Header(_)
            | Self::Record(_)
            | Self::Wrapped(_)
            | Self::Certificate(_)
            | Self::Driver(_)
            | Self::JobResult(_)
            | Self::Root(_)
            | Self::Protocol(_) => None,
        }
    }
}

impl Unavailable {
    fn advice(&self) -> Option<String> {
        match self {
            Self::TooFewManagers { have, need, .. } => {
                let missing = need.saturating_sub(*have);
                let them = if missing == 1 { "one" } else { "them" };
                Some(format!("{missing} more would do: start {them} again, or wait"))
            }
            Self::AccessManager { .. } => {
                Some("is it running? in a deployment of  symbolon dev,  look at that terminal".to_owned())
            }
            Self::Ceremony { .. } => Some(
                "it takes all of them: once they answer (symbolon status), the same command finishes it"
                    .to_owned(),
            ),
            Self::KeyStore { .. } => Some(
                "the operator of its drivers can tell more:  symbolon driver run  logs what the HSM says"
                    .to_owned(),
            ),
            Self::Server(_)
            | Self::Driver(_)
            | Self::RateLimited
            | Self::TimedOut { .. }
            | Self::File(_)
            | Self::CustomerFragment { .. } => None,
        }
    }
}
