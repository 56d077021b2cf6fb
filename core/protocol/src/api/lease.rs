//! Leases on keys of a key chain, as the access manager knows them: by the permits that it issued (specification §9.3).

use super::{Document, Id};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Answer to `GET …/keys/{key}/leases`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyLeases {
    /// The leases that haven't ended, by holder and process.
    pub leases: Vec<KeyLease>,
}

/// A process that may have a key on a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyLease {
    /// Thumbprint of the holder's key.
    pub holder: Id,
    /// The name that the process drew, if it is one that acknowledges; else all of the holder's that don't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Id>,
    /// When its last lease ends at the latest, Unix seconds by the access manager's clock.
    pub until: u64,
    /// The signed acknowledgement that the process gave last, of whichever deny document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Document>,
}
