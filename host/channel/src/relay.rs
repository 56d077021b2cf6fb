//! The relay: an HTTP `CONNECT` tunnel from a caller to one fragment manager, bytes both ways.
//!
//! It can't read what it carries. Who may open a tunnel is the access manager's decision; here is only the carrying:
//! bounded in idleness, counted, and cut when the caller is revoked.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use symbolon_fragments::names::{AccountId, Index};
use symbolon_protocol::api::{Id, path};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::socket;

/// Bytes copied at a time, each way: a batch fits, and an idle tunnel costs about 18 KiB.
const COPY: usize = 4096;

/// Which manager a tunnel leads to: an account, and the manager's number in its roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The account, by whose roster the relay finds the address.
    pub account: AccountId,
    /// The manager's number in the roster.
    pub index: Index,
}

impl fmt::Display for Destination {
    /// The authority of the `CONNECT` request (specification §6).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&path::relay_authority(&Id(*self.account.as_bytes()), self.index.get()))
    }
}

/// What a tunnel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time to reach the manager.
    pub connect: Duration,
    /// Time without a byte in either direction.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), idle: Duration::from_mins(15) }
    }
}

/// How a tunnel ended, and what it carried.
#[derive(Debug)]
pub struct Carried {
    /// Bytes from the caller.
    pub up: u64,
    /// Bytes to the caller.
    pub down: u64,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a tunnel ended.
#[derive(Debug)]
pub enum Ended {
    /// Both sides closed, in good order or by vanishing: inside the inner TLS they know which.
    Closed,
    /// A connection broke.
    Broken(io::Error),
    /// No byte for too long.
    Idle,
    /// Cut by the access manager.
    Cut,
}

/// A connection to a manager, ready to be joined to a caller. Made before the `CONNECT` request is answered, so that an
/// unreachable manager is an HTTP error.
pub struct Target {
    tcp: TcpStream,
    limits: Limits,
}

impl Target {
    /// Connects to a manager.
    pub async fn reach(address: &str, limits: Limits) -> io::Result<Self> {
        Ok(Self { tcp: socket::connect(address, limits.connect).await?, limits })
    }

    /// Copies both ways until a side closes, nothing happens for too long, or `cut` is pulled.
    pub async fn carry(self, caller: Upgraded, cut: &CancellationToken) -> Carried {
        self.join(TokioIo::new(caller), cut).await
    }

    async fn join(self, caller: impl AsyncRead + AsyncWrite + Unpin, cut: &CancellationToken) -> Carried {
        let (up, down) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut caller = Counted { stream: caller, read: &up };
        let mut manager = Counted { stream: self.tcp, read: &down };
        let ended = tokio::select! {
            result = copy_bidirectional_with_sizes(&mut caller, &mut manager, COPY, COPY) => end_of(result),
            () = idleness(&up, &down, self.limits.idle) => Ended::Idle,
            () = cut.cancelled() => Ended::Cut,
        };
        Carried { up: up.load(Ordering::Relaxed), down: down.load(Ordering::Relaxed), ended }
    }
}

/// A caller that drops its TLS without a word ends a tunnel normally.
fn end_of(result: io::Result<(u64, u64)>) -> Ended {
    match result {
        Ok(_) => Ended::Closed,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ended::Closed,
        Err(error) => Ended::Broken(error),
    }
}

/// Resolves after a whole period in which nothing was read.
async fn idleness(up: &AtomicU64, down: &AtomicU64, limit: Duration) {
    let seen = || (up.load(Ordering::Relaxed), down.load(Ordering::Relaxed));
    let mut before = seen();
    loop {
        sleep(limit).await;
        let now = seen();
        if now == before {
            return;
        }
        before = now;
    }
}

/// Counts what is read of a stream.
struct Counted<'a, T> {
    stream: T,
    read: &'a AtomicU64,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
