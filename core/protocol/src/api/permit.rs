//! Permits: the access manager's word for one key version and at most a minute.

use super::{Document, Id};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What a grant or a permit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Evaluate own, fresh inputs.
    Encrypt,
    /// Evaluate any input.
    Decrypt,
    /// Create keys and versions; in no permit.
    Create,
    /// Read audit and evaluation logs; in no permit.
    Audit,
    /// Sign with a private key in an HSM.
    Sign,
}

/// Body of `POST …/permits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PermitRequest {
    /// The key id.
    pub key: String,
    /// The version; the newest that has a certificate where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Some of `encrypt`, `decrypt` and `sign`.
    pub operations: Vec<Operation>,
    /// For whom a gateway asks, as it calls them; at most 255 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The name of a process that hears of deny documents and acknowledges them (specification §9.3), as it drew it when
    /// it started. What others have on a lease ends, and is never acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Id>,
}

/// Answer to `POST …/permits`: what a client shows to the fragment managers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permit {
    /// The signed permit.
    pub permit: Document,
    /// The signed grant that it names.
    pub grant: Document,
    /// The version that it names.
    pub version: u64,
    /// When it ends, Unix seconds by the access manager's clock.
    pub not_after: u64,
}
