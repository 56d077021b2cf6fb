//! Problem details (RFC 9457): the closed set of what can go wrong, as clients see it.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $uri:literal, $status:literal, $title:literal;)*) => {
        /// What went wrong; its name in JSON is a URI, its HTTP status and its title are fixed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemType {
            $($(#[$doc])* #[serde(rename = $uri)] $name,)*
        }

        impl ProblemType {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its URI.
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => $uri),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// A short text for people, the same each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

problem_types! {
    /// The request isn't what the interface describes.
    Malformed = "urn:symbolon:problem:malformed", 400, "The request is malformed";
    /// A signed document is not the canonical encoding of one, or its signatures don't verify.
    InvalidDocument = "urn:symbolon:problem:invalid-document", 422, "The signed document does not verify";
    /// The caller showed no client certificate.
    Unauthenticated = "urn:symbolon:problem:unauthenticated", 401, "The caller is not known";
    /// No grant, or policy, allows it to this caller.
    Denied = "urn:symbolon:problem:denied", 403, "Not allowed";
    /// The grant has been revoked, or its holder.
    Revoked = "urn:symbolon:problem:revoked", 403, "The grant is revoked";
    /// The grant's time is over or has not begun.
    GrantNotInTime = "urn:symbolon:problem:grant-not-in-time", 403, "The grant is not in time";
    /// There is no such account here, or the caller may not know.
    UnknownAccount = "urn:symbolon:problem:unknown-account", 404, "No such account";
    /// There is no such key, or the caller may not know.
    UnknownKey = "urn:symbolon:problem:unknown-key", 404, "No such key";
    /// The key has no such version.
    UnknownVersion = "urn:symbolon:problem:unknown-version", 404, "No such version of the key";
    /// There is no such thing.
    NotFound = "urn:symbolon:problem:not-found", 404, "Not found";
    /// The path doesn't know this method.
    MethodNotAllowed = "urn:symbolon:problem:method-not-allowed", 405, "Method not allowed";
    /// The deny document disables the key.
    KeyDisabled = "urn:symbolon:problem:key-disabled", 409, "The key is disabled";
    /// The key version has no certificate yet.
    KeyPending = "urn:symbolon:problem:key-pending", 409, "The key is not ready yet";
    /// The key version is to be destroyed, or was.
    KeyDestroyed = "urn:symbolon:problem:key-destroyed", 409, "The key is destroyed or about to be";
    /// The key, or the version, exists already. A key id is never used twice.
    KeyExists = "urn:symbolon:problem:key-exists", 409, "The key exists already";
    /// The job's time is over; nothing can become of it any more.
    JobExpired = "urn:symbolon:problem:job-expired", 410, "The job's time is over";
    /// The lease ended, and another driver took the job over, or it has its result.
    LeaseLost = "urn:symbolon:problem:lease-lost", 409, "The job was taken over or is done";
    /// Another process polls with this driver's identity.
    DriverTwice = "urn:symbolon:problem:driver-twice", 409, "Another process has this driver's identity";
    /// A newer document is held, or another one with the same number.
    Superseded = "urn:symbolon:problem:superseded", 409, "A newer document is held";
    /// `Idempotency-Key` was used before with another request.
    IdempotencyConflict = "urn:symbolon:problem:idempotency-conflict", 422, "The idempotency key belongs to another request";
    /// `If-Match` names a state that is gone.
    PreconditionFailed = "urn:symbolon:problem:precondition-failed", 412, "The resource has changed";
    /// `If-Match` is needed.
    PreconditionRequired = "urn:symbolon:problem:precondition-required", 428, "If-Match is needed";
    /// The body is too large.
    TooLarge = "urn:symbolon:problem:too-large", 413, "The request is too large";
    /// The body isn't JSON by its media type.
    UnsupportedMediaType = "urn:symbolon:problem:unsupported-media-type", 415, "The media type must be application/json";
    /// The request took too long to arrive.
    TooSlow = "urn:symbolon:problem:too-slow", 408, "The request arrived too slowly";
    /// Too many requests.
    RateLimited = "urn:symbolon:problem:rate-limited", 429, "Too many requests";
    /// A fragment manager can't be reached.
    ManagerUnreachable = "urn:symbolon:problem:manager-unreachable", 502, "The fragment manager cannot be reached";
    /// Too few fragment managers answer.
    TooFewManagers = "urn:symbolon:problem:too-few-managers", 503, "Too few fragment managers answer";
    /// The customer fragment that the key needs is not here.
    CustomerFragment = "urn:symbolon:problem:customer-fragment", 409, "The customer fragment is missing";
    /// The ciphertext doesn't open; nothing says whether key, context or bytes are wrong where cryptography can't.
    InvalidCiphertext = "urn:symbolon:problem:invalid-ciphertext", 422, "The ciphertext does not open";
    /// The server's disk is full.
    StorageFull = "urn:symbolon:problem:storage-full", 507, "The server's storage is full";
    /// The server can't serve now.
    Unavailable = "urn:symbolon:problem:unavailable", 503, "The server cannot serve now";
    /// A fault of the server; its log says more.
    Internal = "urn:symbolon:problem:internal", 500, "Internal error";
}

/// A problem (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// What went wrong.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// [`ProblemType::title`].
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Try again after so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with what is the same each time.
    pub fn new(kind: ProblemType) -> Self {
        Self { kind, title: kind.title().into(), status: kind.status(), detail: None, retry_after: None }
    }

    /// Says what went wrong this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_named_by_its_uri_in_json() {
        for kind in ProblemType::ALL {
            let json = serde_json::to_value(Problem::new(*kind)).unwrap();
            assert_eq!(json["type"], kind.uri());
            assert_eq!(json["status"], kind.status());
            assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), Problem::new(*kind));
        }
    }
}
