//! The failures of the owner's folder and documents.

use symbolon_client::owner::OwnerError;

use super::{Failure, Kind};

impl From<OwnerError> for Failure {
    fn from(error: OwnerError) -> Self {
        match error {
            OwnerError::File(file) => file.into(),
            OwnerError::Secret(secret) => secret.into(),
            OwnerError::Document(_)
            | OwnerError::Stored(_)
            | OwnerError::Root(_)
            | OwnerError::Deny(_)
            | OwnerError::Order(_)
            | OwnerError::TooLarge { .. } => Self::new(Kind::Invalid, error),
            OwnerError::NotInOffice(_) => {
                Self::new(Kind::Conflict, error).next("the account's keys:  symbolon root show")
            }
            OwnerError::Conflict(_) => Self::new(Kind::Conflict, error),
            OwnerError::Member(_) => Self::new(Kind::NotFound, error).next("the roster:  symbolon root show"),
            OwnerError::Clock(_) => Self::new(Kind::Unavailable, error),
            OwnerError::MoreSignatures { ref file, .. } => {
                let next =
                    format!("another administrator adds theirs:  symbolon owner sign {}", file.display());
                Self::new(Kind::Unavailable, error).next(next)
            }
        }
    }
}
