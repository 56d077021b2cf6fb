//! Where a key of the chain belongs. The place is stored with the wrapped key and bound to it, so that a key can't be
//! put in another's place, and one that was can be told from one that was changed.

use crate::names::{Purpose, SystemId, TenantId, Volume};
use crate::permit::Level;
use alloc::string::ToString;
use minicbor::{Decode, Encode};
use symbolon_encoding::Tuple;
use symbolon_envelope::Context;
use symbolon_fragments::names::{AccountId, KeyId};

/// Where a tenant's key belongs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct TenantPlace {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The root key.
    #[n(1)]
    pub root: KeyId,
    /// The tenant.
    #[n(2)]
    pub tenant: TenantId,
    /// The version of its key, from 1.
    #[n(3)]
    pub version: u64,
}

/// Where a system's key belongs. The root key isn't part of it: a tenant that goes to another root key takes its systems
/// along as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct SystemPlace {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The system, its tenant first.
    #[n(1)]
    pub system: SystemId,
    /// The version of the tenant's key that wraps it.
    #[n(2)]
    pub tenant_version: u64,
    /// The version of its key, from 1.
    #[n(3)]
    pub version: u64,
}

/// Where a data key belongs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct DataPlace {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The system, its tenant first.
    #[n(1)]
    pub system: SystemId,
    /// The version of the system's key that wraps it.
    #[n(2)]
    pub system_version: u64,
    /// The volume.
    #[n(3)]
    pub volume: Volume,
    /// What it is for.
    #[n(4)]
    pub purpose: Purpose,
}

/// The place of a key at any level.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(flat)]
pub enum Place {
    /// L2.
    #[n(2)]
    Tenant(#[n(0)] TenantPlace),
    /// L3.
    #[n(3)]
    System(#[n(0)] SystemPlace),
    /// L4.
    #[n(4)]
    Data(#[n(0)] DataPlace),
}

/// The first thing in which the place of a wrapped key and the place that was asked for differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Difference {
    /// The level.
    #[error("level")]
    Level,
    /// The account.
    #[error("account")]
    Account,
    /// The root key.
    #[error("root key")]
    Root,
    /// The tenant.
    #[error("tenant")]
    Tenant,
    /// The system.
    #[error("system")]
    System,
    /// The volume.
    #[error("volume")]
    Volume,
    /// The purpose.
    #[error("purpose")]
    Purpose,
    /// The version of the key, or of the key above.
    #[error("version")]
    Version,
}

impl Place {
    /// The level of the key.
    pub const fn level(&self) -> Level {
        match self {
            Self::Tenant(_) => Level::Tenant,
            Self::System(_) => Level::System,
            Self::Data(_) => Level::Data,
        }
    }

    /// The label under which the key is sealed by the key above.
    pub(crate) fn label(&self) -> Tuple {
        Tuple::new("sealed/wrapped-key").value(self)
    }

    /// Refuses any place but this one, and says what differs first.
    pub(crate) fn check(&self, found: &Self) -> Result<(), Difference> {
        match (self, found) {
            (Self::Tenant(wanted), Self::Tenant(found)) => wanted.check(found),
            (Self::System(wanted), Self::System(found)) => wanted.check(found),
            (Self::Data(wanted), Self::Data(found)) => wanted.check(found),
            _ => Err(Difference::Level),
        }
    }
}

/// Refuses two values that differ.
pub(crate) fn same<T: PartialEq>(what: Difference, one: &T, other: &T) -> Result<(), Difference> {
    if one == other { Ok(()) } else { Err(what) }
}

impl TenantPlace {
    /// What the root key seals the tenant's key with: its place, pair by pair.
    ///
    /// # Panics
    /// Never: names are shorter than a context's values.
    pub fn context(&self) -> Context {
        let pairs = [
            ("level", Level::Tenant.to_string()),
            ("account", self.account.to_string()),
            ("root", self.root.to_string()),
            ("tenant", self.tenant.to_string()),
            ("version", self.version.to_string()),
        ];
        Context::from_pairs(pairs).expect("names are short")
    }

    fn check(&self, found: &Self) -> Result<(), Difference> {
        same(Difference::Account, &self.account, &found.account)?;
        same(Difference::Root, &self.root, &found.root)?;
        same(Difference::Tenant, &self.tenant, &found.tenant)?;
        same(Difference::Version, &self.version, &found.version)
    }
}

impl SystemPlace {
    fn check(&self, found: &Self) -> Result<(), Difference> {
        same(Difference::Account, &self.account, &found.account)?;
        same(Difference::Tenant, &self.system.tenant(), &found.system.tenant())?;
        same(Difference::System, &self.system, &found.system)?;
        same(Difference::Version, &self.version, &found.version)?;
        same(Difference::Version, &self.tenant_version, &found.tenant_version)
    }
}

impl DataPlace {
    fn check(&self, found: &Self) -> Result<(), Difference> {
        same(Difference::Account, &self.account, &found.account)?;
        same(Difference::Tenant, &self.system.tenant(), &found.system.tenant())?;
        same(Difference::System, &self.system, &found.system)?;
        same(Difference::Version, &self.system_version, &found.system_version)?;
        same(Difference::Volume, &self.volume, &found.volume)?;
        same(Difference::Purpose, &self.purpose, &found.purpose)
    }
}
