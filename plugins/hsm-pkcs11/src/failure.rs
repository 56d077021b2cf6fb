//! Errors, by the names of the plugin author's guide.

pub use crate::bindings::symbolon::types::errors::{Error, Kind};

/// Short for what every fallible function here returns.
pub type Result<T> = core::result::Result<T, Error>;

pub fn failure(kind: Kind, reason: &str, message: impl Into<String>) -> Error {
    Error {
        kind,
        reason: reason.into(),
        message: message.into(),
        retry_after_ms: None,
        attributes: Vec::new(),
    }
}

/// The call makes no sense.
pub fn invalid(reason: &str, message: impl Into<String>) -> Error {
    failure(Kind::Invalid, reason, message)
}

/// What the token can't do, or this plugin doesn't know.
pub fn unsupported(reason: &str, message: impl Into<String>) -> Error {
    failure(Kind::Unsupported, reason, message)
}

/// A MAC, a tag or an attribute isn't what it must be.
pub fn integrity(reason: &str, message: impl Into<String>) -> Error {
    failure(Kind::Integrity, reason, message)
}
