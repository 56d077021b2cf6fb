//! How a client reaches a server: TCP and TLS with a pinned key, directly or inside the access manager's relay.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use rustls::{AlertDescription, CertificateError};
use symbolon_trust::PublicKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::channel::Channel;
use crate::identity::Identity;
use crate::relay::Destination;
use crate::{socket, tls};

/// Most bytes read of a relay's refusal.
const REFUSAL_BYTES: usize = 16 * 1024;

/// A server as its clients know it: who answers is decided by the key, the address is a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `host:port`.
    pub address: String,
    /// The key that it must prove.
    pub key: PublicKey,
}

/// The way to a fragment manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the manager's own address.
    Direct {
        /// `host:port`.
        address: String,
    },
    /// Through the relay of an access manager, which sees only bytes of the inner TLS.
    Relayed {
        /// The access manager.
        relay: Server,
        /// Which manager it is to reach.
        destination: Destination,
    },
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The address can't be reached.
    #[error("cannot connect to {address}")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It took too long.
    #[error("no connection within {within:?}")]
    TimedOut {
        /// The time allowed.
        within: Duration,
    },
    /// Another key answered than the one that was expected there.
    #[error("the server proved another key than the expected one")]
    WrongKey,
    /// One side speaks nothing that the other accepts (version, key exchange).
    #[error("no common TLS parameters")]
    Incompatible(#[source] io::Error),
    /// The handshake failed otherwise.
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    /// Our own TLS configuration was refused.
    #[error("cannot use the identity for TLS")]
    Configuration(#[from] rustls::Error),
    /// The relay's HTTP failed.
    #[error("the relay did not answer")]
    Relay(#[source] hyper::Error),
    /// The relay answered, but didn't open a tunnel.
    #[error("the relay refused with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The start of its answer, a problem document (RFC 9457).
        body: Bytes,
    },
}

/// Opens connections as one identity.
#[derive(Clone)]
pub struct Dialler {
    identity: Identity,
    within: Duration,
}

impl Dialler {
    /// A dialler that gives each connection, all handshakes included, so much time.
    pub fn new(identity: Identity, within: Duration) -> Self {
        Self { identity, within }
    }

    /// Who it dials as.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Opens a channel to the manager with that key.
    pub async fn channel(&self, route: &Route, manager: &PublicKey) -> Result<Channel, DialError> {
        self.timed(async {
            match route {
                Route::Direct { address } => Ok(Channel::over(self.direct(address, manager).await?)),
                Route::Relayed { relay, destination } => {
                    Ok(Channel::over(self.relayed(relay, destination, manager).await?))
                }
            }
        })
        .await
    }

    /// Opens a TLS connection for HTTP/1.1 to an access manager.
    pub(crate) async fn http(&self, server: &Server) -> Result<TlsStream<TcpStream>, DialError> {
        self.timed(self.outer(server)).await
    }

    async fn timed<T>(&self, dialling: impl Future<Output = Result<T, DialError>>) -> Result<T, DialError> {
        timeout(self.within, dialling).await.map_err(|_| DialError::TimedOut { within: self.within })?
    }

    async fn direct(&self, address: &str, key: &PublicKey) -> Result<TlsStream<TcpStream>, DialError> {
        let tcp = self.tcp(address).await?;
        self.negotiate(tcp, key, tls::ALPN_FRAMES).await
    }

    async fn outer(&self, server: &Server) -> Result<TlsStream<TcpStream>, DialError> {
        let tcp = self.tcp(&server.address).await?;
        self.negotiate(tcp, &server.key, tls::ALPN_HTTP).await
    }

    async fn relayed(
        &self,
        relay: &Server,
        destination: &Destination,
        manager: &PublicKey,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, DialError> {
        let tunnel = connect(self.outer(relay).await?, destination).await?;
        self.negotiate(tunnel, manager, tls::ALPN_FRAMES).await
    }

    async fn tcp(&self, address: &str) -> Result<TcpStream, DialError> {
        let connected = socket::connect(address, self.within).await;
        connected.map_err(|cause| DialError::Unreachable { address: address.to_owned(), cause })
    }

    async fn negotiate<T>(
        &self,
        transport: T,
        key: &PublicKey,
        alpn: &[u8],
    ) -> Result<TlsStream<T>, DialError>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let config = tls::between_roles_client(&self.identity, key, alpn)?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(nobody(), transport).await.map_err(handshake_error)
    }
}

/// TLS wants a name; it is neither sent nor checked.
fn nobody() -> ServerName<'static> {
    ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0, 0, 0, 0])))
}

fn handshake_error(error: io::Error) -> DialError {
    use rustls::Error as Tls;
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref());
    match cause {
        Some(Tls::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            DialError::WrongKey
        }
        Some(
            Tls::PeerIncompatible(_)
            | Tls::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion),
        ) => DialError::Incompatible(error),
        _ => DialError::Handshake(error),
    }
}

/// Asks an access manager for a tunnel (RFC 9110 §9.3.6).
async fn connect(
    outer: TlsStream<TcpStream>,
    destination: &Destination,
) -> Result<TokioIo<hyper::upgrade::Upgraded>, DialError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(outer)).await.map_err(DialError::Relay)?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(cause = error.source(), "tunnel ended");
        }
    });
    let authority = destination.to_string();
    let request = Request::connect(&authority).header(header::HOST, &authority).body(Empty::<Bytes>::new());
    let request = request.expect("a destination is a valid authority");
    let response = sender.send_request(request).await.map_err(DialError::Relay)?;
    if response.status() != StatusCode::OK {
        return Err(refused(response).await);
    }
    hyper::upgrade::on(response).await.map(TokioIo::new).map_err(DialError::Relay)
}

async fn refused(response: hyper::Response<hyper::body::Incoming>) -> DialError {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), REFUSAL_BYTES).collect().await;
    DialError::Refused { status, body: body.map(http_body_util::Collected::to_bytes).unwrap_or_default() }
}
