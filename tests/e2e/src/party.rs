//! A party that speaks the protocol itself, with whatever keys it has: an honest program, or a thief with stolen ones.
//!
//! It uses the project's channel and documents, but none of the client's rules: it sends what the client would never send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use symbolon_channel::http::{self, Answer, HttpError};
use symbolon_channel::relay::Destination;
use symbolon_channel::{CallError, Channel, DialError, Dialler, Identity, Route, Server, tls};
use symbolon_fragments::Fields;
use symbolon_fragments::names::{InstanceId, Purpose};
use symbolon_protocol::wire::{self, Inputs, Request, Response};
use symbolon_trust::{KeyPair, PublicKey};
use tokio::runtime::Runtime;

use crate::PATIENCE;
use crate::account::Credential;

/// One party, by its Ed25519 key.
pub struct Party {
    key: KeyPair,
    runtime: Runtime,
    dialler: Dialler,
}

impl Party {
    /// A party with this key.
    pub fn new(key: &KeyPair) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let identity = Identity::new(key).expect("an Ed25519 key makes a certificate");
        Self { key: KeyPair::from_seed(&key.seed()), runtime, dialler: Dialler::new(identity, PATIENCE) }
    }

    /// A party that nobody knows.
    pub fn stranger() -> Self {
        Self::new(&new_key())
    }

    /// Its key.
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// The fields of an input that this party would write now.
    pub fn fresh_fields(&self) -> Fields {
        let mut r = [0; 32];
        getrandom::fill(&mut r).expect("the system gives random bytes");
        Fields { purpose: Purpose::Data, writer: self.key.public().thumbprint(), created: unix_time(), r }
    }

    /// A channel to a fragment manager's own address.
    pub fn direct(&self, address: SocketAddr, manager: &PublicKey) -> Result<Conversation<'_>, DialError> {
        self.open(&Route::Direct { address: address.to_string() }, manager)
    }

    /// A channel to a fragment manager through the access manager's relay.
    pub fn relayed(
        &self,
        access_manager: &Server,
        destination: Destination,
        manager: &PublicKey,
    ) -> Result<Conversation<'_>, DialError> {
        self.open(&Route::Relayed { relay: access_manager.clone(), destination }, manager)
    }

    fn open(&self, route: &Route, manager: &PublicKey) -> Result<Conversation<'_>, DialError> {
        let channel = self.runtime.block_on(self.dialler.channel(route, manager))?;
        Ok(Conversation { party: self, channel })
    }

    /// A connection to a role on which this party writes what it likes.
    pub fn connection(&self, address: SocketAddr, role: &PublicKey, alpn: &[u8]) -> Connection {
        let config = tls::between_roles_client(self.dialler.identity(), role, alpn).expect("a configuration");
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        let socket = TcpStream::connect(address).expect("the role accepts");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket has a time-out");
        Connection(StreamOwned::new(session, socket))
    }

    /// One request to an access manager's REST interface.
    pub fn rest(&self, access_manager: &Server, request: http::Request) -> Result<Answer, HttpError> {
        let client = http::Client::new(self.dialler.identity().clone(), access_manager.clone());
        self.runtime.block_on(client.send(request))
    }
}

/// An open connection to a role, inside TLS and below everything else.
pub struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    /// Writes bytes, whole or not at all.
    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the role reads");
    }

    /// What the role writes first.
    pub fn first(&mut self) -> Vec<u8> {
        let mut first = vec![0; 4096];
        let length = self.0.read(&mut first).expect("the role answers");
        first.truncate(length);
        first
    }

    /// What the role writes until it ends the connection, which it has to; how it ends it doesn't matter.
    pub fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let start = Instant::now();
        let _ = self.0.read_to_end(&mut rest);
        assert!(start.elapsed() < PATIENCE, "the role keeps the connection open");
        rest
    }
}

/// The system's clock, Unix seconds.
pub fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

/// A new random key.
pub fn new_key() -> KeyPair {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the system gives random bytes");
    KeyPair::from_seed(&seed)
}

/// An open channel to a fragment manager.
pub struct Conversation<'a> {
    party: &'a Party,
    channel: Channel,
}

impl Conversation<'_> {
    /// Sends one request and waits for the answer.
    pub fn call(&self, request: Request) -> Result<Response, CallError> {
        self.party.runtime.block_on(self.channel.call(request, PATIENCE))
    }

    /// Shows a credential, and gives the handle of the verdict.
    pub fn authorise(&self, credential: &Credential) -> Result<u64, wire::Error> {
        let (grant, permit) = credential.clone();
        match self.call(Request::Authorise { grant, permit }) {
            Ok(Response::Authorised { handle, .. }) => Ok(handle),
            Ok(Response::Error(error)) => Err(error),
            other => panic!("a verdict was expected, not {other:?}"),
        }
    }

    /// Asks for one evaluation.
    pub fn evaluate(
        &self,
        handle: u64,
        instance: InstanceId,
        fields: Fields,
        prove: bool,
    ) -> Result<Vec<u8>, wire::Error> {
        let inputs = Inputs::new(vec![fields]).expect("one input is allowed");
        match self.call(Request::Evaluate { handle, instance, prove, inputs }) {
            Ok(Response::Evaluated { evaluations, .. }) => Ok(evaluations[0].as_bytes().to_vec()),
            Ok(Response::Error(error)) => Err(error),
            other => panic!("an evaluation was expected, not {other:?}"),
        }
    }

    /// Sends one request, and gives the manager's refusal of it.
    #[track_caller]
    pub fn refused(&self, request: Request) -> wire::Error {
        match self.call(request) {
            Ok(Response::Error(error)) => error,
            other => panic!("a refusal was expected, not {other:?}"),
        }
    }
}
