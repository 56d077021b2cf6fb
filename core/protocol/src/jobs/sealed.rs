//! A secret that an HSM sealed, as it is stored (specification §10.5).

use alloc::{string::String, vec::Vec};
use minicbor::{Decode, Encode};
use symbolon_encoding::{Tuple, from_canonical, to_canonical};
use symbolon_fragments::names::{AccountId, KeyId};

/// What the first field of every such blob says.
const LABEL: &str = "symbolon/v1/hsm-sealed";

/// A sealed secret, with what it takes to find the key again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SealedSecret {
    #[n(0)]
    label: String,
    /// The account.
    #[n(1)]
    pub account: AccountId,
    /// The key.
    #[n(2)]
    pub key: KeyId,
    /// Its version.
    #[n(3)]
    pub version: u64,
    /// The hash of the wrapped key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub wrapped: [u8; 32],
    /// What the provider sealed.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Bytes that are no sealed secret of an HSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a secret that an HSM sealed")]
pub struct NotSealed;

impl SealedSecret {
    /// What was sealed under a key version.
    pub fn new(account: AccountId, key: KeyId, version: u64, wrapped: [u8; 32], sealed: Vec<u8>) -> Self {
        Self { label: LABEL.into(), account, key, version, wrapped, sealed }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_canonical(self)
    }

    /// Reads one; anything but its canonical encoding is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotSealed> {
        from_canonical(bytes).ok().filter(|sealed: &Self| sealed.label == LABEL).ok_or(NotSealed)
    }
}

/// What an HSM authenticates beside a secret: which key it was sealed under, and in which context. The driver makes it, from a
/// request that it has checked.
pub fn associated_data(account: &AccountId, key: &KeyId, version: u64, context: &[u8; 32]) -> Vec<u8> {
    Tuple::new("hsm-sealed-for").value(account).value(key).uint(version).bytes(context).encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_has_one_encoding() {
        let key: KeyId = "acme".parse().unwrap();
        let sealed = SealedSecret::new(AccountId::new([1; 32]), key, 2, [3; 32], alloc::vec![4, 5]);
        let bytes = sealed.to_bytes();
        assert_eq!(SealedSecret::from_bytes(&bytes), Ok(sealed));
        let mut other = bytes.clone();
        other[3] = b'X'; // within the label
        assert_eq!(SealedSecret::from_bytes(&other), Err(NotSealed));
        assert_eq!(SealedSecret::from_bytes(&bytes[..bytes.len() - 1]), Err(NotSealed));
        assert_eq!(SealedSecret::from_bytes(b"SYMBOLON"), Err(NotSealed));
    }
}
