//! Who may speak to whom: the negotiated group, pinned keys, proof of possession.

mod loopback;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use loopback::{AMPLE, OPEN, Server, dialler, identity, pair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, HandshakeKind, NamedGroup,
    PeerIncompatible, ServerConfig, SignatureScheme,
};
use symbolon_channel::server::Limits;
use symbolon_channel::{DialError, Dialler, Route, tls};
use symbolon_protocol::wire::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const SERVER: u8 = 1;
const CLIENT: u8 = 2;

/// Runs one handshake over loopback and a byte each way, and gives what each side saw.
async fn handshake(server: ServerConfig, client: ClientConfig) -> (io::Result<Side>, io::Result<Side>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = async {
        let (tcp, _) = listener.accept().await?;
        let mut stream = TlsAcceptor::from(Arc::new(server)).accept(tcp).await?;
        stream.write_all(b"s").await?;
        stream.read_u8().await?;
        Ok(Side::of(stream.get_ref().1))
    };
    let calling = async {
        let name = ServerName::try_from("ignored").unwrap();
        let tcp = TcpStream::connect(address).await?;
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, tcp).await?;
        stream.read_u8().await?;
        stream.write_all(b"c").await?;
        stream.flush().await?;
        Ok(Side::of(stream.get_ref().1))
    };
    tokio::join!(serving, calling)
}

#[derive(Debug, PartialEq)]
struct Side {
    group: NamedGroup,
    kind: HandshakeKind,
    peer: Option<Vec<u8>>,
}

impl Side {
    fn of(connection: &rustls::CommonState) -> Self {
        Self {
            group: connection.negotiated_key_exchange_group().unwrap().name(),
            kind: connection.handshake_kind().unwrap(),
            peer: connection.peer_certificates().map(|chain| chain[0].to_vec()),
        }
    }
}

fn tls_error(result: io::Result<Side>) -> rustls::Error {
    let error = result.unwrap_err();
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .cloned()
        .unwrap_or_else(|| panic!("{error}"))
}

fn ours() -> (ServerConfig, ClientConfig) {
    let server = tls::between_roles_server(&identity(SERVER), tls::ALPN_FRAMES).unwrap();
    let client =
        tls::between_roles_client(&identity(CLIENT), &pair(SERVER).public(), tls::ALPN_FRAMES).unwrap();
    (server, client)
}

fn provider(groups: Vec<&'static dyn SupportedKxGroup>) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: groups, ..default_provider() })
}

/// A certificate for one key, with the secret key of another or the same.
fn credentials(certificate: u8, secret: u8) -> CertifiedKey {
    let pkcs8 = |number| PrivatePkcs8KeyDer::from(pair(number).pkcs8_der().to_vec());
    let named =
        rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8(certificate), &rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new([]).unwrap().self_signed(&named).unwrap();
    CertifiedKey::new(vec![certificate.into()], any_eddsa_type(&pkcs8(secret)).unwrap())
}

/// A client that is not ours: it accepts every server.
fn foreign_client(
    groups: Vec<&'static dyn SupportedKxGroup>,
    credentials: Option<CertifiedKey>,
) -> ClientConfig {
    let builder =
        ClientConfig::builder_with_provider(provider(groups)).with_protocol_versions(&[&TLS13]).unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer));
    let mut config = match credentials {
        Some(certified) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![tls::ALPN_FRAMES.to_vec()];
    config
}

/// A server that is not ours: it asks for no certificate.
fn foreign_server(groups: Vec<&'static dyn SupportedKxGroup>, credentials: CertifiedKey) -> ServerConfig {
    let builder =
        ServerConfig::builder_with_provider(provider(groups)).with_protocol_versions(&[&TLS13]).unwrap();
    builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(credentials)))
}

const HYBRID: &dyn SupportedKxGroup = kx_group::X25519MLKEM768;
const CLASSICAL: [&dyn SupportedKxGroup; 2] = [kx_group::X25519, kx_group::SECP256R1];

#[tokio::test]
async fn the_group_is_the_hybrid_one_and_nothing_is_resumed() {
    let (server, client) = ours();
    for _ in 0..2 {
        let (serving, calling) = handshake(server.clone(), client.clone()).await;
        for side in [serving.unwrap(), calling.unwrap()] {
            assert_eq!(side.group, NamedGroup::X25519MLKEM768);
            assert_eq!(side.kind, HandshakeKind::Full);
            assert!(side.peer.is_some());
        }
    }
}

#[tokio::test]
async fn a_classical_peer_is_refused_on_either_side() {
    let (server, client) = ours();
    let classical = foreign_client(CLASSICAL.to_vec(), Some(credentials(CLIENT, CLIENT)));
    let (serving, calling) = handshake(server, classical).await;
    assert_eq!(tls_error(serving), PeerIncompatible::NoKxGroupsInCommon.into());
    assert_eq!(tls_error(calling), rustls::Error::AlertReceived(AlertDescription::HandshakeFailure));

    let classical = foreign_server(CLASSICAL.to_vec(), credentials(SERVER, SERVER));
    let (serving, _) = handshake(classical, client).await;
    assert_eq!(tls_error(serving), PeerIncompatible::NoKxGroupsInCommon.into());
}

#[tokio::test]
async fn a_public_port_prefers_the_hybrid_group_and_accepts_classical_ones() {
    let public = || {
        let key = PrivatePkcs8KeyDer::from(pair(SERVER).pkcs8_der().to_vec());
        tls::public_server(credentials(SERVER, SERVER).cert.clone(), key.into()).unwrap()
    };
    let anonymous = |groups| {
        let mut client = foreign_client(groups, None);
        client.alpn_protocols = vec![tls::ALPN_HTTP.to_vec()];
        client
    };
    let (serving, _) = handshake(public(), anonymous(vec![HYBRID, kx_group::X25519])).await;
    assert_eq!(serving.unwrap().group, NamedGroup::X25519MLKEM768);
    let (serving, _) = handshake(public(), anonymous(CLASSICAL.to_vec())).await;
    assert_eq!(serving.unwrap().group, NamedGroup::X25519);
}

#[tokio::test]
async fn a_certificate_without_its_key_proves_nothing() {
    let (server, client) = ours();
    let thief = foreign_client(vec![HYBRID], Some(credentials(CLIENT, 9)));
    let (serving, _) = handshake(server.clone(), thief).await;
    assert_eq!(tls_error(serving), CertificateError::BadSignature.into());

    let impostor = foreign_server(vec![HYBRID], credentials(SERVER, 9));
    let (_, calling) = handshake(impostor, client).await;
    assert_eq!(tls_error(calling), CertificateError::BadSignature.into());

    let (serving, _) = handshake(server, foreign_client(vec![HYBRID], None)).await;
    assert_eq!(tls_error(serving), rustls::Error::NoCertificatesPresented);
}

#[tokio::test]
async fn a_peer_of_another_protocol_is_refused() {
    let (server, _) = ours();
    let http = tls::between_roles_client(&identity(CLIENT), &pair(SERVER).public(), tls::ALPN_HTTP).unwrap();
    let (serving, _) = handshake(server, http).await;
    assert_eq!(tls_error(serving), rustls::Error::NoApplicationProtocol);
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_named_as_such() {
    let server = Server::start(SERVER, Limits::default()).await;
    let refused = dialler(CLIENT).channel(&server.route(), &pair(9).public()).await;
    assert!(matches!(refused, Err(DialError::WrongKey)));
}

#[tokio::test]
async fn the_server_learns_the_clients_key() {
    let mut server = Server::start(SERVER, Limits::default()).await;
    let channel = dialler(CLIENT).channel(&server.route(), &pair(SERVER).public()).await.unwrap();
    let response = channel.call(Request::Status { account: OPEN }, AMPLE).await.unwrap();
    assert_eq!(response, Response::Status(loopback::status(OPEN)));
    let (holder, _) = server.opened.recv().await.unwrap();
    assert_eq!(holder.key(), &pair(CLIENT).public());
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    let route = Route::Direct { address: address.clone() };
    let silent = Dialler::new(identity(CLIENT), Duration::from_millis(50));
    assert!(matches!(silent.channel(&route, &pair(SERVER).public()).await, Err(DialError::TimedOut { .. })));
    drop(free);
    let refused = dialler(CLIENT).channel(&route, &pair(SERVER).public()).await;
    assert!(matches!(refused, Err(DialError::Unreachable { address: named, .. }) if named == address));
}

/// A verifier of somebody else's client, which trusts everybody; possession is still proven.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("only TLS 1.3 is configured")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &default_provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
