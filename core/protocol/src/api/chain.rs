//! The key chain: tenants and systems, as the access manager keeps them (specification §9). Their keys travel wrapped.

use super::{Document, KeyState};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};
use symbolon_keychain::State;

/// Body of `POST …/tenants`, `POST …/systems` and of `POST …/versions` of either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    /// The wrapped key (specification §9.2). It says where it belongs: tenant or system, version, and the key above.
    pub wrapped: Document,
}

/// A line of the list of tenants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantSummary {
    /// The tenant.
    pub tenant: String,
    /// Id of its root key.
    pub root: String,
    /// State of the root key.
    pub root_state: KeyState,
    /// State of the tenant, its newest version.
    pub state: KeyState,
    /// The newest version of its key.
    pub version: u64,
    /// How many systems it has.
    pub systems: u64,
    /// When it was made, Unix seconds.
    pub created: u64,
}

/// A tenant with every version of its key, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tenant {
    /// What the list says too.
    #[serde(flatten)]
    pub summary: TenantSummary,
    /// Every version, newest first.
    pub versions: Vec<TenantVersion>,
}

/// A version of a tenant's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantVersion {
    /// Its number, from 1.
    pub version: u64,
    /// Its state, without regard to the root key's.
    pub state: KeyState,
    /// When it was made, Unix seconds.
    pub created: u64,
    /// The key, sealed by the root key; absent once it is destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<Document>,
}

/// A line of the list of systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemSummary {
    /// The system, its tenant first.
    pub system: String,
    /// State of the system, its newest version, without regard to the keys above.
    pub state: KeyState,
    /// The newest version of its key.
    pub version: u64,
    /// When it was made, Unix seconds.
    pub created: u64,
}

/// A system with every version of its key, newest first, and the tenant above it: all that its data keys hang from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct System {
    /// What the list says too.
    #[serde(flatten)]
    pub summary: SystemSummary,
    /// Every version, newest first.
    pub versions: Vec<SystemVersion>,
    /// Its tenant.
    pub above: Tenant,
}

/// A version of a system's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemVersion {
    /// Its number, from 1.
    pub version: u64,
    /// The version of the tenant's key that wraps it.
    pub tenant_version: u64,
    /// Its state, without regard to the keys above.
    pub state: KeyState,
    /// When it was made, Unix seconds.
    pub created: u64,
    /// The key, wrapped by the tenant's; absent once it is destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<Document>,
}

/// A page of tenants in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantPage {
    /// The tenants.
    pub tenants: Vec<TenantSummary>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A page of systems in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemPage {
    /// The systems.
    pub systems: Vec<SystemSummary>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which tenants a list holds. Those that the caller isn't granted are never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only tenants under this root key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// Which systems a list holds. Those that the caller isn't granted are never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct SystemQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only systems of this tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Active => Self::Active,
            State::Disabled => Self::Disabled,
            State::Scheduled => Self::Scheduled,
            State::Destroyed => Self::Destroyed,
        }
    }
}

impl From<KeyState> for State {
    fn from(state: KeyState) -> Self {
        match state {
            KeyState::Pending => Self::Pending,
            KeyState::Active => Self::Active,
            KeyState::Disabled => Self::Disabled,
            KeyState::Scheduled => Self::Scheduled,
            KeyState::Destroyed => Self::Destroyed,
        }
    }
}
