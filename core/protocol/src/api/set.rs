//! Fragment sets, their instances, and starting a refresh.

use super::{Document, Id};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// A fragment set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Set {
    /// Its id.
    pub set: Id,
    /// Name of the suite.
    pub suite: String,
    /// How many key versions name it.
    pub keys: u64,
    /// The newest complete instance.
    pub newest: Instance,
}

/// A complete instance of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    /// Its id, the hash of its certificate.
    pub instance: Id,
    /// Serial of the order it was made under, 0 for none.
    pub serial: u64,
    /// Its epoch under that order.
    pub epoch: u64,
    /// How many fragments make an operation.
    pub t: u16,
    /// Who holds a fragment.
    pub members: Vec<u16>,
    /// Who said that it is stored and complete.
    pub flipped: Vec<u16>,
    /// Whether all members said so; everything below it may be erased then.
    pub settled: bool,
    /// When its last signature arrived, Unix seconds.
    pub completed: u64,
    /// The epoch certificate with all members' signatures.
    pub certificate: Document,
}

/// Which sets a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct SetQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many sets, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of sets in ascending order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetPage {
    /// The sets.
    pub sets: Vec<Set>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Body of `POST …/refresh`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The sets; every set of the account where it is empty.
    #[serde(default)]
    pub sets: Vec<Id>,
}

/// Answer to `POST …/refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refreshed {
    /// How many sets the managers were asked to refresh. Their instances' epochs tell when it is done.
    pub sets: u64,
    /// The request's place in the ceremony log.
    pub sequence: u64,
}
