//! A small HTTP/1.1 client over our TLS, for the access manager's interfaces: pinned key, bounded bodies.
//!
//! It keeps a few idle connections. It doesn't retry what may have been carried out, follows no redirect, and knows no
//! path.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::Response;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

pub use hyper::header::{HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode};

use crate::dial::{DialError, Dialler, Server};
use crate::identity::Identity;

/// Idle connections kept: more callers at a time than that dial anew.
const KEPT: usize = 8;
/// Time for connecting, all handshakes included.
const CONNECT: Duration = Duration::from_secs(10);

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Path and query, percent-encoded.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A JSON document, if it has a body.
    pub json: Option<Bytes>,
    /// Time until the whole answer is there; longer than the wait of a long poll.
    pub within: Duration,
    /// Most bytes of the answer's body.
    pub most: usize,
}

impl Request {
    /// A request without body: 30 seconds, an answer of at most 4 MiB.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            json: None,
            within: Duration::from_secs(30),
            most: 4 << 20,
        }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn with_json(mut self, json: impl Into<Bytes>) -> Self {
        self.json = Some(json.into());
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with another time limit.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The same with another limit of the answer's size.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }
}

/// An answer of any status; what it means is the caller's to judge.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("no connection to the access manager at {address}")]
    Dial {
        /// `host:port`.
        address: String,
        /// Why.
        #[source]
        cause: DialError,
    },
    /// Path or header can't be sent.
    #[error("not a valid request")]
    Invalid(#[from] hyper::http::Error),
    /// The connection broke. The request may have been carried out.
    #[error("the connection to the access manager broke")]
    Broken(#[source] hyper::Error),
    /// The answer's body broke.
    #[error("the access manager's answer broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is larger than allowed.
    #[error("the access manager's answer exceeds {most} bytes")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// It took too long. The request may have been carried out.
    #[error("no answer of the access manager within {within:?}")]
    TimedOut {
        /// The time allowed.
        within: Duration,
    },
}

type Connection = SendRequest<Full<Bytes>>;
type Outgoing = hyper::Request<Full<Bytes>>;

/// A client of one access manager, as one identity. Clones share connections.
#[derive(Clone)]
pub struct Client {
    dialler: Dialler,
    server: Arc<Server>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Client {
    /// A client; it connects when it is used.
    pub fn new(identity: Identity, server: Server) -> Self {
        Self { dialler: Dialler::new(identity, CONNECT), server: Arc::new(server), idle: Arc::default() }
    }

    /// The access manager.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Closes the connections that are idle. Exchanges under way go on.
    pub fn hang_up(&self) {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let (within, most) = (request.within, request.most);
        let outgoing = self.outgoing(request)?;
        let exchange = self.exchange(outgoing, most);
        timeout(within, exchange).await.map_err(|_| HttpError::TimedOut { within })?
    }

    fn outgoing(&self, request: Request) -> Result<Outgoing, HttpError> {
        let mut builder = hyper::Request::builder()
            .method(request.method)
            .uri(request.path)
            .header(HOST, self.server.address.as_str());
        if request.json.is_some() {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        Ok(builder.body(Full::new(request.json.unwrap_or_default()))?)
    }

    async fn exchange(&self, request: Outgoing, most: usize) -> Result<Answer, HttpError> {
        let (response, connection) = self.respond(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, most).collect().await.map_err(|error| body_error(error, most))?;
        self.keep(connection);
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// Over an idle connection if one is left that takes the request, else over a new one.
    async fn respond(
        &self,
        mut request: Outgoing,
    ) -> Result<(Response<hyper::body::Incoming>, Connection), HttpError> {
        while let Some(mut connection) = self.take() {
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                // The server had closed it, and has not seen the request.
                Err(mut unsent) => match unsent.take_message() {
                    Some(message) => request = message,
                    None => return Err(HttpError::Broken(unsent.into_error())),
                },
            }
        }
        let mut connection = self.connect().await?;
        let response = connection.send_request(request).await.map_err(HttpError::Broken)?;
        Ok((response, connection))
    }

    async fn connect(&self) -> Result<Connection, HttpError> {
        let stream = self.dialler.http(&self.server).await;
        let stream =
            stream.map_err(|cause| HttpError::Dial { address: self.server.address.clone(), cause })?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Broken)?;
        tokio::spawn(async move {
            // Its failure is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(Connection::is_ready)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !connection.is_closed() && idle.len() < KEPT {
            idle.push(connection);
        }
    }
}

fn body_error(error: Box<dyn std::error::Error + Send + Sync>, most: usize) -> HttpError {
    if error.is::<LengthLimitError>() { HttpError::TooLarge { most } } else { HttpError::Body(error) }
}
