//! A member's secret share of one instance, as the ceremony hands it to the role that stores it.

use alloc::vec::Vec;
use core::fmt;
use symbolon_fragments::suite::{Scalar, Suite, decode_scalar};
use zeroize::Zeroizing;

/// A fragment: the encoding of a scalar. Wiped when dropped, never printed.
pub struct FragmentBytes(Zeroizing<Vec<u8>>);

impl FragmentBytes {
    /// The fragment with this encoding; whether it is one shows when it is checked against its certificate.
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The encoding, to be sealed and stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The scalar, for the caller to wipe.
    pub(super) fn scalar<S: Suite>(&self) -> Option<Scalar<S>> {
        decode_scalar::<S>(&self.0).ok()
    }
}

impl fmt::Debug for FragmentBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FragmentBytes(<redacted>)")
    }
}
