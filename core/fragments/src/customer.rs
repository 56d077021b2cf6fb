//! The customer fragment: a symmetric secret that never leaves the customer's side. Its contribution goes into the
//! derivation beside the output of the fragment managers, so that all of them together still lack it.
//!
//! A fragment may also be kept where it is never read, in a token or a phone's key store: all that a derivation takes
//! of it is the HMAC of one message.

use crate::input::Input;
use alloc::vec::Vec;
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::Sha256;
use symbolon_encoding::Tuple;
use zeroize::Zeroizing;

/// Names a customer fragment: 16 random bytes, in the header of everything that was encrypted with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CustomerFragmentId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl CustomerFragmentId {
    /// The id that is these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// `T("cf", id, I)`: what a fragment's HMAC is taken over.
    pub fn message(&self, input: &Input) -> Vec<u8> {
        Tuple::new("cf").bytes(&self.0).bytes(input.as_bytes()).encode()
    }
}

impl fmt::Display for CustomerFragmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CustomerFragmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `c`: what a customer fragment contributes to one derivation.
pub struct CustomerContribution {
    id: CustomerFragmentId,
    value: Zeroizing<[u8; 32]>,
}

impl CustomerContribution {
    /// The contribution that whoever keeps the fragment computed: `HMAC-SHA256(fragment, id.message(input))`.
    pub fn new(id: CustomerFragmentId, value: Zeroizing<[u8; 32]>) -> Self {
        Self { id, value }
    }

    /// The fragment's id.
    pub fn id(&self) -> &CustomerFragmentId {
        &self.id
    }

    pub(crate) fn value(&self) -> &[u8; 32] {
        &self.value
    }
}

/// A customer fragment in memory: 256 bits and their id.
pub struct CustomerFragment {
    id: CustomerFragmentId,
    secret: Zeroizing<[u8; 32]>,
}

impl CustomerFragment {
    /// Makes a fragment, on the customer's side.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let (mut id, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
        rng.fill_bytes(&mut id);
        rng.fill_bytes(&mut *secret);
        Self { id: CustomerFragmentId(id), secret }
    }

    /// The fragment that was kept elsewhere.
    pub fn new(id: CustomerFragmentId, secret: Zeroizing<[u8; 32]>) -> Self {
        Self { id, secret }
    }

    /// The fragment's id.
    pub fn id(&self) -> CustomerFragmentId {
        self.id
    }

    /// The secret, to be sealed for keeping and for backup.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// `c = HMAC-SHA256(fragment, T("cf", id, I))`.
    pub fn evaluate(&self, input: &Input) -> CustomerContribution {
        CustomerContribution { id: self.id, value: self.mac(&self.id.message(input)) }
    }

    /// HMAC-SHA256 of a message that [`CustomerFragmentId::message`] made.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    pub fn mac(&self, message: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret[..]).expect("HMAC takes any length");
        mac.update(message);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}
