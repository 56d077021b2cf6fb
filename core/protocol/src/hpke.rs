//! Sealing to one receiver: HPKE in base mode (RFC 9180) with X-Wing (0x647a), HKDF-SHA256, AES-256-GCM, one message, no aad.
//!
//! Ceremonies seal shares to one-time keys, jobs are sealed to drivers and their results to whoever asked. What `info` binds
//! a message to, and how long a key is kept, is theirs to say.

use alloc::vec::Vec;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::XWing,
    single_shot_open, single_shot_seal_with_rng,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 1216;
/// Bytes of an encapsulated key.
pub const ENCAPSULATED_BYTES: usize = 1120;
/// Bytes of a private key: the seed that it is made of.
pub const SEED_BYTES: usize = 32;

/// A receiver's key: its seed, wiped when dropped, and its public half.
pub struct ReceiverKey {
    seed: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl ReceiverKey {
    /// A new key.
    pub fn generate(mut rng: &mut dyn CryptoRng) -> Self {
        let (secret, public) = XWing::gen_keypair_with_rng(&mut rng);
        Self { seed: Zeroizing::new(secret.to_bytes().to_vec()), public: public.to_bytes().to_vec() }
    }

    /// The key that this seed stands for; `None` if it has another length.
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        let secret = <XWing as Kem>::PrivateKey::from_bytes(seed).ok()?;
        let public = <XWing as Kem>::sk_to_pk(&secret).to_bytes().to_vec();
        Some(Self { seed: Zeroizing::new(seed.to_vec()), public })
    }

    /// The seed, to be stored sealed.
    pub fn seed(&self) -> &[u8] {
        &self.seed
    }

    /// The public half.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Opens what was sealed to this key with the same info; `None` for anything else.
    pub fn open(&self, info: &[u8], encapsulated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let secret = <XWing as Kem>::PrivateKey::from_bytes(&self.seed).ok()?;
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &encapsulated,
            info,
            sealed,
            &[],
        )
        .ok()
        .map(Zeroizing::new)
    }
}

impl core::fmt::Debug for ReceiverKey {
    /// Shows nothing of it.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReceiverKey").finish_non_exhaustive()
    }
}

/// Seals to a public key: the encapsulated key and the ciphertext. `None` if the key is none.
pub fn seal(
    public: &[u8],
    info: &[u8],
    plaintext: &[u8],
    mut rng: &mut dyn CryptoRng,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let public = <XWing as Kem>::PublicKey::from_bytes(public).ok()?;
    let (encapsulated, sealed) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        &[],
        &mut rng,
    )
    .ok()?;
    Some((encapsulated.to_bytes().to_vec(), sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn only_the_receiver_opens_and_only_with_the_same_info() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (key, other) = (ReceiverKey::generate(&mut rng), ReceiverKey::generate(&mut rng));
        let (encapsulated, mut sealed) = seal(key.public(), b"info", b"secret", &mut rng).unwrap();
        assert_eq!(key.open(b"info", &encapsulated, &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open(b"inf0", &encapsulated, &sealed).is_none());
        assert!(other.open(b"info", &encapsulated, &sealed).is_none());
        sealed[0] ^= 1;
        assert!(key.open(b"info", &encapsulated, &sealed).is_none());
        assert!(seal(&[0; 5], b"", b"", &mut rng).is_none());
    }

    #[test]
    fn a_key_comes_back_from_its_seed() {
        let key = ReceiverKey::generate(&mut ChaCha20Rng::from_seed([2; 32]));
        let again = ReceiverKey::from_seed(key.seed()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(ReceiverKey::from_seed(&[0; 31]).is_none());
    }
}
