//! Wraps a key under another, inside the token. What comes out is a wrapped key as all are, but under that other key, with
//! the caller's associated data for a binding.

use crate::Plugin;
use crate::bindings::exports::symbolon::keystore::provider::{Key, KeyBorrow, KeySpec};
use crate::bindings::exports::symbolon::keystore::wrapping::Guest;
use crate::failure::{Result, integrity, invalid};
use crate::key::HsmKey;
use crate::kind::{Kind, Usage};
use crate::mechanism::{SHA256_HMAC, plain};
use crate::state;
use crate::wrapped::{self, Content};

impl Guest for Plugin {
    fn wrap(wrapping: KeyBorrow<'_>, key: KeyBorrow<'_>, associated_data: Vec<u8>) -> Result<Vec<u8>> {
        let (wrapping, key) = (wrapping_key(&wrapping)?, key.get::<HsmKey>());
        state::with(|token| {
            let mechanism = token.mechanism_for(key.kind)?;
            let (outer, inner) = (wrapping.unwrapped(token)?, key.unwrapped_to_wrap(token)?);
            let wrapped = token.session.wrap(&plain(mechanism), &outer, &inner)?;
            inner.destroy()?;
            let masters = token.masters()?;
            let public_key = key.public_key().to_vec();
            let content =
                Content::new(key.kind, token.module(), masters.mark(), mechanism, public_key, wrapped);
            let authenticated = content.authenticated(&under(wrapping, &associated_data));
            let mac = token.session.sign(&plain(SHA256_HMAC), &masters.mac, &authenticated)?;
            Ok(content.with_mac(mac).0)
        })
    }

    fn unwrap(
        wrapping: KeyBorrow<'_>,
        wrapped: Vec<u8>,
        associated_data: Vec<u8>,
        spec: KeySpec,
        binding: Vec<u8>,
    ) -> Result<Key> {
        let wrapping = wrapping_key(&wrapping)?;
        let kind = Kind::find(&spec.algorithm, &spec.usages)?;
        state::with(|token| {
            let (content, mac) = wrapped::decode(&wrapped)?;
            let authenticated = content.authenticated(&under(wrapping, &associated_data));
            token
                .session
                .verify(&plain(SHA256_HMAC), &token.masters()?.mac, &authenticated, &mac)
                .map_err(|error| if state::is_end_of_session(&error) { error } else { tampered() })?;
            if content.kind()? != kind {
                return Err(invalid("key.usages", "the wrapped key is of another kind"));
            }
            let outer = wrapping.unwrapped(token)?;
            let key = token.unwrap(kind, content.mechanism, &outer, &content.wrapped, true)?;
            HsmKey::keep(token, kind, &key, content.public_key, binding).map(Key::new)
        })
    }
}

fn wrapping_key<'a>(key: &'a KeyBorrow<'_>) -> Result<&'a HsmKey> {
    let key = key.get::<HsmKey>();
    if key.kind.usage == Usage::Wrap {
        Ok(key)
    } else {
        Err(invalid("key.usages", "the key is not for wrapping"))
    }
}

/// The binding of a key that is wrapped under another: that other key, and the caller's data.
fn under(wrapping: &HsmKey, associated_data: &[u8]) -> Vec<u8> {
    let mut under = b"under".to_vec();
    under.extend_from_slice(&(wrapping.id().len() as u64).to_be_bytes());
    under.extend_from_slice(wrapping.id());
    under.extend_from_slice(associated_data);
    under
}

fn tampered() -> crate::failure::Error {
    integrity("key.tampered", "its MAC is not that of this key, wrapping key and associated data")
}
