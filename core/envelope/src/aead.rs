//! AES-256-GCM behind a seam: this crate fills it with pure code, a native program with its platform's.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};

/// Length of an authentication tag, bytes.
pub const TAG_LEN: usize = 16;

/// A chunk whose tag doesn't fit its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not authentic")]
pub struct NotAuthentic;

/// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces, 128-bit tags and no associated data.
///
/// Every implementation passes `check_aead` of this crate's vectors.
pub trait Aead256: Send + Sync + 'static {
    /// Expands a key.
    fn new(key: &[u8; 32]) -> Self;

    /// Encrypts `text` in place and returns its tag. A nonce must never be used twice under one key.
    fn seal(&self, nonce: [u8; 12], text: &mut [u8]) -> [u8; TAG_LEN];

    /// Checks the tag and decrypts `sealed` into `text`, which is as long. On an error `text` holds nothing that
    /// may be used; the caller wipes it.
    fn open(
        &self,
        nonce: [u8; 12],
        sealed: &[u8],
        tag: &[u8; TAG_LEN],
        text: &mut [u8],
    ) -> Result<(), NotAuthentic>;
}

/// The implementation of `RustCrypto`: pure, portable, constant-time.
pub struct Aes256GcmCore(Aes256Gcm);

impl Aead256 for Aes256GcmCore {
    fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    fn seal(&self, nonce: [u8; 12], text: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self.0.encrypt_inout_detached(&Nonce::from(nonce), &[], text.into());
        tag.expect("a chunk is far below GCM's limit").into()
    }

    fn open(
        &self,
        nonce: [u8; 12],
        sealed: &[u8],
        tag: &[u8; TAG_LEN],
        text: &mut [u8],
    ) -> Result<(), NotAuthentic> {
        let buffer = InOutBuf::new(sealed, text).map_err(|_| NotAuthentic)?;
        self.0.decrypt_inout_detached(&Nonce::from(nonce), &[], buffer, tag.into()).map_err(|_| NotAuthentic)
    }
}
