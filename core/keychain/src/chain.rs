//! The keys above: what is known of the states on the way down, and the permits that follow from them.

use crate::names::{Purpose, SystemId, TenantId, Volume};
use crate::permit::{Level, Operation, Permit, Refused};
use crate::place::{DataPlace, SystemPlace, TenantPlace};
use crate::state::State;
use symbolon_fragments::names::{AccountId, KeyId};

/// An L1 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The account.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// Its state.
    pub state: State,
}

/// A version of a tenant's key, and the root key above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The root key.
    pub root: Root,
    /// The tenant.
    pub id: TenantId,
    /// The version.
    pub version: u64,
    /// Its state.
    pub state: State,
}

/// A version of a system's key, and the keys above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    tenant: Tenant,
    id: SystemId,
    version: u64,
    state: State,
}

/// The system is another tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system belongs to another tenant")]
pub struct NotOfTenant;

type Step<'a> = (Level, &'a KeyId, State);

impl Tenant {
    /// Permits to seal or to open this version of the tenant's key under the root key.
    pub fn permit<O: Operation>(&self) -> Result<Permit<O, TenantPlace>, Refused> {
        let place = TenantPlace {
            account: self.root.account,
            root: self.root.key.clone(),
            tenant: self.id.clone(),
            version: self.version,
        };
        Permit::check(place, self.way())
    }

    fn way(&self) -> [Step<'_>; 2] {
        [(Level::Root, &self.root.key, self.root.state), (Level::Tenant, self.id.id(), self.state)]
    }
}

impl System {
    /// A version of a system's key below a version of its tenant's.
    pub fn new(tenant: Tenant, id: SystemId, version: u64, state: State) -> Result<Self, NotOfTenant> {
        if id.tenant() == tenant.id { Ok(Self { tenant, id, version, state }) } else { Err(NotOfTenant) }
    }

    /// The tenant's key above.
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The system.
    pub const fn id(&self) -> &SystemId {
        &self.id
    }

    /// The version of its key.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Permits to wrap or to unwrap this version of the system's key under the tenant's.
    pub fn permit<O: Operation>(&self) -> Result<Permit<O, SystemPlace>, Refused> {
        let place = SystemPlace {
            account: self.tenant.root.account,
            system: self.id.clone(),
            tenant_version: self.tenant.version,
            version: self.version,
        };
        Permit::check(place, self.way())
    }

    /// Permits to make or to open a data key of a volume under this version of the system's key.
    pub fn data_permit<O: Operation>(
        &self,
        volume: Volume,
        purpose: Purpose,
    ) -> Result<Permit<O, DataPlace>, Refused> {
        let (account, system) = (self.tenant.root.account, self.id.clone());
        let place = DataPlace { account, system, system_version: self.version, volume, purpose };
        Permit::check(place, self.way())
    }

    fn way(&self) -> impl Iterator<Item = Step<'_>> {
        self.tenant.way().into_iter().chain([(Level::System, self.id.id(), self.state)])
    }
}
