//! The accepting side of TLS: handshakes, bounded in number and time, each on a connection of its own.
//!
//! What is spoken on an accepted connection is the caller's business (frames, HTTP).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use symbolon_trust::{ProvenHolder, PublicKey};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::identity::subject;
use crate::socket;

/// Pause after the system refused a connection (no file descriptors left): there is nothing else to wait for.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Bounds on what unproven peers may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Handshakes at a time; one costs as much as three evaluations, and any key may start one.
    pub handshakes: usize,
    /// Time for one handshake.
    pub handshake_time: Duration,
    /// Connections at a time, handshakes included; further ones wait in the system's queue.
    pub connections: usize,
    /// How long connections may go on after the stop signal.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshakes: 128,
            handshake_time: Duration::from_secs(10),
            connections: 4096,
            grace: Duration::from_secs(2),
        }
    }
}

/// A connection whose handshake succeeded.
pub struct Accepted {
    /// The decrypted stream.
    pub stream: TlsStream<TcpStream>,
    /// Where it comes from: behind a relay, the relay's address.
    pub address: SocketAddr,
    peer: Option<PublicKey>,
    #[expect(dead_code, reason = "counts the connection until it is dropped")]
    place: OwnedSemaphorePermit,
}

impl Accepted {
    /// Who the client proved to be. Only on a public port may it be nobody.
    pub fn holder(&self) -> Option<ProvenHolder> {
        self.peer.map(ProvenHolder::by_channel)
    }
}

/// Why a handshake gave no connection.
#[derive(Debug, thiserror::Error)]
enum HandshakeError {
    #[error("the handshake took too long")]
    TimedOut,
    #[error("the handshake failed")]
    Failed(#[from] io::Error),
}

/// Accepts connections and runs `serve` on each, until `stop`; then waits for those open, but no longer than the grace.
pub async fn accept<F, Fut>(
    listener: TcpListener,
    tls: ServerConfig,
    limits: Limits,
    stop: CancellationToken,
    serve: F,
) where
    F: Fn(Accepted) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let gate = Gate::new(tls, limits);
    let mut open = JoinSet::new();
    stop.run_until_cancelled(async {
        loop {
            let Some((tcp, address, place)) = gate.next(&listener).await else { continue };
            while open.try_join_next().is_some() {}
            let (gate, serve) = (gate.clone(), serve.clone());
            open.spawn(async move {
                match gate.handshake(tcp, address, place).await {
                    Ok(accepted) => serve(accepted).await,
                    Err(error) => debug!(%address, cause = &error as &dyn std::error::Error, "no connection"),
                }
            });
        }
    })
    .await;
    drop(listener);
    let _ = timeout(limits.grace, async { while open.join_next().await.is_some() {} }).await;
}

/// Hands out places for connections and handshakes.
#[derive(Clone)]
struct Gate {
    acceptor: TlsAcceptor,
    handshakes: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    handshake_time: Duration,
}

impl Gate {
    fn new(tls: ServerConfig, limits: Limits) -> Self {
        Self {
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
            connections: Arc::new(Semaphore::new(limits.connections)),
            handshake_time: limits.handshake_time,
        }
    }

    async fn next(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.connections).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((tcp, address)) => Some((tcp, address, place)),
            Err(error) => {
                warn!(cause = &error as &dyn std::error::Error, "cannot accept a connection");
                sleep(AFTER_REFUSAL).await;
                None
            }
        }
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Result<Accepted, HandshakeError> {
        let stream = timeout(self.handshake_time, self.negotiate(tcp)).await;
        let stream = stream.map_err(|_| HandshakeError::TimedOut)??;
        let peer = stream.get_ref().1.peer_certificates().and_then(|chain| subject(chain.first()?).ok());
        Ok(Accepted { stream, address, peer, place })
    }

    async fn negotiate(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let _place = self.handshakes.acquire().await.map_err(io::Error::other)?;
        socket::tune(&tcp)?;
        self.acceptor.accept(tcp).await
    }
}
