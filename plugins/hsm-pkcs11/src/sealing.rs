//! Seals secrets of the host: AES-256-GCM in the token, with a nonce of the host's for each.
//!
//! What comes out is one byte of version, the nonce, ciphertext and tag. Nonces are random, so a key is good for 2^32
//! sealings (NIST SP 800-38D §8.3); a root key seals one secret a tenant.

use crate::Plugin;
use crate::bindings::exports::symbolon::keystore::provider::KeyBorrow;
use crate::bindings::exports::symbolon::keystore::sealing::Guest;
use crate::bindings::symbolon::host::entropy;
use crate::bindings::symbolon::types::secrets::Secret;
use crate::failure::{Error, Result, integrity, invalid};
use crate::key::HsmKey;
use crate::kind::Usage;
use crate::mechanism::gcm;
use crate::state;

const VERSION: u8 = 1;
/// Bytes.
const NONCE: usize = 12;

impl Guest for Plugin {
    fn seal(key: KeyBorrow<'_>, plaintext: &Secret, associated_data: Vec<u8>) -> Result<Vec<u8>> {
        let key = sealing(&key)?;
        state::with(|token| {
            let object = key.unwrapped(token)?;
            let nonce = entropy::fill(12);
            let sealed =
                token.session.encrypt_secret(&gcm(&nonce, &bound(&associated_data)), &object, plaintext)?;
            Ok([&[VERSION], &*nonce, &*sealed].concat())
        })
    }

    fn open_sealed(key: KeyBorrow<'_>, sealed: Vec<u8>, associated_data: Vec<u8>) -> Result<Secret> {
        let key = sealing(&key)?;
        let (nonce, ciphertext) = parts(&sealed)?;
        state::with(|token| {
            let object = key.unwrapped(token)?;
            let how = gcm(nonce, &bound(&associated_data));
            token.session.decrypt_secret(&how, &object, ciphertext).map_err(as_tampered)
        })
    }
}

fn sealing<'a>(key: &'a KeyBorrow<'_>) -> Result<&'a HsmKey> {
    let key = key.get::<HsmKey>();
    if key.kind.usage == Usage::Seal {
        Ok(key)
    } else {
        Err(invalid("key.usages", "the key is not for sealing"))
    }
}

fn parts(sealed: &[u8]) -> Result<(&[u8], &[u8])> {
    match sealed.split_first() {
        Some((&VERSION, rest)) if rest.len() > NONCE => Ok(rest.split_at(NONCE)),
        _ => Err(integrity("sealed.tampered", "this was not sealed here")),
    }
}

/// The version is authenticated too.
fn bound(associated_data: &[u8]) -> Vec<u8> {
    [&[VERSION], associated_data].concat()
}

/// Each module has its own word for a tag that doesn't fit, and some call it a device's error.
fn as_tampered(error: Error) -> Error {
    if state::is_end_of_session(&error) {
        return error;
    }
    integrity("sealed.tampered", format!("it does not open: {}", error.message))
}
