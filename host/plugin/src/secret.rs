//! Secret bytes that a guest holds by handle only.

use zeroize::Zeroizing;

/// What stands behind a `secret` handle. Wiped when dropped; the handle's end and the instance's end drop it.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over bytes.
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the host.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}
