//! The client's failures: its sorts are our kinds; what to do is said here, in the words of the command line.

use symbolon_client::error::{
    Conflict, Denied, Error, FileError, Integrity, Invalid, ManagerDown, NotFound, Unavailable,
};
use symbolon_client::{ProfileError, SecretError};

use super::{Failure, Kind};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(detail) => denied(detail),
            Error::NotFound(detail) => not_found(detail),
            Error::Conflict(detail) => conflict(detail),
            Error::Invalid(detail) => invalid(detail),
            Error::Integrity(detail) => integrity(detail),
            Error::Unavailable { cause, .. } => unavailable(cause),
            Error::Bug(detail) => {
                Self::new(Kind::Bug, detail).next("please report it; SECURITY.md says where")
            }
        }
    }
}

fn denied(detail: Denied) -> Failure {
    let next = match &detail {
        Denied::NotGranted { holder, operation, key } => Some(format!(
            "the owner can allow it:  symbolon grant create --to {holder} --key '{key}' --allow {operation}"
        )),
        Denied::GrantNotInTime { holder } => {
            Some(format!("the owner can renew it:  symbolon grant create --to {holder} …"))
        }
        Denied::KeyDisabled { key } => Some(format!("the owner can enable it:  symbolon key enable {key}")),
        Denied::Refused { .. } | Denied::Revoked { .. } => None,
    };
    advised(Kind::Denied, detail, next)
}

fn not_found(detail: NotFound) -> Failure {
    let next = match &detail {
        NotFound::Key(_) => Some("those that you may see:  symbolon key list".to_owned()),
        NotFound::Version { key, .. } => Some(format!("its versions:  symbolon key show {key}")),
        NotFound::CustomerFragment(Some(_)) => {
            Some("bring it back from its backup:  symbolon customer-fragment restore FILE".to_owned())
        }
        NotFound::CustomerFragment(None) => Some("make one:  symbolon customer-fragment create".to_owned()),
        NotFound::Account | NotFound::File(_) | NotFound::Thing => None,
    };
    advised(Kind::NotFound, detail, next)
}

fn conflict(detail: Conflict) -> Failure {
    let next = match &detail {
        Conflict::KeyExists(key) => {
            Some(format!("key ids are never used again; for a new version:  symbolon key rotate {key}"))
        }
        Conflict::KeyPending(key) => {
            Some(format!("its ceremony goes on; look again:  symbolon key show {key}"))
        }
        Conflict::KeyDestroyed { key } => {
            Some(format!("until it is done, the owner can keep it:  symbolon key cancel-destruction {key}"))
        }
        Conflict::File(FileError::Exists { .. }) => Some("replace it:  --force".to_owned()),
        Conflict::Changed | Conflict::Superseded(_) | Conflict::File(_) | Conflict::Cancelled => None,
    };
    advised(Kind::Conflict, detail, next)
}

fn invalid(detail: Invalid) -> Failure {
    match detail {
        Invalid::File(file) => file.into(),
        Invalid::Profile(profile) => profile.into(),
        Invalid::Secret(secret) => secret.into(),
        other => Failure::new(Kind::Invalid, other),
    }
}

fn integrity(detail: Integrity) -> Failure {
    let next = match &detail {
        Integrity::Liar(_) => {
            Some("nothing was encrypted; have the owner exclude it:  symbolon order exclude".to_owned())
        }
        Integrity::WrongServer(_) => {
            Some("what the owner signed names another key: is the address right?".to_owned())
        }
        Integrity::Commitment(_)
        | Integrity::Header(_)
        | Integrity::Chunks(_)
        | Integrity::Certificate(_)
        | Integrity::Root(_)
        | Integrity::Protocol(_) => None,
    };
    advised(Kind::Integrity, detail, next)
}

fn unavailable(detail: Unavailable) -> Failure {
    let lines: Vec<String> = match &detail {
        Unavailable::TooFewManagers { have, need, down } => {
            let missing = need.saturating_sub(*have);
            let help = format!(
                "{missing} more would do: start {} again, or wait",
                if missing == 1 { "one" } else { "them" }
            );
            down.iter().map(manager_down).chain([help]).collect()
        }
        Unavailable::AccessManager { .. } => {
            vec!["is it running? in a deployment of  symbolon dev,  look at that terminal".to_owned()]
        }
        Unavailable::Ceremony { key } => vec![format!("look again later:  symbolon key show {key}")],
        Unavailable::Server(_)
        | Unavailable::RateLimited
        | Unavailable::TimedOut { .. }
        | Unavailable::File(_)
        | Unavailable::CustomerFragment(_) => Vec::new(),
    };
    let failure = Failure::new(Kind::Unavailable, detail);
    lines.into_iter().fold(failure, Failure::next)
}

fn manager_down(ManagerDown { member, reason }: &ManagerDown) -> String {
    format!("{member}: {}", with_causes(reason))
}

/// An error and its causes on one line.
pub fn with_causes(error: &impl std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

fn advised(
    kind: Kind,
    detail: impl std::error::Error + Send + Sync + 'static,
    next: Option<String>,
) -> Failure {
    next.into_iter().fold(Failure::new(kind, detail), Failure::next)
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match &error {
            FileError::Missing { .. } => Self::new(Kind::NotFound, error),
            FileError::Exists { .. } => Self::new(Kind::Conflict, error).next("replace it:  --force"),
            FileError::Exposed { path } => {
                let next = format!("a secret file has mode 0600:  chmod 600 {}", path.display());
                Self::new(Kind::Invalid, error).next(next)
            }
            FileError::DiskFull { .. } | FileError::Io { .. } => Self::new(Kind::Io, error),
        }
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::File(file) => file.into(),
            ProfileError::Form { .. } | ProfileError::Account(_) | ProfileError::NotARoot(_) => {
                Self::new(Kind::Invalid, error)
            }
            ProfileError::Root(_) => Self::new(Kind::Integrity, error),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::File(file) => file.into(),
            SecretError::PassphraseNeeded(_)
            | SecretError::KeyFileNeeded(_)
            | SecretError::Open { .. }
            | SecretError::Content(_)
            | SecretError::Seal(_) => Self::new(Kind::Invalid, error),
        }
    }
}
