//! A real access manager on loopback, behind its TLS, with accounts whose keys the test holds.
#![allow(dead_code, reason = "each test binary uses its own part of the harness")]

pub mod world;

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use symbolon_access_manager::{AccessManager, Config, Keys, Limits, Listeners, OpenError};
use symbolon_channel::{Identity, Server, http};
use symbolon_encoding::to_canonical;
use symbolon_protocol::api::{Problem, ProblemType};
use symbolon_trust::KeyPair;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use world::World;

/// The access manager's identity and permit key.
pub fn keys() -> Keys {
    Keys { identity: pair(250), permit: pair(251) }
}

/// A key pair of the test.
pub fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

/// Now, Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A directory with the accounts of some worlds.
pub fn directory(worlds: &[&World]) -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("accounts")).unwrap();
    for world in worlds {
        let path = directory.path().join(format!("accounts/{}.root", world.name));
        std::fs::write(path, to_canonical(world.root.signed())).unwrap();
    }
    directory
}

/// The configuration of an access manager in a directory.
pub fn config(directory: &Path) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        public: None,
        datastore: directory.join("access.db"),
        accounts: directory.join("accounts"),
        policy: None,
        identity: directory.join("identity.key"),
        permit_key: directory.join("permit.key"),
        addresses: std::collections::BTreeMap::default(),
        limits: Limits::default(),
    }
}

/// A running access manager.
pub struct Site {
    pub address: SocketAddr,
    pub public: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Site {
    /// Starts one.
    pub async fn start(config: &Config) -> Self {
        Self::try_start(config).await.unwrap()
    }

    /// Starts one, if it can be started.
    pub async fn try_start(config: &Config) -> Result<Self, OpenError> {
        let manager = AccessManager::open(config, keys()).await?;
        let between_roles = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public = match config.public {
            Some(_) => Some(TcpListener::bind("127.0.0.1:0").await.unwrap()),
            None => None,
        };
        let address = between_roles.local_addr().unwrap();
        let public_address = public.as_ref().map(|listener| listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let listeners = Listeners { between_roles, public };
        let serving = tokio::spawn(manager.serve(listeners, async {
            let _ = stopped.await;
        }));
        Ok(Self { address, public: public_address, stop: Some(stop), serving })
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.serving.await.unwrap();
    }

    /// The server, as clients know it.
    pub fn server(&self) -> Server {
        Server { address: self.address.to_string(), key: keys().identity.public() }
    }

    /// A client with this key.
    pub fn client(&self, key: &KeyPair) -> Client {
        Client(http::Client::new(Identity::new(key).unwrap(), self.server()))
    }
}

/// A client of the interface.
#[derive(Clone)]
pub struct Client(http::Client);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(http::Request::new(Method::GET, path)).await
    }

    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send(with_body(Method::PUT, path, body)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send(with_body(Method::POST, path, body)).await
    }

    pub async fn with_header(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        header: (&'static str, &str),
    ) -> Answer {
        let mut request = http::Request::new(method, path);
        if let Some(body) = body {
            request = request.with_json(body.to_owned());
        }
        let (name, value) = (HeaderName::from_static(header.0), HeaderValue::from_str(header.1).unwrap());
        self.send(request.with_header(name, value)).await
    }

    pub async fn send(&self, request: http::Request) -> Answer {
        let answer = self.0.send(request.within(Duration::from_mins(1)).at_most(32 << 20)).await.unwrap();
        Answer { status: answer.status, headers: answer.headers, body: answer.body.to_vec() }
    }
}

fn with_body(method: Method, path: &str, body: &impl Serialize) -> http::Request {
    http::Request::new(method, path).with_json(serde_json::to_vec(body).unwrap())
}

impl Answer {
    /// The body of an answer that went well.
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// An answer that went well, whatever its body.
    #[track_caller]
    pub fn done(self) -> Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self
    }

    /// A problem of this kind, as RFC 9457 wants it.
    #[track_caller]
    pub fn problem(self, kind: ProblemType) -> Problem {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.kind, kind, "{problem:?}");
        assert_eq!(self.status.as_u16(), kind.status());
        assert!(problem.detail.as_ref().is_some_and(|detail| !detail.is_empty()));
        problem
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
