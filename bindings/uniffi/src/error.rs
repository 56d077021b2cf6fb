//! What goes wrong, as it crosses: a kind, a stable code, and words for people.

use symbolon_client::error::{Kind, StreamFailure};

/// Whose move it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ErrorKind {
    /// The caller may not.
    Denied,
    /// There is no such thing.
    NotFound,
    /// The state of things doesn't allow it.
    Conflict,
    /// The call is wrong.
    Invalid,
    /// Something isn't what it claims to be.
    Integrity,
    /// Not now.
    Unavailable,
    /// A fault in this program or in a server.
    Bug,
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ClientError {
    /// The one way to fail; `UniFFI` wants an enumeration.
    #[error("{detail}")]
    Failed {
        /// Whose move it is.
        kind: ErrorKind,
        /// Names the error for programs.
        code: String,
        /// Tells people what happened.
        detail: String,
        /// Tells people what to do next.
        advice: Option<String>,
        /// Milliseconds after which it may go better.
        retry_after: Option<u64>,
    },
}

impl From<Kind> for ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Denied => Self::Denied,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict => Self::Conflict,
            Kind::Invalid => Self::Invalid,
            Kind::Integrity => Self::Integrity,
            Kind::Unavailable => Self::Unavailable,
            Kind::Bug => Self::Bug,
        }
    }
}

impl From<symbolon_client::Error> for ClientError {
    fn from(error: symbolon_client::Error) -> Self {
        let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self::Failed {
            kind: error.kind().into(),
            code: error.code().into(),
            detail: error.detail(),
            advice: error.advice(),
            retry_after: error.retry_after().map(milliseconds),
        }
    }
}

impl From<StreamFailure> for ClientError {
    fn from(failure: StreamFailure) -> Self {
        symbolon_client::Error::from(failure).into()
    }
}

impl ClientError {
    /// A call that makes no sense.
    pub(crate) fn invalid(code: &str, detail: &str) -> Self {
        Self::Failed {
            kind: ErrorKind::Invalid,
            code: code.into(),
            detail: detail.into(),
            advice: None,
            retry_after: None,
        }
    }
}

/// Something written in Kotlin threw. What, Kotlin remembers itself.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// It threw; `detail` is for the log and for errors' text.
    #[error("{detail}")]
    Threw {
        /// The exception in words.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Threw { detail: error.reason }
    }
}
