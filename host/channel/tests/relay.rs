//! The relayed route: TLS end to end inside an HTTP `CONNECT` tunnel, through a server as an access manager has it.

mod loopback;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Method, Request as HttpRequest, Response as HttpResponse, StatusCode};
use hyper_util::rt::TokioIo;
use loopback::{AMPLE, GATED, OPEN, Server, dialler, identity, pair, status};
use symbolon_channel::relay::{self, Carried, Destination, Ended, Target};
use symbolon_channel::server::Limits;
use symbolon_channel::{
    CallError, CancellationToken, Channel, DialError, Route, Server as Pinned, listener, tls,
};
use symbolon_fragments::names::Index;
use symbolon_protocol::wire::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const ASK: Request = Request::Status { account: OPEN };
const MANAGER: u8 = 1;
const RELAY: u8 = 3;

/// What an access manager does with `CONNECT`, less its policy.
struct Relay {
    address: SocketAddr,
    cut: CancellationToken,
    stop: CancellationToken,
    carried: mpsc::UnboundedReceiver<Carried>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Tunnels {
    manager: String,
    limits: relay::Limits,
    cut: CancellationToken,
    carried: mpsc::UnboundedSender<Carried>,
}

impl Relay {
    async fn start(manager: &str, limits: relay::Limits) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (cut, stop) = (CancellationToken::new(), CancellationToken::new());
        let (sender, carried) = mpsc::unbounded_channel();
        let tunnels = Tunnels { manager: manager.to_owned(), limits, cut: cut.clone(), carried: sender };
        let tls = tls::between_roles_server(&identity(RELAY), tls::ALPN_HTTP).unwrap();
        tokio::spawn(listener::accept(
            socket,
            tls,
            listener::Limits::default(),
            stop.clone(),
            move |accepted| {
                let tunnels = tunnels.clone();
                async move {
                    let service = service_fn(move |request| tunnels.clone().answer(request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(accepted.stream), service);
                    let _ = connection.with_upgrades().await;
                }
            },
        ));
        Self { address, cut, stop, carried }
    }

    fn route(&self) -> Route {
        let relay = Pinned { address: self.address.to_string(), key: pair(RELAY).public() };
        Route::Relayed { relay, destination: destination() }
    }
}

fn destination() -> Destination {
    Destination { account: OPEN, index: Index::new(1).unwrap() }
}

impl Tunnels {
    async fn answer(
        self,
        request: HttpRequest<hyper::body::Incoming>,
    ) -> Result<HttpResponse<Full<Bytes>>, Infallible> {
        assert_eq!(request.method(), Method::CONNECT);
        assert_eq!(request.uri().authority().unwrap().as_str(), destination().to_string());
        let Ok(target) = Target::reach(&self.manager, self.limits).await else {
            let mut refusal = HttpResponse::new(Full::from("unreachable"));
            *refusal.status_mut() = StatusCode::BAD_GATEWAY;
            return Ok(refusal);
        };
        tokio::spawn(async move {
            let caller = hyper::upgrade::on(request).await.unwrap();
            let _ = self.carried.send(target.carry(caller, &self.cut).await);
        });
        Ok(HttpResponse::default())
    }
}

async fn open() -> (Server, Relay, Channel) {
    open_with(relay::Limits::default()).await
}

async fn open_with(limits: relay::Limits) -> (Server, Relay, Channel) {
    let server = Server::start(MANAGER, Limits::default()).await;
    let relay = Relay::start(&server.address.to_string(), limits).await;
    let channel = dialler(2).channel(&relay.route(), &pair(MANAGER).public()).await.unwrap();
    (server, relay, channel)
}

#[tokio::test]
async fn a_call_goes_through_the_relay_and_the_manager_sees_the_caller() {
    let (mut server, mut relay, channel) = open().await;
    assert_eq!(channel.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
    let (holder, _) = server.opened.recv().await.unwrap();
    assert_eq!(holder.key(), &pair(2).public());
    drop(channel);
    let carried = relay.carried.recv().await.unwrap();
    assert!(matches!(carried.ended, Ended::Closed), "{carried:?}");
    // A hello with an ML-KEM key share one way, a certificate the other.
    assert!(carried.up > 1200 && carried.down > 1200, "{carried:?}");
}

#[tokio::test]
async fn revocation_cuts_an_open_tunnel() {
    let (_server, mut relay, channel) = open().await;
    channel.call(ASK, AMPLE).await.unwrap();
    let gated = Request::Status { account: GATED };
    let (call, ()) = tokio::join!(channel.call(gated, AMPLE), async { relay.cut.cancel() });
    assert!(matches!(call, Err(CallError::Closed { .. })));
    assert!(matches!(relay.carried.recv().await.unwrap().ended, Ended::Cut));
}

#[tokio::test]
async fn an_idle_tunnel_is_closed() {
    let limits = relay::Limits { idle: Duration::from_millis(100), ..relay::Limits::default() };
    let (_server, mut relay, channel) = open_with(limits).await;
    channel.closed().await;
    assert!(matches!(relay.carried.recv().await.unwrap().ended, Ended::Idle));
}

#[tokio::test]
async fn a_killed_manager_breaks_the_tunnel_and_a_new_tunnel_reaches_the_next() {
    let (mut server, relay, channel) = open().await;
    channel.call(ASK, AMPLE).await.unwrap();
    server.task.abort();
    let _ = (&mut server.task).await;
    assert!(matches!(channel.call(ASK, AMPLE).await, Err(CallError::Closed { .. })));
    let refused = dialler(2).channel(&relay.route(), &pair(MANAGER).public()).await;
    let Err(DialError::Refused { status: 502, body }) = refused else { panic!("the manager is gone") };
    assert_eq!(body, "unreachable");

    let next = Server::start(MANAGER, Limits::default()).await;
    let relay = Relay::start(&next.address.to_string(), relay::Limits::default()).await;
    let channel = dialler(2).channel(&relay.route(), &pair(MANAGER).public()).await.unwrap();
    assert_eq!(channel.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
}

#[tokio::test]
async fn the_relay_cannot_put_itself_or_another_in_the_managers_place() {
    let impostor = Server::start(9, Limits::default()).await;
    let relay = Relay::start(&impostor.address.to_string(), relay::Limits::default()).await;
    let refused = dialler(2).channel(&relay.route(), &pair(MANAGER).public()).await;
    assert!(matches!(refused, Err(DialError::WrongKey)));
    let Route::Relayed { mut relay, destination } = relay.route() else { unreachable!() };
    relay.key = pair(8).public();
    let refused = dialler(2).channel(&Route::Relayed { relay, destination }, &pair(MANAGER).public()).await;
    assert!(matches!(refused, Err(DialError::WrongKey)));
}

#[tokio::test]
async fn a_stuck_tunnel_holds_up_no_other() {
    let (server, relay, stuck) = open().await;
    let gated = Request::Status { account: GATED };
    let waiting = tokio::spawn(async move { stuck.call(gated, AMPLE).await });
    let other = dialler(4).channel(&relay.route(), &pair(MANAGER).public()).await.unwrap();
    assert_eq!(other.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
    server.gate.add_permits(1);
    waiting.await.unwrap().unwrap();
}
