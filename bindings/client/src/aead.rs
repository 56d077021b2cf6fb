//! AES-256-GCM of aws-lc: what native programs put into the envelope's seam, for its speed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use symbolon_envelope::{Aead256, NotAuthentic, TAG_LEN};

/// AES-256-GCM by aws-lc. The key's memory is wiped when it is dropped.
pub struct AwsLc(LessSafeKey);

impl Aead256 for AwsLc {
    fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key of AES-256")))
    }

    fn seal(&self, nonce: [u8; 12], text: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::empty(), text);
        let tag = tag.expect("a chunk is far below GCM's limit");
        tag.as_ref().try_into().expect("a tag has 16 bytes")
    }

    fn open(
        &self,
        nonce: [u8; 12],
        sealed: &[u8],
        tag: &[u8; TAG_LEN],
        text: &mut [u8],
    ) -> Result<(), NotAuthentic> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_separate_gather(nonce, Aad::empty(), sealed, tag, text).map_err(|_| NotAuthentic)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_conforms() {
        symbolon_envelope::conformance::check_aead::<super::AwsLc>();
    }
}
