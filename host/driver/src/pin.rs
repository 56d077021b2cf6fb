//! The PIN that a token refused is not tried again, not even by the next process: three wrong ones lock a token for good.
//!
//! The driver never sees a PIN as such; it tells whether the files that hold them are those that were refused.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// A name for what the PIN files hold, of no use without the driver's own key: a PIN is short, and a bare hash would give it
/// away.
pub(crate) fn name(key: &[u8], files: &[PathBuf]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(b"symbolon/v1/refused-pin");
    for file in files {
        // A file that can't be read is told of when the token asks for the PIN.
        let content = Zeroizing::new(std::fs::read(file).unwrap_or_default());
        mac.update(&(content.len() as u64).to_be_bytes());
        mac.update(&content);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_pin_has_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        let files = [file.clone()];
        std::fs::write(&file, "1234").unwrap();
        let first = name(b"key", &files);
        assert_eq!(name(b"key", &files), first);
        assert_ne!(name(b"other", &files), first);
        std::fs::write(&file, "1235").unwrap();
        assert_ne!(name(b"key", &files), first);
    }
}
