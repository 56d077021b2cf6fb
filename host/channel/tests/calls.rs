//! Calls over a channel: many at a time, given up, timed out, cut, and peers that keep to no rule.

mod loopback;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use loopback::{AMPLE, GATED, OPEN, Server, dialler, identity, pair, status};
use rustls::pki_types::ServerName;
use symbolon_channel::rustls;
use symbolon_channel::server::Limits;
use symbolon_channel::{CallError, Channel, FrameError, listener, tls};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::AccountId;
use symbolon_protocol::wire::{Error, MAX_FRAME, MAX_IN_FLIGHT, Numbered, Request, Response};
use symbolon_trust::{Grant, Operation, Principal, Seconds, Signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const ASK: Request = Request::Status { account: OPEN };
const ASK_GATED: Request = Request::Status { account: GATED };

async fn open() -> (Server, Channel) {
    let server = Server::start(1, Limits::default()).await;
    let channel = dialler(2).channel(&server.route(), &pair(1).public()).await.unwrap();
    (server, channel)
}

/// A TLS connection on which a test writes its own bytes.
async fn raw(server: &Server) -> TlsStream<TcpStream> {
    let config = tls::between_roles_client(&identity(2), &pair(1).public(), tls::ALPN_FRAMES).unwrap();
    let tcp = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("ignored").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

fn frame<M: minicbor::Encode<()>>(id: u64, message: M) -> Vec<u8> {
    let content = to_canonical(&Numbered { id, message });
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &content].concat()
}

async fn read_response(stream: &mut TlsStream<TcpStream>) -> Numbered<Response> {
    let mut content = vec![0; stream.read_u32().await.unwrap() as usize];
    stream.read_exact(&mut content).await.unwrap();
    Numbered::read(&content).unwrap()
}

/// Reads until the server closes, whichever way, and says how many bytes came before.
async fn until_closed(stream: &mut TlsStream<TcpStream>) -> usize {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    rest.len()
}

#[tokio::test]
async fn many_calls_share_a_channel_and_a_slow_one_holds_up_no_other() {
    let (server, channel) = open().await;
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { channel.call(ASK_GATED, AMPLE).await }
    });
    let quick = join_all((0..500).map(|_| channel.call(ASK, AMPLE))).await;
    assert!(quick.into_iter().all(|response| response.unwrap() == Response::Status(status(OPEN))));
    server.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().unwrap(), Response::Status(status(GATED)));
}

#[tokio::test]
async fn more_requests_than_allowed_are_answered_busy() {
    let server = Server::start(1, Limits::default()).await;
    let mut stream = raw(&server).await;
    for id in 0..=MAX_IN_FLIGHT as u64 {
        stream.write_all(&frame(id, ASK_GATED)).await.unwrap();
    }
    stream.flush().await.unwrap();
    let busy = Numbered { id: MAX_IN_FLIGHT as u64, message: Response::Error(Error::Busy) };
    assert_eq!(read_response(&mut stream).await, busy);
    server.gate.add_permits(MAX_IN_FLIGHT);
    for _ in 0..MAX_IN_FLIGHT {
        assert_eq!(read_response(&mut stream).await.message, Response::Status(status(GATED)));
    }
}

/// A request for the log with a grant of about so many bytes.
fn long_request(account: AccountId, bytes: usize) -> Request {
    let grant = Grant {
        account,
        id: 1,
        serial: 1,
        keys: vec!["shop/orders".parse().unwrap(); bytes / 12],
        principal: Principal::Holder(pair(2).public().thumbprint()),
        operations: [Operation::Audit].into_iter().collect(),
        rate: 0,
        not_before: Seconds(0),
        not_after: Seconds(0),
    };
    Request::Log { grant: Signed::new(grant), after: 0, limit: 1 }
}

#[tokio::test]
async fn more_bytes_than_allowed_are_answered_busy() {
    let server = Server::start(1, Limits::default()).await;
    let mut stream = raw(&server).await;
    // A mebibyte may be in flight: five of these, not six, and a small one beside them.
    for id in 0..6 {
        stream.write_all(&frame(id, long_request(GATED, 200_000))).await.unwrap();
    }
    stream.write_all(&frame(6, ASK)).await.unwrap();
    stream.flush().await.unwrap();
    let busy = Numbered { id: 5, message: Response::Error(Error::Busy) };
    assert_eq!(read_response(&mut stream).await, busy);
    assert_eq!(read_response(&mut stream).await.id, 6);
    server.gate.add_permits(5);
    for _ in 0..5 {
        assert_eq!(read_response(&mut stream).await.message, Response::Status(status(GATED)));
    }
    // What was answered is in flight no more.
    server.gate.add_permits(1);
    stream.write_all(&frame(7, long_request(GATED, 200_000))).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(read_response(&mut stream).await.id, 7);
}

#[tokio::test]
async fn a_client_waits_rather_than_exceed_the_number_in_flight() {
    let (server, channel) = open().await;
    let calls = join_all((0..2 * MAX_IN_FLIGHT).map(|_| channel.call(ASK_GATED, AMPLE)));
    let (responses, ()) = tokio::join!(calls, async { server.gate.add_permits(2 * MAX_IN_FLIGHT) });
    assert!(responses.into_iter().all(|response| response.unwrap() == Response::Status(status(GATED))));
}

#[tokio::test]
async fn a_call_given_up_leaves_the_channel_usable() {
    let (server, channel) = open().await;
    for _ in 0..2 * MAX_IN_FLIGHT {
        // Answered later, to nobody.
        let given_up = tokio::time::timeout(Duration::ZERO, channel.call(ASK_GATED, AMPLE)).await;
        assert!(given_up.is_err());
    }
    server.gate.add_permits(2 * MAX_IN_FLIGHT);
    assert_eq!(channel.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
}

#[tokio::test]
async fn a_peer_that_answers_nothing_at_all_counts_as_dead() {
    let (_server, channel) = open().await;
    channel.call(ASK, AMPLE).await.unwrap();
    let late = channel.call(ASK_GATED, Duration::from_millis(20)).await;
    assert!(matches!(late, Err(CallError::TimedOut { .. })));
    channel.closed().await;
    assert!(channel.is_closed());
    assert!(matches!(channel.call(ASK, AMPLE).await, Err(CallError::Closed { .. })));
}

#[tokio::test]
async fn a_peer_that_answers_others_is_not_dead() {
    let (server, channel) = open().await;
    let waiting = async {
        let late = channel.call(ASK_GATED, Duration::from_millis(200)).await;
        assert!(matches!(late, Err(CallError::TimedOut { .. })));
    };
    let others = async { channel.call(ASK, AMPLE).await.unwrap() };
    tokio::join!(waiting, others);
    server.gate.add_permits(1);
    assert_eq!(channel.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
}

#[tokio::test]
async fn a_cut_ends_the_calls_in_flight_at_once() {
    let (mut server, channel) = open().await;
    let (_, cut) = server.opened.recv().await.unwrap();
    let (call, ()) = tokio::join!(channel.call(ASK_GATED, AMPLE), async { cut.cancel() });
    assert!(matches!(call, Err(CallError::Closed { .. })));
    assert!(channel.is_closed());
}

#[tokio::test]
async fn a_killed_server_ends_all_calls_and_a_new_one_is_reached() {
    let (mut server, channel) = open().await;
    server.opened.recv().await.unwrap();
    server.task.abort();
    let calls = join_all((0..10).map(|_| channel.call(ASK_GATED, AMPLE))).await;
    assert!(calls.into_iter().all(|call| matches!(call, Err(CallError::Closed { .. }))));
}

#[tokio::test]
async fn the_last_handle_closes_the_channel() {
    let (mut server, channel) = open().await;
    channel.call(ASK, AMPLE).await.unwrap();
    drop(channel);
    server.stop.cancel();
    // With a channel still open this would take the whole grace.
    (&mut server.task).await.unwrap();
}

#[tokio::test]
async fn a_request_that_fits_no_frame_is_not_sent() {
    let (_server, channel) = open().await;
    let refused = channel.call(long_request(OPEN, MAX_FRAME + 100), AMPLE).await;
    assert!(matches!(refused, Err(CallError::TooLarge { size }) if size > MAX_FRAME));
    assert_eq!(channel.call(ASK, AMPLE).await.unwrap(), Response::Status(status(OPEN)));
}

#[tokio::test]
async fn a_malformed_request_is_answered_by_its_number() {
    let server = Server::start(1, Limits::default()).await;
    let mut stream = raw(&server).await;
    stream.write_all(&frame(7, "not a request")).await.unwrap();
    stream.write_all(&frame(8, ASK)).await.unwrap();
    stream.flush().await.unwrap();
    let malformed = Numbered { id: 7, message: Response::Error(Error::Malformed) };
    assert_eq!(read_response(&mut stream).await, malformed);
    assert_eq!(read_response(&mut stream).await.id, 8);
}

#[tokio::test]
async fn a_peer_of_no_protocol_and_an_oversized_frame_are_cut_off() {
    let server = Server::start(1, Limits::default()).await;
    let oversized = u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes();
    for bytes in [&oversized[..], b"\0\0\0\x04GET "] {
        let mut stream = raw(&server).await;
        stream.write_all(bytes).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(until_closed(&mut stream).await, 0);
    }
}

#[tokio::test]
async fn slow_frames_and_idle_channels_are_cut_off() {
    let short = Duration::from_millis(100);
    for (limits, sent) in [
        (Limits { frame_time: short, ..Limits::default() }, &frame(1, ASK)[..5]),
        (Limits { idle: short, ..Limits::default() }, &[][..]),
    ] {
        let server = Server::start(1, limits).await;
        let mut stream = raw(&server).await;
        stream.write_all(sent).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(until_closed(&mut stream).await, 0);
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_off_and_holds_up_no_other() {
    let listener =
        listener::Limits { handshake_time: Duration::from_millis(100), ..listener::Limits::default() };
    let server = Server::start(1, Limits { listener, ..Limits::default() }).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let channel = dialler(2).channel(&server.route(), &pair(1).public()).await.unwrap();
    channel.call(ASK, AMPLE).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_answers_oddly_breaks_the_channel_with_the_cause() {
    let (client, mut server) = tokio::io::duplex(1024);
    let channel = Channel::over(client);
    let answering = async {
        server.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    };
    let (call, ()) = tokio::join!(channel.call(ASK, AMPLE), answering);
    let Err(CallError::Closed { cause: Some(cause) }) = call else { panic!("{call:?}") };
    assert!(matches!(*cause, FrameError::Oversized { .. }));
}
