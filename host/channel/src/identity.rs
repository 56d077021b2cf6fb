//! A TLS identity: an Ed25519 key in a self-signed X.509 certificate, of which only the key counts.
//!
//! It is not a certificate authority's business: names, validity and extensions of these certificates mean nothing to
//! a peer, which compares the key with the one that the root document, a grant or a permit names.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SigningKey};
use symbolon_trust::{KeyPair, PublicKey};

/// Why no identity could be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The TLS library refused the key.
    #[error("the TLS library refuses the identity key")]
    Key(#[from] rustls::Error),
    /// No certificate could be made for the key.
    #[error("cannot make a certificate for the identity key")]
    Certificate(#[from] rcgen::Error),
}

/// Why a peer's certificate names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Not an X.509 certificate.
    #[error("malformed certificate")]
    Malformed,
    /// Its key is not an Ed25519 key, or not a valid one.
    #[error("the certificate's key is not a valid Ed25519 key")]
    NotEd25519,
}

/// The key and certificate with which one party of a channel proves who it is.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    public: PublicKey,
}

impl Identity {
    /// The identity of a key pair; the TLS library keeps a copy of the secret key.
    pub fn new(pair: &KeyPair) -> Result<Self, IdentityError> {
        let key = any_eddsa_type(&PrivatePkcs8KeyDer::from(pair.pkcs8_der().as_slice()))?;
        let certificate = self_signed(&*key, pair.public())?;
        Ok(Self { certified: Arc::new(CertifiedKey::new(vec![certificate], key)), public: pair.public() })
    }

    /// The key by which peers know this identity.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

/// The Ed25519 key of a certificate. Everything else in it is ignored.
///
/// This alone proves nothing: the handshake's signature under the key does.
pub(crate) fn subject(certificate: &CertificateDer<'_>) -> Result<PublicKey, SubjectError> {
    let parsed = ParsedCertificate::try_from(certificate).map_err(|_| SubjectError::Malformed)?;
    let spki = parsed.subject_public_key_info();
    PublicKey::from_spki_der(&spki).map_err(|_| SubjectError::NotEd25519)
}

fn self_signed(key: &dyn SigningKey, public: PublicKey) -> Result<CertificateDer<'static>, IdentityError> {
    Ok(rcgen::CertificateParams::new([])?.self_signed(&Issuer { key, public })?.into())
}

/// Lends rustls' key to rcgen, so that the seed is parsed in one place only.
struct Issuer<'a> {
    key: &'a dyn SigningKey,
    public: PublicKey,
}

impl rcgen::PublicKeyData for Issuer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Issuer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signer =
            self.key.choose_scheme(&[SignatureScheme::ED25519]).ok_or(rcgen::Error::RemoteKeyError)?;
        signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_carries_the_key() {
        let pair = KeyPair::from_seed(&[7; 32]);
        let identity = Identity::new(&pair).unwrap();
        assert_eq!(identity.public_key(), &pair.public());
        assert_eq!(subject(&identity.certified().cert[0]), Ok(pair.public()));
    }

    #[test]
    fn a_certificate_of_another_kind_of_key_names_nobody() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        assert_eq!(subject(certificate.der()), Err(SubjectError::NotEd25519));
        assert_eq!(subject(&CertificateDer::from(vec![0x30, 0])), Err(SubjectError::Malformed));
    }
}
