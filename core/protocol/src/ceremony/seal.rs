//! Sealing shares to one receiver of one ceremony: HPKE in base mode (RFC 9180) with X-Wing, HKDF-SHA256, AES-256-GCM.
//!
//! The key is made for one attempt, lives in memory only, and is gone before the member signs: a kept one would open
//! the whole log.

use alloc::vec::Vec;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::XWing,
    single_shot_open, single_shot_seal_with_rng,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a one-time public key.
pub const PUBLIC_KEY_BYTES: usize = 1216;
/// Bytes of an encapsulated key.
pub const ENCAPSULATED_BYTES: usize = 1120;

/// A one-time key: its seed, wiped when dropped, and its public half.
pub(super) struct OneTimeKey {
    seed: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl OneTimeKey {
    pub(super) fn generate(mut rng: &mut dyn CryptoRng) -> Self {
        let (secret, public) = XWing::gen_keypair_with_rng(&mut rng);
        Self { seed: Zeroizing::new(secret.to_bytes().to_vec()), public: public.to_bytes().to_vec() }
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Opens what was sealed to this key with the same info; `None` for anything else.
    pub(super) fn open(&self, info: &[u8], encapsulated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
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

/// Seals to a one-time key: the encapsulated key and the ciphertext. `None` if the key is none.
pub(super) fn seal(
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
