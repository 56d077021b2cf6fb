//! The client's failures: its sorts are our kinds, and it says what to do in the words of the command line.

use symbolon_client::error::{Conflict, Error, FileError, Invalid, NotFound, Unavailable};
use symbolon_client::{ProfileError, SecretError};

use super::local::PASSPHRASE_FILE;
use super::{Failure, Kind};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, advice) = (error.code(), error.advice());
        let failure = match error {
            Error::Denied(detail) => Self::new(Kind::Denied, detail),
            Error::NotFound(NotFound::Profile(profile)) => profile.into(),
            Error::NotFound(detail) => Self::new(Kind::NotFound, detail),
            Error::Conflict(detail) => conflict(detail),
            Error::Invalid(detail) => invalid(detail),
            Error::Integrity(detail) => Self::new(Kind::Integrity, detail),
            Error::Unavailable { cause, .. } => unavailable(cause),
            Error::Bug(detail) => Self::new(Kind::Bug, detail),
        };
        advice.into_iter().fold(failure.coded(code), Self::next)
    }
}

fn conflict(detail: Conflict) -> Failure {
    match detail {
        Conflict::File(file) => file.into(),
        other => Failure::new(Kind::Conflict, other),
    }
}

fn invalid(detail: Invalid) -> Failure {
    match detail {
        Invalid::File(file) => file.into(),
        Invalid::Profile(profile) => profile.into(),
        Invalid::Secret(secret) => secret.into(),
        other => Failure::new(Kind::Invalid, other),
    }
}

fn unavailable(detail: Unavailable) -> Failure {
    let down: Vec<String> = match &detail {
        Unavailable::TooFewManagers { down, .. } => down.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    down.into_iter().fold(Failure::new(Kind::Unavailable, detail), Failure::next)
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

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match &error {
            FileError::Missing { .. } => Self::new(Kind::NotFound, error),
            FileError::Exists { .. } => {
                Self::new(Kind::Conflict, error).next("it is kept: name another file, or move that one away")
            }
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
            ProfileError::Nowhere { .. } => Self::new(Kind::NotFound, error)
                .next("to try Symbolon out here:  symbolon dev")
                .next("else name one:  --profile FILE  or  SYMBOLON_PROFILE=FILE"),
            ProfileError::Form { .. }
            | ProfileError::Account(_)
            | ProfileError::NotARoot(_)
            | ProfileError::CustomerFragment(_) => Self::new(Kind::Invalid, error),
            ProfileError::Root(_) => Self::new(Kind::Integrity, error),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::File(file) => file.into(),
            SecretError::PassphraseNeeded(_) => Self::new(Kind::Invalid, error).next(PASSPHRASE_FILE),
            SecretError::KeyFileNeeded(_)
            | SecretError::Open { .. }
            | SecretError::Content(_)
            | SecretError::Seal(_) => Self::new(Kind::Invalid, error),
        }
    }
}
