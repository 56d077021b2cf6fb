//! TLS configurations: between roles (mutual, `X25519MLKEM768` and nothing weaker) and for public ports.
//!
//! No chain of trust is evaluated here: a key is either the pinned one, or proven and handed to whoever judges it.
//! TLS 1.3 only, and no resumption: a resumed session would skip the proof of the peer's key.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use symbolon_trust::PublicKey;

use crate::identity::{Identity, subject};

/// ALPN of the framed messages of a fragment manager.
pub const ALPN_FRAMES: &[u8] = b"symbolon/1";
/// ALPN of HTTP/1.1, the access manager's protocol: each tunnel has a connection of its own, so none stalls another.
pub const ALPN_HTTP: &[u8] = b"http/1.1";

/// Draws a random byte. The first one of a process seeds the generator, which takes tens of milliseconds: call this
/// at start-up, or the first handshake pays.
pub fn seed_random() {
    // A failure would show again, as an error, in the handshake that needs randomness.
    let _ = default_provider().secure_random.fill(&mut [0]);
}

/// A server between roles: hybrid group only, any client key, proven.
pub fn between_roles_server(identity: &Identity, alpn: &[u8]) -> Result<ServerConfig, Error> {
    let provider = Arc::new(hybrid_only());
    let verifier = Arc::new(AnyKey { provider: Arc::clone(&provider), mandatory: true });
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
    Ok(without_resumption(config, &[alpn]))
}

/// A server for programs that aren't ours: prefers the hybrid group, accepts classical ones; a client may prove an
/// Ed25519 key, but need not.
pub fn public_server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(AnyKey { provider: Arc::clone(&provider), mandatory: false });
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(without_resumption(config, &[b"h2", ALPN_HTTP]))
}

/// A client between roles: hybrid group only, and the server must prove the pinned key.
pub fn between_roles_client(
    identity: &Identity,
    server: &PublicKey,
    alpn: &[u8],
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(hybrid_only());
    let pinned = Pinned { server: *server, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_sni = false;
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}

fn hybrid_only() -> CryptoProvider {
    CryptoProvider { kx_groups: vec![kx_group::X25519MLKEM768], ..default_provider() }
}

fn without_resumption(mut config: ServerConfig, alpn: &[&[u8]]) -> ServerConfig {
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// Accepts any Ed25519 client key that the handshake proves. Who may do what is judged later, by the key.
#[derive(Debug)]
struct AnyKey {
    provider: Arc<CryptoProvider>,
    mandatory: bool,
}

impl ClientCertVerifier for AnyKey {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        subject(end_entity).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// Accepts one server key.
#[derive(Debug)]
struct Pinned {
    server: PublicKey,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match subject(end_entity) {
            Ok(key) if key == self.server => Ok(ServerCertVerified::assertion()),
            _ => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

fn tls12_refused() -> Error {
    Error::General("only TLS 1.3 is spoken".into())
}
