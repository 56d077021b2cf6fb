//! Signatures and MACs. ECDSA's are `r || s`, each as long as the order (IEEE P1363), as the standard gives them.

use sha2::{Digest, Sha256, Sha384};

use crate::Plugin;
use crate::bindings::exports::symbolon::keystore::provider::KeyBorrow;
use crate::bindings::exports::symbolon::keystore::signing::Guest;
use crate::bindings::symbolon::host::pkcs11::Mechanism;
use crate::failure::{Result, invalid, unsupported};
use crate::key::HsmKey;
use crate::kind::{Kind, Usage};
use crate::mechanism::{ECDSA, EDDSA, SHA256_HMAC, plain, pss};
use crate::state;

/// Lengths of digests, bytes.
const SHA256_LENGTH: usize = 32;
const SHA384_LENGTH: usize = 48;

impl Guest for Plugin {
    fn sign_digest(key: KeyBorrow<'_>, algorithm: String, digest: Vec<u8>) -> Result<Vec<u8>> {
        let key = signing(&key, &algorithm)?;
        let (how, length) = of_digest(key.kind)?;
        if digest.len() != length {
            return Err(invalid(
                "digest.length",
                format!("{algorithm} signs {length} bytes, not {}", digest.len()),
            ));
        }
        sign(key, &how, &digest)
    }

    fn sign_message(key: KeyBorrow<'_>, algorithm: String, message: Vec<u8>) -> Result<Vec<u8>> {
        let key = signing(&key, &algorithm)?;
        let (how, data) = prepare(key.kind, &message)?;
        sign(key, &how, &data)
    }
}

fn signing<'a>(key: &'a KeyBorrow<'_>, algorithm: &str) -> Result<&'a HsmKey> {
    let key = key.get::<HsmKey>();
    if key.kind.usage != Usage::Sign {
        return Err(invalid("key.usages", "the key is not for signing"));
    }
    match key.kind.signature {
        Some(name) if name == algorithm => Ok(key),
        _ => Err(unsupported(
            "algorithm.unknown",
            format!("{} does not make {algorithm:?}", key.kind.algorithm),
        )),
    }
}

fn sign(key: &HsmKey, how: &Mechanism, data: &[u8]) -> Result<Vec<u8>> {
    state::with(|token| token.session.sign(how, &*key.unwrapped(token)?, data))
}

/// How the token signs a message, and what it is given: the message, or its digest.
pub fn prepare(kind: &Kind, message: &[u8]) -> Result<(Mechanism, Vec<u8>)> {
    match kind.signature {
        Some("ed25519") => Ok((plain(EDDSA), message.into())),
        Some("hmac-sha256") => Ok((plain(SHA256_HMAC), message.into())),
        _ => match of_digest(kind)? {
            (how, SHA384_LENGTH) => Ok((how, Sha384::digest(message).to_vec())),
            (how, _) => Ok((how, Sha256::digest(message).to_vec())),
        },
    }
}

fn of_digest(kind: &Kind) -> Result<(Mechanism, usize)> {
    match kind.signature {
        Some("ecdsa-p256-sha256" | "ecdsa-secp256k1-sha256") => Ok((plain(ECDSA), SHA256_LENGTH)),
        Some("ecdsa-p384-sha384") => Ok((plain(ECDSA), SHA384_LENGTH)),
        Some("rsa-pss-sha256") => Ok((pss(), SHA256_LENGTH)),
        _ => Err(unsupported("algorithm.unknown", format!("{} signs whole messages", kind.algorithm))),
    }
}
