//! The asking side of a channel: a handle that many tasks share, each waiting for its own response.
//!
//! A channel that broke stays broken; whoever needs another one dials again.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use symbolon_protocol::wire::{MAX_IN_FLIGHT, Numbered, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::codec::Framed;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::frame::{FrameError, Frames, Received};

/// Initial size of each of a channel's two buffers.
const BUFFER: usize = 2048;
/// How long a closing channel tries to tell the peer.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a call got no response.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// None came in time.
    #[error("no response within {within:?}")]
    TimedOut {
        /// The time allowed.
        within: Duration,
    },
    /// The channel broke, before or during the call. The request may have been carried out.
    #[error("the channel is closed")]
    Closed {
        /// What broke it; none if the peer closed it in good order.
        #[source]
        cause: Option<Arc<FrameError>>,
    },
    /// The request doesn't fit a frame, and was not sent.
    #[error("the request of {size} bytes is too large")]
    TooLarge {
        /// Encoded length in bytes.
        size: usize,
    },
}

/// An open channel to one fragment manager. Clones share it; it closes when the last one is dropped.
///
/// A handshake ends before the server has judged the client, so a channel counts as open once a call was answered.
#[derive(Clone)]
pub struct Channel {
    calls: mpsc::Sender<Call>,
    state: Arc<State>,
    #[expect(dead_code, reason = "closes the channel with the last clone")]
    guard: Arc<DropGuard>,
}

struct State {
    /// Frames received; a call that sees no change of it until its deadline calls the channel dead.
    received: AtomicU64,
    ended: OnceLock<Option<Arc<FrameError>>>,
    close: CancellationToken,
}

struct Call {
    request: Request,
    reply: oneshot::Sender<Result<Response, CallError>>,
}

impl Channel {
    /// A channel over a connected transport. Runs a task on the current tokio runtime.
    pub fn over<T>(transport: T) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (calls, queue) = mpsc::channel(MAX_IN_FLIGHT);
        let close = CancellationToken::new();
        let state =
            Arc::new(State { received: AtomicU64::new(0), ended: OnceLock::new(), close: close.clone() });
        let exchange = Exchange {
            framed: Framed::with_capacity(transport, Frames::new(), BUFFER),
            queue,
            waiting: HashMap::new(),
            next: 0,
            state: Arc::clone(&state),
        };
        tokio::spawn(exchange.run());
        Self { calls, state, guard: Arc::new(close.drop_guard()) }
    }

    /// Sends a request and waits for its response. Dropping the future gives the call up; its response is ignored.
    ///
    /// If nothing at all came from the peer during a call that timed out, the channel is closed.
    pub async fn call(&self, request: Request, within: Duration) -> Result<Response, CallError> {
        let received = self.state.received.load(Ordering::Relaxed);
        if let Ok(result) = timeout(within, self.exchange(request)).await {
            return result;
        }
        if self.state.received.load(Ordering::Relaxed) == received {
            self.state.close.cancel();
        }
        Err(CallError::TimedOut { within })
    }

    /// Whether the channel is known to be broken.
    pub fn is_closed(&self) -> bool {
        self.calls.is_closed()
    }

    /// Resolves when the channel is broken.
    pub async fn closed(&self) {
        self.calls.closed().await;
    }

    async fn exchange(&self, request: Request) -> Result<Response, CallError> {
        let (reply, response) = oneshot::channel();
        let call = Call { request, reply };
        if self.calls.send(call).await.is_err() {
            return Err(self.state.broken());
        }
        response.await.unwrap_or_else(|_| Err(self.state.broken()))
    }
}

impl State {
    fn broken(&self) -> CallError {
        CallError::Closed { cause: self.ended.get().cloned().flatten() }
    }
}

/// The task behind the handles.
struct Exchange<T> {
    framed: Framed<T, Frames<Response, Request>>,
    queue: mpsc::Receiver<Call>,
    waiting: HashMap<u64, oneshot::Sender<Result<Response, CallError>>>,
    next: u64,
    state: Arc<State>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Exchange<T> {
    async fn run(mut self) {
        let close = self.state.close.clone();
        let ended = close.run_until_cancelled(poll_fn(|cx| self.poll(cx))).await;
        // Told before `queue` and `waiting` are dropped, so that every call that they end finds the cause.
        let _ = self.state.ended.set(ended.and_then(Result::err).map(Arc::new));
        let Self { mut framed, queue, waiting, .. } = self;
        drop((queue, waiting));
        let _ = timeout(FAREWELL, poll_fn(|cx| Pin::new(&mut framed).poll_close(cx))).await;
    }

    /// Ready when the channel has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        loop {
            self.send(cx)?;
            if let Poll::Ready(result) = self.framed_mut().poll_flush(cx) {
                result?;
            }
            match self.framed_mut().poll_next(cx)? {
                Poll::Ready(Some(Received { message: Ok(response), .. })) => self.deliver(response),
                Poll::Ready(Some(Received { message: Err(malformed), .. })) => {
                    let broken = std::io::Error::new(std::io::ErrorKind::InvalidData, malformed);
                    return Poll::Ready(Err(broken.into()));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes calls from the queue as long as the peer would accept them.
    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), FrameError> {
        while self.waiting.len() < MAX_IN_FLIGHT {
            let Poll::Ready(Some(call)) = self.queue.poll_recv(cx) else { return Ok(()) };
            if call.reply.is_closed() {
                continue;
            }
            self.next += 1;
            let (id, message) = (self.next, call.request);
            match self.framed_mut().start_send(Numbered { id, message }) {
                Ok(()) => drop(self.waiting.insert(id, call.reply)),
                Err(FrameError::Unsendable { size }) => {
                    drop(call.reply.send(Err(CallError::TooLarge { size })));
                }
                Err(broken) => return Err(broken),
            }
        }
        Ok(())
    }

    fn deliver(&mut self, response: Numbered<Response>) {
        self.state.received.fetch_add(1, Ordering::Relaxed);
        if let Some(reply) = self.waiting.remove(&response.id) {
            // Nobody waits any more if the call was given up.
            let _ = reply.send(Ok(response.message));
        }
    }

    fn framed_mut(&mut self) -> Pin<&mut Framed<T, Frames<Response, Request>>> {
        Pin::new(&mut self.framed)
    }
}
