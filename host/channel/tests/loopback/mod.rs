//! A server and clients on loopback: real sockets, real TLS, a service that answers `status` with its request's number.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use symbolon_channel::server::{Limits, Service, Session, serve};
use symbolon_channel::{CancellationToken, Dialler, Identity, Route, tls};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_protocol::wire::{Request, Response, Status};
use symbolon_trust::{KeyPair, ProvenHolder, Seconds};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Long enough never to pass in a test that succeeds.
pub const AMPLE: Duration = Duration::from_secs(20);
/// The account whose status is answered at once.
pub const OPEN: AccountId = AccountId::new([1; 32]);
/// The account whose status is answered when the [`Echo`]'s gate is opened.
pub const GATED: AccountId = AccountId::new([2; 32]);

pub fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number; 32])
}

pub fn identity(number: u8) -> Identity {
    Identity::new(&pair(number)).unwrap()
}

pub fn dialler(number: u8) -> Dialler {
    Dialler::new(identity(number), AMPLE)
}

/// Answers `status`; of the gated account only with a permit of the gate.
pub struct Echo {
    pub gate: Arc<Semaphore>,
    pub opened: tokio::sync::mpsc::UnboundedSender<(ProvenHolder, CancellationToken)>,
}

pub struct EchoSession(Arc<Semaphore>);

impl Service for Echo {
    type Session = EchoSession;

    fn open(&self, holder: ProvenHolder, cut: CancellationToken) -> EchoSession {
        self.opened.send((holder, cut)).unwrap();
        EchoSession(Arc::clone(&self.gate))
    }
}

impl Session for EchoSession {
    async fn answer(&self, request: Request) -> Response {
        let account = match request {
            Request::Status { account } => account,
            Request::Log { grant, .. } => grant.body().account,
            other => panic!("{other:?} is not asked here"),
        };
        if account == GATED {
            self.0.acquire().await.unwrap().forget();
        }
        Response::Status(status(account))
    }
}

pub fn status(account: AccountId) -> Status {
    Status {
        index: Index::new(1).unwrap(),
        time: Seconds(1),
        root_version: 1,
        deny_version: 0,
        order_serial: 0,
        mark: Seconds(1),
        sets: account.as_bytes()[0].into(),
    }
}

/// A running server, stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub gate: Arc<Semaphore>,
    pub opened: tokio::sync::mpsc::UnboundedReceiver<(ProvenHolder, CancellationToken)>,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    pub async fn start(number: u8, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, stop) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
        let (sender, opened) = tokio::sync::mpsc::unbounded_channel();
        let service = Arc::new(Echo { gate: Arc::clone(&gate), opened: sender });
        let tls = tls::between_roles_server(&identity(number), tls::ALPN_FRAMES).unwrap();
        let task = tokio::spawn(serve(listener, tls, limits, stop.clone(), service));
        Self { address, gate, opened, stop, task }
    }

    pub fn route(&self) -> Route {
        Route::Direct { address: self.address.to_string() }
    }
}
