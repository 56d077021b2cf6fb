//! Grants and orders, as the access manager lists them.

use super::{Document, Id, Operation};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// Whether a grant serves now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum GrantState {
    /// In time and not denied.
    Active,
    /// Its time has not begun.
    Early,
    /// Its time is over.
    Expired,
    /// The deny document revokes it, or its holder.
    Revoked,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grant {
    /// Its number.
    pub id: u64,
    /// The newest serial that is known.
    pub serial: u64,
    /// Whether it serves now.
    pub state: GrantState,
    /// Key patterns.
    pub keys: Vec<String>,
    /// Thumbprint of the holder's key.
    pub principal: Id,
    /// What it allows.
    pub operations: Vec<Operation>,
    /// Inputs a second and manager, 0 for no limit.
    pub rate: u64,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
    /// The signed grant.
    pub document: Document,
}

/// Which grants a list holds. Only the account's owner (a key of its root document) sees others' grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct GrantQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many grants, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only grants of this holder (thumbprint, hexadecimal).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub principal: Option<Id>,
}

/// A page of grants in ascending order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantPage {
    /// The grants.
    pub grants: Vec<Grant>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// Its number.
    pub serial: u64,
    /// When the access manager stored it, Unix seconds.
    pub received: u64,
    /// The signed order.
    pub document: Document,
}

/// A page of orders in ascending order of their serials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<Order>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
