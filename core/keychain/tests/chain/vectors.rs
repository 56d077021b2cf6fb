//! The vectors of `tests/vectors/symbolon-v1-keychain.json`: one chain with every input and every output.

use crate::support::{Chain, NAMES};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use symbolon_keychain::TenantKey;

pub const VOLUME: &str = "vol-1";
pub const PURPOSE: &str = "luks";
const SEED: u8 = 7;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    pub about: String,
    pub account: String,
    pub root: String,
    pub tenant: TenantVector,
    pub system: Vector,
    pub data: Vector,
}

/// The tenant's key. What the root key sealed is played by the four bytes `73656c64`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantVector {
    pub name: String,
    pub version: u64,
    pub key: String,
    /// Canonical encoding of the context that the root key seals with.
    pub context: String,
    pub wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub name: String,
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The key, and what it is wrapped to under the key above.
    pub key: String,
    pub wrapped: String,
}

pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/symbolon-v1-keychain.json")
}

/// The vectors as today's code makes them. A key that the API doesn't show is read from the generator: each is the next
/// 32 bytes of its stream.
pub fn made() -> serde_json::Value {
    let mut chain = Chain::new(&NAMES, SEED);
    let mut rng = ChaCha20Rng::from_seed([SEED; 32]);
    let fresh = TenantKey::generate(NAMES.tenant().permit().unwrap(), &mut rng);
    let (tenant_key, context) = (hex::encode(fresh.secret()), hex::encode(fresh.context().canonical()));
    let (_, wrapped_tenant) = fresh.sealed(b"seld".to_vec());
    let system_key = hex::encode(next(&mut rng));
    let (data_key, wrapped_data) = chain.data_key(VOLUME, PURPOSE);
    let vectors = Vectors {
        about: "One key chain (specification, section 9). Byte strings are hexadecimal.".into(),
        account: hex::encode(NAMES.account.as_bytes()),
        root: NAMES.root.into(),
        tenant: TenantVector {
            name: NAMES.tenant.into(),
            version: NAMES.tenant_version,
            key: tenant_key,
            context,
            wrapped: hex::encode(wrapped_tenant.to_bytes()),
        },
        system: Vector {
            name: NAMES.system.into(),
            version: NAMES.version,
            volume: None,
            purpose: None,
            key: system_key,
            wrapped: hex::encode(chain.wrapped_system.to_bytes()),
        },
        data: Vector {
            name: NAMES.system.into(),
            version: NAMES.version,
            volume: Some(VOLUME.into()),
            purpose: Some(PURPOSE.into()),
            key: hex::encode(data_key),
            wrapped: hex::encode(wrapped_data.to_bytes()),
        },
    };
    serde_json::to_value(vectors).unwrap()
}

fn next(rng: &mut ChaCha20Rng) -> [u8; 32] {
    use rand_chacha::rand_core::Rng;
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}
