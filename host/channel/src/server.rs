//! The answering side of a channel: frames in, requests to a [`Session`], responses out, many at a time.
//!
//! It bounds what a peer may hold (requests in flight, unread responses, unfinished frames, silence), and knows
//! nothing of what requests mean.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{Sink, Stream};
use rustls::ServerConfig;
use symbolon_protocol::wire::{
    Error as Answer, MAX_IN_FLIGHT, MalformedMessage, Numbered, Request, Response,
};
use symbolon_trust::ProvenHolder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::frame::{FrameError, Frames, Received};
use crate::listener::{self, Accepted};

/// Initial size of each of a connection's two buffers: an idle connection is cheap, a batch makes them grow.
const BUFFER: usize = 2048;
/// Unread response bytes at which no further request is read.
const UNREAD: usize = 256 * 1024;
/// Bytes of requests in flight, of one of them if it is longer; a further one is answered `busy`.
const HELD: usize = 1 << 20;
/// Responses after which a connection lets others run and its bytes go out.
const TURN: usize = 8;

/// What a server answers with. One for all its channels.
pub trait Service: Send + Sync + 'static {
    /// What one channel remembers.
    type Session: Session;

    /// A channel was opened by that holder. `cut` closes it from outside, at once and without a word.
    fn open(&self, holder: ProvenHolder, cut: CancellationToken) -> Self::Session;
}

/// One channel's side of a [`Service`]; dropped when the channel closes.
pub trait Session: Send + Sync {
    /// Answers a request. Other requests of the channel are answered meanwhile; dropping the future abandons it.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// Bounds on what a proven peer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds before the proof.
    pub listener: listener::Limits,
    /// Time from a frame's first byte to its last.
    pub frame_time: Duration,
    /// Time without any frame after which a channel is closed.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            listener: listener::Limits::default(),
            frame_time: Duration::from_secs(10),
            idle: Duration::from_mins(15),
        }
    }
}

/// Why a channel ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The peer closed it.
    #[error("closed by the peer")]
    Closed,
    /// Bytes or transport failed.
    #[error("the channel failed")]
    Failed(#[from] FrameError),
    /// A frame without a request's number.
    #[error("the peer doesn't speak the protocol")]
    NotTheProtocol,
    /// A frame took too long.
    #[error("a frame took too long")]
    SlowFrame,
    /// No frame for too long.
    #[error("idle for too long")]
    Idle,
    /// Cut from outside.
    #[error("cut")]
    Cut,
}

/// Serves channels on a listener until `stop`.
pub async fn serve<S: Service>(
    listener: TcpListener,
    tls: ServerConfig,
    limits: Limits,
    stop: CancellationToken,
    service: Arc<S>,
) {
    let channels = stop.child_token();
    listener::accept(listener, tls, limits.listener, stop, move |accepted: Accepted| {
        let (service, cut) = (Arc::clone(&service), channels.child_token());
        async move {
            let Some(holder) = accepted.holder() else { return };
            let session = service.open(holder, cut.clone());
            let ended = converse(accepted.stream, &session, limits, &cut).await;
            debug!(address = %accepted.address, cause = &ended as &dyn std::error::Error, "channel ended");
        }
    })
    .await;
}

/// Answers the requests of one channel until it ends.
pub async fn converse<T, S>(transport: T, session: &S, limits: Limits, cut: &CancellationToken) -> Ended
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Session,
{
    let mut conversation = Conversation {
        framed: Framed::with_capacity(transport, Frames::new(), BUFFER),
        answer: |request, size| numbered_answer(session, request, size),
        running: FuturesUnordered::new(),
        held: 0,
        patience: Patience::new(limits),
    };
    cut.run_until_cancelled(poll_fn(|cx| conversation.poll(cx))).await.unwrap_or(Ended::Cut)
}

async fn numbered_answer<S: Session>(session: &S, request: Numbered<Request>, size: usize) -> Answered {
    let response = Numbered { id: request.id, message: session.answer(request.message).await };
    Answered { size, response }
}

/// A response, and the size of its request.
struct Answered {
    size: usize,
    response: Numbered<Response>,
}

type Requests<T> = Framed<T, Frames<Request, Response>>;

/// One channel under way.
struct Conversation<T, A, F> {
    framed: Requests<T>,
    answer: A,
    running: FuturesUnordered<F>,
    /// Bytes of the requests that are running.
    held: usize,
    patience: Patience,
}

impl<T, A, F> Conversation<T, A, F>
where
    T: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Numbered<Request>, usize) -> F,
    F: Future<Output = Answered>,
{
    /// Ready when the channel has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        match self.turn(cx) {
            Ok(()) => self.patience.poll(cx, self.frame_is_unfinished()),
            Err(ended) => Poll::Ready(ended),
        }
    }

    /// Takes what came, answers a bounded part of it, writes what can be written.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        self.take(cx)?;
        self.give(cx)?;
        match Pin::new(&mut self.framed).poll_flush(cx) {
            Poll::Ready(result) => Ok(result?),
            Poll::Pending => Ok(()),
        }
    }

    fn take(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        while self.framed.write_buffer().len() < UNREAD {
            let Poll::Ready(frame) = Pin::new(&mut self.framed).poll_next(cx) else { break };
            self.patience.renew();
            let Received { size, message } = frame.ok_or(Ended::Closed)??;
            match message {
                Ok(request) if self.has_room(size) => {
                    self.held += size;
                    self.running.push((self.answer)(request, size));
                }
                Ok(request) => self.refuse(request.id, Answer::Busy)?,
                Err(MalformedMessage::Body { id }) => self.refuse(id, Answer::Malformed)?,
                Err(MalformedMessage::Frame) => return Err(Ended::NotTheProtocol),
            }
        }
        Ok(())
    }

    fn give(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        for _ in 0..TURN {
            match Pin::new(&mut self.running).poll_next(cx) {
                Poll::Ready(Some(Answered { size, response })) => {
                    self.held -= size;
                    self.send(response)?;
                }
                Poll::Ready(None) | Poll::Pending => return Ok(()),
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn has_room(&self, size: usize) -> bool {
        self.running.is_empty() || self.running.len() < MAX_IN_FLIGHT && self.held + size <= HELD
    }

    fn refuse(&mut self, id: u64, error: Answer) -> Result<(), Ended> {
        self.send(Numbered { id, message: Response::Error(error) })
    }

    fn send(&mut self, response: Numbered<Response>) -> Result<(), Ended> {
        let id = response.id;
        match Pin::new(&mut self.framed).start_send(response) {
            Err(FrameError::Unsendable { .. }) => self.refuse(id, Answer::TooLarge),
            sent => Ok(sent?),
        }
    }

    fn frame_is_unfinished(&self) -> bool {
        !self.framed.read_buffer().is_empty() && self.framed.write_buffer().len() < UNREAD
    }
}

/// Notices frames that don't end and channels that nobody uses.
///
/// Its timer is set rarely: when it rings, it looks at what happened meanwhile.
struct Patience {
    limits: Limits,
    last_frame: Instant,
    unfinished_since: Option<Instant>,
    bell: Pin<Box<Sleep>>,
}

impl Patience {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let bell = Box::pin(sleep_until(now + limits.idle));
        Self { limits, last_frame: now, unfinished_since: None, bell }
    }

    /// A frame came.
    fn renew(&mut self) {
        self.last_frame = Instant::now();
        self.unfinished_since = None;
    }

    fn poll(&mut self, cx: &mut Context<'_>, unfinished: bool) -> Poll<Ended> {
        if unfinished && self.unfinished_since.is_none() {
            self.unfinished_since = Some(Instant::now());
            let (end, _) = self.end();
            self.bell.as_mut().reset(end);
        }
        while self.bell.as_mut().poll(cx).is_ready() {
            let (end, why) = self.end();
            if end <= Instant::now() {
                return Poll::Ready(why);
            }
            self.bell.as_mut().reset(end);
        }
        Poll::Pending
    }

    /// When patience ends, if nothing more comes, and why.
    fn end(&self) -> (Instant, Ended) {
        let idle = self.last_frame + self.limits.idle;
        match self.unfinished_since.map(|since| since + self.limits.frame_time) {
            Some(slow) if slow < idle => (slow, Ended::SlowFrame),
            _ => (idle, Ended::Idle),
        }
    }
}
