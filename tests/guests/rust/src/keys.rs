//! The contract: a key is an id of sixteen bytes, what is sealed is a length, and a signature is the message.

use crate::Guest;
use crate::behaviour::Behaviour;
use crate::bindings::exports::symbolon::keystore::provider::{
    Descriptor, Guest as Provider, GuestKey, Key, KeyBorrow, KeyInfo, KeySpec,
};
use crate::bindings::exports::symbolon::keystore::sealing::Guest as Sealing;
use crate::bindings::exports::symbolon::keystore::signing::Guest as Signing;
use crate::bindings::symbolon::host::entropy;
use crate::bindings::symbolon::types::errors::{Error, Kind};
use crate::bindings::symbolon::types::secrets::Secret;
use crate::bindings::symbolon::types::values::Attributes;
use crate::{handles, resources};

type Result<T> = core::result::Result<T, Error>;

/// Bytes of an id.
const ID: usize = 16;
/// What the build machine's randomness was.
const FROZEN: u64 = 0x9e37_79b9_7f4a_7c15;

pub struct HostileKey {
    id: Vec<u8>,
}

impl HostileKey {
    pub fn of(id: &[u8]) -> Self {
        Self { id: id.into() }
    }
}

impl Drop for HostileKey {
    fn drop(&mut self) {
        match Behaviour::now() {
            Behaviour::DropLoops => resources::spin(),
            Behaviour::DropPanics => panic!("a destructor that panics"),
            _ => {}
        }
    }
}

impl Provider for Guest {
    type Key = HostileKey;

    fn describe() -> Result<Descriptor> {
        Ok(Descriptor {
            name: "hostile".into(),
            version: "1.0.0".into(),
            algorithms: vec!["aes-256".into()],
            attributes: Vec::new(),
        })
    }

    fn check_config() -> Result<()> {
        Ok(())
    }

    fn health() -> Result<Attributes> {
        Ok(Vec::new())
    }

    fn generate(_spec: KeySpec, _binding: Vec<u8>) -> Result<Key> {
        let id = match Behaviour::now() {
            Behaviour::Frozen => [FROZEN.to_le_bytes(), FROZEN.rotate_left(31).to_le_bytes()].concat(),
            _ => entropy::fill(16),
        };
        Ok(Key::new(HostileKey { id }))
    }

    fn open(id: Vec<u8>, _binding: Vec<u8>) -> Result<Key> {
        if id.len() == ID { Ok(Key::new(HostileKey { id })) } else { Err(no_key()) }
    }
}

fn no_key() -> Error {
    Error {
        kind: Kind::Integrity,
        reason: "key.tampered".into(),
        message: "an id has sixteen bytes".into(),
        retry_after_ms: None,
        attributes: Vec::new(),
    }
}

impl GuestKey for HostileKey {
    fn info(&self) -> Result<KeyInfo> {
        Ok(KeyInfo {
            id: self.id.clone(),
            algorithm: "aes-256".into(),
            usages: vec!["seal".into()],
            public_key: None,
            attributes: Vec::new(),
        })
    }

    fn destroy(&self) -> Result<()> {
        Ok(())
    }
}

impl Sealing for Guest {
    fn seal(_key: KeyBorrow<'_>, plaintext: &Secret, _associated_data: Vec<u8>) -> Result<Vec<u8>> {
        let size = plaintext.size();
        match Behaviour::now() {
            Behaviour::Kept => handles::keep(plaintext),
            _ => handles::remember(plaintext),
        }
        Ok([&size.to_le_bytes()[..], &entropy::fill(16)].concat())
    }

    fn open_sealed(_key: KeyBorrow<'_>, sealed: Vec<u8>, _associated_data: Vec<u8>) -> Result<Secret> {
        let size = sealed.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
        Ok(entropy::fill_secret(size))
    }
}

impl Signing for Guest {
    fn sign_digest(_key: KeyBorrow<'_>, _algorithm: String, digest: Vec<u8>) -> Result<Vec<u8>> {
        Ok(Behaviour::now().sign(&digest))
    }

    fn sign_message(_key: KeyBorrow<'_>, _algorithm: String, message: Vec<u8>) -> Result<Vec<u8>> {
        Ok(Behaviour::now().sign(&message))
    }
}
