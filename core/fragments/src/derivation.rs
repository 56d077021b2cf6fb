//! From an output to a key of one use and the commitment that binds a ciphertext to it.

use crate::{
    combination::Output,
    customer::{CustomerContribution, CustomerFragmentId},
};
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use symbolon_encoding::Tuple;
use zeroize::Zeroizing;

/// Bytes in a commitment.
pub const COMMITMENT_BYTES: usize = 32;

const SALT: &[u8] = b"symbolon/v1/kdf";

/// What a key is bound to besides its input and the customer fragment.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    /// The header of the ciphertext, all of it but the commitment.
    pub header: &'a [u8],
    /// The context pairs in their canonical encoding; it is hashed here.
    pub context: &'a [u8],
}

/// A key that is used once, for one message. Wiped when dropped.
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// The key, for the cipher.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The public value that commits a ciphertext to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Commitment(#[cbor(n(0), with = "minicbor::bytes")] [u8; COMMITMENT_BYTES]);

impl Commitment {
    /// The commitment that is these bytes.
    pub const fn new(bytes: [u8; COMMITMENT_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; COMMITMENT_BYTES] {
        &self.0
    }
}

/// The derived key is not the one that the ciphertext was made with: another key, input, header, context or customer
/// fragment, or a wrong evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the commitment does not belong to the derived key")]
pub struct CommitmentMismatch;

/// A key and its commitment, not yet told apart.
pub struct Derived {
    key: Key,
    commitment: Commitment,
}

impl Derived {
    /// For encryption: the key, and the commitment that goes into the header.
    pub fn into_parts(self) -> (Key, Commitment) {
        (self.key, self.commitment)
    }

    /// For decryption: the key, if the header's commitment belongs to it.
    pub fn open(self, expected: &Commitment) -> Result<Key, CommitmentMismatch> {
        let same: bool = self.commitment.0.ct_eq(&expected.0).into();
        same.then_some(self.key).ok_or(CommitmentMismatch)
    }
}

impl Output {
    /// `PRK = HKDF-Extract("symbolon/v1/kdf", T("ikm", encode(Z), c))`,
    /// `key ‖ commitment = HKDF-Expand(PRK, T("okm", I, cf id, header, H(context)), 64)`; `c` and the id are empty
    /// where the key has no customer fragment.
    #[expect(clippy::missing_panics_doc, reason = "64 bytes are within HKDF's limit")]
    pub fn derive(&self, customer: Option<&CustomerContribution>, binding: Binding<'_>) -> Derived {
        let c = customer.map_or(&[][..], |c| c.value());
        let ikm = Zeroizing::new(Tuple::new("ikm").bytes(&self.z).bytes(c).encode());
        let info = self.info(customer.map(CustomerContribution::id), binding);
        let mut okm = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(Some(SALT), &ikm).expand(&info, &mut *okm).expect("HKDF gives 64 bytes");
        Derived::split(&okm)
    }

    fn info(&self, customer: Option<&CustomerFragmentId>, binding: Binding<'_>) -> alloc::vec::Vec<u8> {
        Tuple::new("okm")
            .bytes(self.input.as_bytes())
            .bytes(customer.map_or(&[][..], |id| id.as_bytes()))
            .bytes(binding.header)
            .bytes(&Sha256::digest(binding.context))
            .encode()
    }
}

impl Derived {
    fn split(okm: &[u8; 64]) -> Self {
        let (mut key, mut commitment) = (Zeroizing::new([0; 32]), [0; 32]);
        key.copy_from_slice(&okm[..32]);
        commitment.copy_from_slice(&okm[32..]);
        Self { key: Key(key), commitment: Commitment(commitment) }
    }
}
