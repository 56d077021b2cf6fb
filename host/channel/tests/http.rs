//! The small HTTP client against a real server: connections kept and lost, bounded answers, time limits.

mod loopback;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use loopback::{AMPLE, identity, pair};
use symbolon_channel::http::{Client, HttpError, Request};
use symbolon_channel::{CancellationToken, DialError, Server, listener, tls};
use tokio::net::TcpListener;

/// Answers by path: `/echo` the body, `/large` a mebibyte, `/never` nothing, `/last` and closes the connection.
struct Answering {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Answering {
    async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (connections, stop) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        let tls = tls::between_roles_server(&identity(1), tls::ALPN_HTTP).unwrap();
        let count = Arc::clone(&connections);
        tokio::spawn(listener::accept(
            socket,
            tls,
            listener::Limits::default(),
            stop.clone(),
            move |accepted| {
                count.fetch_add(1, Ordering::SeqCst);
                async move {
                    assert_eq!(accepted.holder().unwrap().key(), &pair(2).public());
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(accepted.stream), service_fn(answer));
                    let _ = connection.await;
                }
            },
        ));
        Self { address, connections, stop }
    }

    fn client(&self) -> Client {
        Client::new(identity(2), Server { address: self.address.to_string(), key: pair(1).public() })
    }
}

async fn answer(request: hyper::Request<Incoming>) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let answer = hyper::Response::builder();
    Ok(match path.as_str() {
        "/echo" => answer.body(Full::new(body)),
        "/large" => answer.body(Full::new(vec![b' '; 1 << 20].into())),
        "/last" => answer.header("connection", "close").body(Full::default()),
        "/never" => std::future::pending().await,
        _ => answer.status(StatusCode::NOT_FOUND).body(Full::from("no such path")),
    }
    .unwrap())
}

fn get(path: &str) -> Request {
    Request::new(Method::GET, path).within(AMPLE)
}

#[tokio::test]
async fn a_connection_is_used_again_and_replaced_when_it_was_closed() {
    let server = Answering::start().await;
    let client = server.client();
    let echo = || Request::new(Method::POST, "/echo").with_json("{}");
    for _ in 0..3 {
        assert_eq!(client.send(echo()).await.unwrap().body, "{}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    client.send(get("/last")).await.unwrap();
    assert_eq!(client.send(echo()).await.unwrap().body, "{}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let server = Answering::start().await;
    let answer = server.client().send(get("/nothing")).await.unwrap();
    assert_eq!((answer.status, answer.body), (StatusCode::NOT_FOUND, Bytes::from("no such path")));
}

#[tokio::test]
async fn an_answer_is_bounded_in_size_and_time() {
    let server = Answering::start().await;
    let client = server.client();
    assert!(client.send(get("/large").at_most(1 << 20)).await.is_ok());
    let large = client.send(get("/large").at_most((1 << 20) - 1)).await;
    assert!(matches!(large, Err(HttpError::TooLarge { most: 1_048_575 })));
    let never = client.send(get("/never").within(Duration::from_millis(100))).await;
    assert!(matches!(never, Err(HttpError::TimedOut { .. })));
    assert!(client.send(get("/echo")).await.is_ok());
}

#[tokio::test]
async fn another_server_is_refused() {
    let server = Answering::start().await;
    let elsewhere = Server { address: server.address.to_string(), key: pair(9).public() };
    let refused = Client::new(identity(2), elsewhere).send(get("/echo")).await;
    assert!(matches!(refused, Err(HttpError::Dial { cause: DialError::WrongKey, .. })));
}
