//! A token's errors as the contract's.

use symbolon_pkcs11::Error as TokenError;
use symbolon_pkcs11::number::returned;

use crate::bindings::errors::{Error, Kind};
use crate::reason;

/// Ends a function with an error of the contract, which is no trap.
macro_rules! answer {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}
pub(super) use answer;

/// The manifest asked for no such token.
pub fn unknown(token: &str) -> Error {
    failed(Kind::Denied, reason::NOT_GRANTED, format!("the manifest asks for no token {token:?}"))
}

/// A mechanism's parameters aren't those that it takes.
pub fn parameters(message: &str) -> Error {
    failed(Kind::Invalid, reason::MECHANISM_PARAMETERS, message.to_owned())
}

/// What a plugin is told.
pub fn told(error: TokenError) -> Error {
    let (kind, reason) = classified(&error);
    let mut told = failed(kind, reason, error.to_string());
    if let TokenError::Returned { function, rv } = error {
        told.attributes = vec![("function".into(), function), ("rv".into(), format!("{rv:#x}"))];
    }
    told
}

fn failed(kind: Kind, reason: &str, message: String) -> Error {
    Error { kind, reason: reason.into(), message, retry_after_ms: None, attributes: Vec::new() }
}

fn classified(error: &TokenError) -> (Kind, &'static str) {
    match error {
        TokenError::Unusable { .. } => (Kind::Invalid, reason::MODULE_UNUSABLE),
        TokenError::NotStarted(_) => (Kind::Unavailable, reason::MODULE_NOT_STARTED),
        TokenError::Absent(_) => (Kind::Unavailable, reason::TOKEN_ABSENT),
        TokenError::Ambiguous(_) => (Kind::Conflict, reason::TOKEN_AMBIGUOUS),
        TokenError::PinMissing { .. } => (Kind::Denied, reason::PIN_MISSING),
        TokenError::PinRefused(_) => (Kind::Denied, reason::PIN_REFUSED),
        TokenError::PinLocked | TokenError::PinLastTry => (Kind::Denied, reason::PIN_LOCKED),
        TokenError::Crashed(_) => (Kind::Unavailable, reason::MODULE_CRASHED),
        TokenError::TimedOut => (Kind::OutOfTime, reason::MODULE_TIMED_OUT),
        TokenError::Lost => (Kind::Unavailable, reason::SESSION_LOST),
        TokenError::MechanismMissing(_) => (Kind::Unsupported, reason::MECHANISM_MISSING),
        TokenError::Mismatch => (Kind::Integrity, reason::SIGNATURE_MISMATCH),
        TokenError::NotAllowed(_) => (Kind::Denied, reason::NOT_GRANTED),
        TokenError::Returned { rv, .. } if returned::EXHAUSTED.contains(rv) => {
            (Kind::Exhausted, reason::SESSIONS_EXHAUSTED)
        }
        TokenError::Returned { .. } => (Kind::Other, reason::TOKEN_FAILURE),
        TokenError::Protocol => (Kind::Internal, reason::TOKEN_FAILURE),
    }
}
