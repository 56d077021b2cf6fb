//! Wrapped keys of a key chain, one a level.

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use symbolon_keychain::{Purpose, Root, State, System, Tenant, TenantKey};

/// Of a tenant, of a system, and of data.
pub fn wrapped() -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let root = Root { account: super::account(), key: super::key(), state: State::Active };
    let tenant = Tenant { root, id: "acme".parse().expect("a tenant"), version: 1, state: State::Active };
    let id = "acme/ceph-eu".parse().expect("a system");
    let system = System::new(tenant, id, 2, State::Active).expect("a system of the tenant");
    let fresh = TenantKey::generate(system.tenant().permit().expect("active"), &mut rng);
    let (key, tenant) = fresh.sealed(b"what the root key made of it".to_vec());
    let made = key.generate_system_key(system.permit().expect("active"), &mut rng);
    let (key, of_system) = made.expect("below it");
    let permit = system.data_permit("vol-1".parse().expect("a volume"), Purpose::luks()).expect("active");
    let (_, data) = key.generate_data_key(permit, &mut rng).expect("below it");
    [tenant, of_system, data].iter().map(symbolon_keychain::Wrapped::to_bytes).collect()
}
