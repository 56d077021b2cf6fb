//! The client's errors as problem details: one match a kind, whose move it is decides the status.
//!
//! What a problem says is for the caller of a gateway, who knows keys by name and nothing of grants: the log has the chain of causes.

use std::error::Error as _;

use symbolon_client::Error;
use symbolon_client::error::{Conflict, Denied, Integrity, Invalid, NotFound, Unavailable};
use symbolon_protocol::api::{Problem, ProblemType};

use crate::failure::Failure;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        log(&error);
        let cause = error.source().map(ToString::to_string);
        let problem = Problem::new(kind(&error)).detail(cause.unwrap_or_else(|| error.to_string()));
        match error {
            Error::Unavailable { retry_after: Some(after), .. } => {
                Self(problem.retry_after(after.as_secs().max(1)))
            }
            _ => Self(problem),
        }
    }
}

/// The chain of causes, once, here at the edge. None of them carries a secret.
fn log(error: &Error) {
    let cause = error as &dyn std::error::Error;
    match error {
        Error::Integrity(_) | Error::Bug(_) => tracing::error!(cause, "a request failed"),
        Error::Unavailable { .. } => tracing::warn!(cause, "a request failed"),
        Error::Denied(_) | Error::NotFound(_) | Error::Conflict(_) | Error::Invalid(_) => {
            tracing::info!(cause, "a request was refused");
        }
    }
}

fn kind(error: &Error) -> ProblemType {
    match error {
        Error::Denied(denied) => kind_of_denied(denied),
        Error::NotFound(missing) => kind_of_not_found(missing),
        Error::Conflict(conflict) => kind_of_conflict(conflict),
        Error::Invalid(invalid) => kind_of_invalid(invalid),
        Error::Integrity(fault) => kind_of_integrity(fault),
        Error::Unavailable { cause, .. } => kind_of_unavailable(cause),
        Error::Bug(_) => ProblemType::Internal,
    }
}

fn kind_of_denied(denied: &Denied) -> ProblemType {
    match denied {
        Denied::NotGranted { .. } | Denied::Refused { .. } | Denied::Driver { .. } => ProblemType::Denied,
        Denied::Revoked { .. } => ProblemType::Revoked,
        Denied::GrantNotInTime { .. } => ProblemType::GrantNotInTime,
        Denied::KeyDisabled { .. } | Denied::Link(_) => ProblemType::KeyDisabled,
    }
}

fn kind_of_not_found(missing: &NotFound) -> ProblemType {
    match missing {
        NotFound::Account => ProblemType::UnknownAccount,
        NotFound::Key(_) => ProblemType::UnknownKey,
        NotFound::Version { .. } => ProblemType::UnknownVersion,
        NotFound::CustomerFragment(_) => ProblemType::CustomerFragment,
        NotFound::Link(_) | NotFound::File(_) | NotFound::Profile(_) | NotFound::Thing => {
            ProblemType::NotFound
        }
    }
}

fn kind_of_conflict(conflict: &Conflict) -> ProblemType {
    match conflict {
        Conflict::KeyExists(_) => ProblemType::KeyExists,
        Conflict::KeyPending(_) => ProblemType::KeyPending,
        Conflict::KeyDestroyed { .. } | Conflict::LinkDestroyed(_) => ProblemType::KeyDestroyed,
        Conflict::Changed | Conflict::Superseded(_) => ProblemType::Superseded,
        Conflict::File(_) | Conflict::Cancelled => ProblemType::Internal,
    }
}

/// What is wrong with a call is the caller's to mend, what is wrong with the gateway's own files is not.
fn kind_of_invalid(invalid: &Invalid) -> ProblemType {
    match invalid {
        Invalid::KeyId(_)
        | Invalid::Context(_)
        | Invalid::Purpose { .. }
        | Invalid::OtherAccount
        | Invalid::NotShared { .. }
        | Invalid::InHsm { .. }
        | Invalid::NotInHsm { .. }
        | Invalid::Job(_)
        | Invalid::Driver(_)
        | Invalid::Members(_)
        | Invalid::TooFewMembers { .. }
        | Invalid::Request(_) => ProblemType::Malformed,
        Invalid::TooLong(_) => ProblemType::TooLarge,
        // The gateway is being shut down.
        Invalid::Closed => ProblemType::Unavailable,
        Invalid::Profile(_)
        | Invalid::Secret(_)
        | Invalid::CustomerFragment { .. }
        | Invalid::File(_)
        | Invalid::Manager { .. } => ProblemType::Internal,
    }
}

fn kind_of_integrity(fault: &Integrity) -> ProblemType {
    match fault {
        Integrity::Header(_)
        | Integrity::Commitment(_)
        | Integrity::Chunks(_)
        | Integrity::Record(_)
        | Integrity::Wrapped(_)
        | Integrity::Driver(_) => ProblemType::InvalidCiphertext,
        Integrity::Liar(_)
        | Integrity::WrongServer(_)
        | Integrity::Certificate(_)
        | Integrity::Root(_)
        | Integrity::JobResult(_)
        | Integrity::Protocol(_) => ProblemType::Unavailable,
    }
}

fn kind_of_unavailable(missing: &Unavailable) -> ProblemType {
    match missing {
        Unavailable::TooFewManagers { .. } => ProblemType::TooFewManagers,
        Unavailable::RateLimited => ProblemType::RateLimited,
        Unavailable::AccessManager { .. }
        | Unavailable::Server(_)
        | Unavailable::TimedOut { .. }
        | Unavailable::File(_)
        | Unavailable::KeyStore { .. }
        | Unavailable::Driver(_)
        | Unavailable::CustomerFragment { .. }
        | Unavailable::Ceremony { .. } => ProblemType::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_problem_says_whose_move_it_is_and_when_to_try_again() {
        let cause = Unavailable::TimedOut { within: Duration::from_secs(20) };
        let failure =
            Failure::from(Error::Unavailable { retry_after: Some(Duration::from_millis(200)), cause });
        assert_eq!((failure.0.status, failure.0.retry_after), (503, Some(1)));
        let failure = Failure::from(Error::Denied(Denied::KeyDisabled { key: "notes/1".parse().unwrap() }));
        assert_eq!((failure.0.status, failure.0.detail.as_deref()), (409, Some("key notes/1 is disabled")));
    }
}
