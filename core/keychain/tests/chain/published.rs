//! The published vectors of each wrapping: they open for ever, and today's code still makes them bit by bit.

use crate::{support, vectors};
use std::fs;
use symbolon_keychain::{TenantKey, Wrapped};

#[test]
fn the_vectors_are_what_is_made_today() {
    let stored: serde_json::Value = serde_json::from_slice(&fs::read(vectors::file()).unwrap()).unwrap();
    assert_eq!(stored, vectors::made());
}

#[test]
fn the_vectors_open() {
    let stored: vectors::Vectors = serde_json::from_slice(&fs::read(vectors::file()).unwrap()).unwrap();
    let bytes = |text: &str| hex::decode(text).unwrap();
    let wrapped = |text: &str| Wrapped::from_bytes(&bytes(text)).unwrap();
    let system = support::NAMES.system();
    let sealed =
        TenantKey::unwrap(system.tenant().permit().unwrap(), wrapped(&stored.tenant.wrapped)).unwrap();
    assert_eq!(hex::encode(sealed.context().canonical()), stored.tenant.context);
    let tenant_key = sealed.opened(&bytes(&stored.tenant.key)).unwrap();
    let system_key =
        tenant_key.unwrap_system_key(system.permit().unwrap(), wrapped(&stored.system.wrapped)).unwrap();
    let permit = system.data_permit(vectors::VOLUME.parse().unwrap(), vectors::PURPOSE.parse().unwrap());
    let key = system_key.unwrap_data_key(permit.unwrap(), wrapped(&stored.data.wrapped)).unwrap();
    assert_eq!(key.expose().as_slice(), bytes(&stored.data.key));
}
