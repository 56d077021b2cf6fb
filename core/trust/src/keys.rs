//! Ed25519 keys: identities of roles and holders, signers of documents (specification §1).
//!
//! Verification is strict (RFC 8032 §5.1.7 with canonical `S`, no small-order point), so that a signature is valid
//! for everybody or for nobody. The key file and its passphrase are not here.

use alloc::vec::Vec;
use bech32::{Bech32m, Hrp, primitives::decode::CheckedHrpstring};
use core::{fmt, str::FromStr};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use symbolon_fragments::names::Thumbprint;
use zeroize::Zeroizing;

/// DER of a `SubjectPublicKeyInfo` up to the 32 bytes of an Ed25519 key (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// DER of a `OneAsymmetricKey` without attributes up to the 32 bytes of an Ed25519 seed (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The prefix of a public key's bech32m form.
const TEXT_PREFIX: &str = "sympub";

/// An Ed25519 public key: a point of the curve in its only encoding, not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// Bytes or text that are no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongPublicKey {
    /// Not bech32m: a wrong character or a wrong check sum.
    #[error("not a public key in bech32m; was it copied whole?")]
    Malformed,
    /// Another kind of name.
    #[error("not a public key: one starts with {TEXT_PREFIX}1")]
    Prefix,
    /// Not 32 bytes.
    #[error("a public key has 32 bytes")]
    Length,
    /// Not the encoding of a usable point.
    #[error("no Ed25519 key has these bytes")]
    Point,
}

impl PublicKey {
    /// The key with this encoding (RFC 8032 §5.1.2), unless it is no point, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WrongPublicKey> {
        let point = VerifyingKey::from_bytes(bytes).map_err(|_| WrongPublicKey::Point)?;
        let canonical = point.to_edwards().compress().to_bytes() == *bytes;
        if point.is_weak() || !canonical {
            return Err(WrongPublicKey::Point);
        }
        Ok(Self(*bytes))
    }

    /// The key inside a `SubjectPublicKeyInfo` in DER (RFC 8410 §4), as an X.509 certificate carries it.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, WrongPublicKey> {
        let bytes = der.strip_prefix(&SPKI_PREFIX).ok_or(WrongPublicKey::Malformed)?;
        Self::from_bytes(bytes.try_into().map_err(|_| WrongPublicKey::Length)?)
    }

    /// The key's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as `SubjectPublicKeyInfo` in DER (RFC 8410 §4).
    pub fn spki_der(&self) -> [u8; 44] {
        let mut der = [0; 44];
        der[..12].copy_from_slice(&SPKI_PREFIX);
        der[12..].copy_from_slice(&self.0);
        der
    }

    /// The key's thumbprint: SHA-256 of its `SubjectPublicKeyInfo`, as in RFC 7469 §2.4.
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::new(Sha256::digest(self.spki_der()).into())
    }

    /// Verifies a signature strictly.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), WrongSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(message, &signature))
            .map_err(|_| WrongSignature(*self))
    }
}

/// A signature that is not the named key's over the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature by {0} is wrong")]
pub struct WrongSignature(pub PublicKey);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Hrp::parse(TEXT_PREFIX).map_err(|_| fmt::Error)?;
        bech32::encode_lower_to_fmt::<Bech32m, _>(f, prefix, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = WrongPublicKey;

    fn from_str(text: &str) -> Result<Self, WrongPublicKey> {
        let parsed = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| WrongPublicKey::Malformed)?;
        if parsed.hrp().as_str() != TEXT_PREFIX || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(WrongPublicKey::Prefix);
        }
        let bytes: Vec<u8> = parsed.byte_iter().collect();
        Self::from_bytes(bytes.as_slice().try_into().map_err(|_| WrongPublicKey::Length)?)
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?.try_into().map_err(|_| decode::Error::message("a public key has 32 bytes"))?;
        Self::from_bytes(bytes).map_err(|_| decode::Error::message("no Ed25519 key has these bytes"))
    }
}

/// An Ed25519 signature: 64 bytes, of which nothing is known until a key verified them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "minicbor::bytes")] [u8; 64]);

impl Signature {
    /// The signature with these bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The signature's bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// A private key and its public half. Wiped when dropped; not copied, not printed.
pub struct KeyPair {
    secret: SigningKey,
    public: PublicKey,
}

impl KeyPair {
    /// A new key.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// The key that this seed stands for (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = PublicKey(secret.verifying_key().to_bytes());
        Self { secret, public }
    }

    /// The public half.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message (deterministically, RFC 8032 §5.1.6). Documents are signed through [`crate::Signed`].
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.secret.sign(message).to_bytes())
    }

    /// The seed, to be stored sealed.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// The private key as PKCS #8 in DER (RFC 8410 §7), as TLS libraries want it.
    pub fn pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(48));
        der.extend_from_slice(&PKCS8_PREFIX);
        der.extend_from_slice(self.secret.as_bytes());
        der
    }
}

impl fmt::Debug for KeyPair {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};
    use symbolon_encoding::{from_canonical, to_canonical};

    /// RFC 8032 §7.1, TEST 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    fn pair() -> KeyPair {
        KeyPair::from_seed(&hex::decode(SEED).unwrap().try_into().unwrap())
    }

    #[test]
    fn keys_and_signatures_are_those_of_rfc_8032() {
        assert_eq!(hex::encode(pair().public().as_bytes()), PUBLIC);
        assert_eq!(hex::encode(pair().sign(b"").as_bytes()), SIGNATURE);
        pair().public().verify(b"", &pair().sign(b"")).unwrap();
    }

    #[test]
    fn every_form_leads_back() {
        let key = pair().public();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(PublicKey::from_spki_der(&key.spki_der()), Ok(key));
        assert_eq!(from_canonical(&to_canonical(&key)), Ok(key));
        assert!(key.to_string().starts_with("sympub1"));
        assert_eq!(KeyPair::from_seed(&pair().seed()).public(), key);
        assert_eq!(pair().pkcs8_der().len(), 48);
        assert_eq!(key.thumbprint().as_bytes()[..], Sha256::digest(key.spki_der())[..]);
        assert!(!format!("{:?}", pair()).contains(&SEED[..8]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let text = pair().public().to_string();
        assert_eq!(text.replace('d', "f").parse::<PublicKey>(), Err(WrongPublicKey::Malformed));
        assert_eq!(text.to_uppercase().parse::<PublicKey>(), Err(WrongPublicKey::Prefix));
        let thumbprint = pair().public().thumbprint().to_string();
        assert_eq!(thumbprint.parse::<PublicKey>(), Err(WrongPublicKey::Prefix));
        let mut one = [0; 32];
        one[0] = 1; // the neutral element, of order 1
        assert_eq!(PublicKey::from_bytes(&one), Err(WrongPublicKey::Point));
        let mut twice_encoded = [0xff; 32]; // y = p + 1: a second encoding of the neutral element
        twice_encoded[0] = 0xee;
        twice_encoded[31] = 0x7f;
        assert_eq!(PublicKey::from_bytes(&twice_encoded), Err(WrongPublicKey::Point));
        assert!(from_canonical::<PublicKey>(&[0x41, 1]).is_err());
    }

    #[test]
    fn verification_is_strict() {
        let (pair, message) = (pair(), b"message");
        let signature = pair.sign(message);
        assert!(pair.public().verify(b"other", &signature).is_err());
        // S + L is another encoding of the same scalar; only the canonical one counts.
        let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
        let mut bytes = *signature.as_bytes();
        let mut carry = 0;
        for (byte, add) in bytes[32..].iter_mut().zip(&order) {
            let sum = u16::from(*byte) + u16::from(*add) + carry;
            *byte = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert!(pair.public().verify(message, &Signature::from_bytes(bytes)).is_err());
    }
}
