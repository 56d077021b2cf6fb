//! A key that was made inside an HSM, wrapped under its master key: what a driver certifies (specification §2.13).
//!
//! The wrapped bytes are the provider's own: they carry module, mechanism and a MAC under a key of the HSM, which binds them
//! to account, key and version. A driver's signature is for clients: that this is the key that they use, in that store.

use crate::{
    key_store::{KeyStore, StoreLabel},
    root::{TrustedRoot, UnknownMember},
    signed::{Document, SignatureError, Signed, hash},
    time::Seconds,
};
use alloc::vec::Vec;
use core::{fmt, str::FromStr};
use minicbor::{Decode, Encode};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index, KeyId};

/// Most bytes of a wrapped key: an RSA key of 4096 bits takes 2.5 KiB.
pub const MAX_WRAPPED_BYTES: usize = 8 * 1024;

/// What kind of key it is, and thereby what it does: a symmetric one seals and opens, a private one signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum KeyAlgorithm {
    /// AES-256, for sealing.
    #[n(1)]
    Aes256,
    /// ECDSA over P-256 with SHA-256.
    #[n(2)]
    EcdsaP256,
    /// ECDSA over P-384 with SHA-384.
    #[n(3)]
    EcdsaP384,
    /// ECDSA over secp256k1 with SHA-256.
    #[n(4)]
    EcdsaSecp256k1,
    /// Ed25519 (RFC 8032).
    #[n(5)]
    Ed25519,
    /// RSA-PSS with 2048 bits and SHA-256 (RFC 8017 §8.1).
    #[n(6)]
    Rsa2048,
}

/// Text that names no algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an algorithm is aes-256, ecdsa-p256, ecdsa-p384, ecdsa-secp256k1, ed25519 or rsa-2048")]
pub struct WrongKeyAlgorithm;

impl KeyAlgorithm {
    /// All algorithms, ascending by number.
    pub const ALL: [Self; 6] =
        [Self::Aes256, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaSecp256k1, Self::Ed25519, Self::Rsa2048];

    /// Its name in commands, JSON and plugins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "aes-256",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaSecp256k1 => "ecdsa-secp256k1",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa-2048",
        }
    }

    /// Its number in every encoding.
    pub const fn number(self) -> u8 {
        match self {
            Self::Aes256 => 1,
            Self::EcdsaP256 => 2,
            Self::EcdsaP384 => 3,
            Self::EcdsaSecp256k1 => 4,
            Self::Ed25519 => 5,
            Self::Rsa2048 => 6,
        }
    }

    /// The algorithm with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.number() == number)
    }

    /// Whether such a key signs; one that doesn't seals.
    pub const fn signs(self) -> bool {
        !matches!(self, Self::Aes256)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = WrongKeyAlgorithm;

    fn from_str(text: &str) -> Result<Self, WrongKeyAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == text).ok_or(WrongKeyAlgorithm)
    }
}

/// A key version in an HSM's store.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WrappedKey {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The key.
    #[n(1)]
    pub key: KeyId,
    /// Its version.
    #[n(2)]
    pub version: u64,
    /// Where it was made.
    #[n(3)]
    pub store: StoreLabel,
    /// What kind of key it is.
    #[n(4)]
    pub algorithm: KeyAlgorithm,
    /// The key itself, wrapped by the provider; only the store's HSMs open it.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// The public half as `SubjectPublicKeyInfo` in DER; none for a symmetric key.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub public_key: Option<Vec<u8>>,
    /// The job that asked for it.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub request: [u8; 32],
    /// The driver that had it made.
    #[n(8)]
    pub driver: Index,
    /// When.
    #[n(9)]
    pub created: Seconds,
}

impl Document for WrappedKey {
    const LABEL: &'static str = "wrapped-key";
}

/// What a provider binds a wrapped key to, `T("wrapped-key-of", account, key, version)`: no other key's bytes open in its place.
pub fn wrapped_key_binding(account: &AccountId, key: &KeyId, version: u64) -> Vec<u8> {
    Tuple::new("wrapped-key-of").value(account).value(key).uint(version).encode()
}

impl WrappedKey {
    /// What the provider bound it to.
    pub fn binding(&self) -> Vec<u8> {
        wrapped_key_binding(&self.account, &self.key, self.version)
    }

    fn check_form(&self) -> Result<(), WrappedKeyError> {
        let sized = (1..=MAX_WRAPPED_BYTES).contains(&self.wrapped.len());
        let halves = self.algorithm.signs() == self.public_key.is_some();
        if sized && halves && self.version > 0 { Ok(()) } else { Err(WrappedKeyError::Form) }
    }
}

/// A wrapped key that a driver of its store signed.
///
/// ```compile_fail,E0423
/// # fn forge(signed: symbolon_trust::Signed<symbolon_trust::WrappedKey>) {
/// let verified = symbolon_trust::VerifiedWrappedKey(signed);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWrappedKey(Signed<WrappedKey>);

/// Why a wrapped key is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrappedKeyError {
    /// It is about another account.
    #[error("the wrapped key is another account's")]
    Account,
    /// Empty or too long, version 0, or a public half where there can't be one.
    #[error("the wrapped key contradicts itself")]
    Form,
    /// The root document knows no such store.
    #[error("the account has no key store `{0}`")]
    Store(StoreLabel),
    /// The driver is not one of the store's.
    #[error("member {0} is not a driver of the key's store")]
    Driver(Index),
    /// The roster has no such entry.
    #[error(transparent)]
    Unknown(#[from] UnknownMember),
    /// The driver didn't sign it.
    #[error("the wrapped key is not signed by the driver that it names")]
    Signature(#[from] SignatureError),
}

impl VerifiedWrappedKey {
    /// Checks account, form, store, and the signature of a driver of that store. One that has retired since made keys that
    /// stay.
    pub fn verify(signed: Signed<WrappedKey>, root: &TrustedRoot) -> Result<Self, WrappedKeyError> {
        let body = signed.body();
        if body.account != root.account() {
            return Err(WrappedKeyError::Account);
        }
        body.check_form()?;
        let store = root.document().key_store(&body.store);
        let store = store.ok_or_else(|| WrappedKeyError::Store(body.store.clone()))?;
        store.driver(body.driver).ok_or(WrappedKeyError::Driver(body.driver))?;
        signed.check([&root.member(body.driver)?.key], 1)?;
        Ok(Self(signed))
    }

    /// The wrapped key.
    pub const fn key(&self) -> &WrappedKey {
        self.0.body()
    }

    /// The wrapped key with its signature.
    pub const fn signed(&self) -> &Signed<WrappedKey> {
        &self.0
    }

    /// The hash by which requests and sealed secrets name it.
    pub fn hash(&self) -> [u8; 32] {
        hash(self.key())
    }

    /// The store that it is in.
    pub fn store<'r>(&self, root: &'r TrustedRoot) -> Option<&'r KeyStore> {
        root.document().key_store(&self.key().store)
    }
}
