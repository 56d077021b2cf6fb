//! Handles: too many, and such as the guest doesn't have.

use std::cell::Cell;

use crate::bindings::exports::symbolon::keystore::provider::Key;
use crate::bindings::symbolon::host::entropy;
use crate::bindings::symbolon::host::pkcs11::{self, Mechanism};
use crate::bindings::symbolon::types::secrets::Secret;
use crate::keys::HostileKey;

thread_local! {
    /// The number of a handle that was lent in an earlier call.
    static LENT: Cell<Option<u32>> = const { Cell::new(None) };
}

pub fn secrets() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(entropy::fill_secret(16));
    }
}

pub fn keys() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(Key::new(HostileKey::of(&[1; 16])));
    }
}

pub fn objects() -> ! {
    let session = pkcs11::open("main").expect("a session");
    let mut held = Vec::new();
    loop {
        held.push(session.generate_key(&GENERATE, &template()).expect("a key of the session"));
    }
}

/// `CKM_GENERIC_SECRET_KEY_GEN`.
const GENERATE: Mechanism = Mechanism { id: 0x350, parameters: Vec::new() };

/// A key of the session for MACs: class, type, length, and what it may be used for.
fn template() -> pkcs11::Template {
    let number = |id, value: u64| (id, value.to_le_bytes().to_vec());
    let flag = |id, set: bool| (id, vec![u8::from(set)]);
    let mut template = vec![number(0x000, 4), number(0x100, 0x10), number(0x161, 32)];
    template.extend([0x103, 0x108].map(|id| flag(id, true)));
    template.extend([0x001, 0x162, 0x104, 0x105, 0x106, 0x107].map(|id| flag(id, false)));
    template
}

pub fn forged() -> Vec<u8> {
    use_as_secret(1234)
}

pub fn foreign() -> Vec<u8> {
    use_as_secret(Key::new(HostileKey::of(&[1; 16])).take_handle())
}

pub fn dropped() -> Vec<u8> {
    let secret = entropy::fill_secret(16);
    let handle = secret.handle();
    drop(secret);
    use_as_secret(handle)
}

/// For [`use_lent`]: the loan ends with the call.
pub fn remember(lent: &Secret) {
    LENT.set(Some(lent.handle()));
}

pub fn use_lent() -> Vec<u8> {
    LENT.get().map_or_else(Vec::new, use_as_secret)
}

/// Takes the handle out of the bindings' hands, which would give it back.
pub fn keep(lent: &Secret) {
    lent.take_handle();
}

fn use_as_secret(handle: u32) -> Vec<u8> {
    // SAFETY: none is claimed. Whether the handle is the guest's is the host's to know, which is what is tested.
    let secret = unsafe { Secret::from_handle(handle) };
    secret.size().to_le_bytes().to_vec()
}
