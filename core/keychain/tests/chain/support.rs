//! A chain with known names and seeded keys.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use symbolon_fragments::names::AccountId;
use symbolon_keychain::{NewTenantKey, Root, State, System, SystemKey, Tenant, TenantKey, Wrapped};

/// The account of every chain here that isn't said to be another's.
pub const ACCOUNT: AccountId = AccountId::new([0xa1; 32]);

/// The names of a chain down to a system, and the versions of its keys.
#[derive(Clone, Debug)]
pub struct Names {
    pub account: AccountId,
    pub root: &'static str,
    pub tenant: &'static str,
    pub tenant_version: u64,
    pub system: &'static str,
    pub version: u64,
}

/// The chain of most tests.
pub const NAMES: Names = Names {
    account: ACCOUNT,
    root: "acme-root",
    tenant: "acme",
    tenant_version: 1,
    system: "acme/ceph-eu",
    version: 1,
};

impl Names {
    pub fn root(&self, state: State) -> Root {
        Root { account: self.account, key: self.root.parse().unwrap(), state }
    }

    pub fn tenant(&self) -> Tenant {
        let id = self.tenant.parse().unwrap();
        Tenant { root: self.root(State::Active), id, version: self.tenant_version, state: State::Active }
    }

    pub fn system(&self) -> System {
        System::new(self.tenant(), self.system.parse().unwrap(), self.version, State::Active).unwrap()
    }
}

/// A chain whose keys come from a seed.
pub struct Chain {
    pub system: System,
    pub tenant_key: TenantKey,
    pub wrapped_tenant: Wrapped,
    pub system_key: SystemKey,
    pub wrapped_system: Wrapped,
    pub rng: ChaCha20Rng,
}

impl Chain {
    /// The root key is played by keeping the tenant's key in the clear.
    pub fn new(names: &Names, seed: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let system = names.system();
        let fresh: NewTenantKey = TenantKey::generate(system.tenant().permit().unwrap(), &mut rng);
        let secret = fresh.secret().to_vec();
        let (tenant_key, wrapped_tenant) = fresh.sealed(secret);
        let (system_key, wrapped_system) =
            tenant_key.generate_system_key(system.permit().unwrap(), &mut rng).unwrap();
        Self { system, tenant_key, wrapped_tenant, system_key, wrapped_system, rng }
    }

    pub fn data_key(&mut self, volume: &str, purpose: &str) -> ([u8; 32], Wrapped) {
        let permit = self.system.data_permit(volume.parse().unwrap(), purpose.parse().unwrap()).unwrap();
        let (key, wrapped) = self.system_key.generate_data_key(permit, &mut self.rng).unwrap();
        (*key.expose(), wrapped)
    }
}
