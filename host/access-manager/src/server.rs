//! The server: opening with everything that can be refused, then serving until it is told to stop.

use crate::{
    accounts::{self, AccountsError},
    call::Peer,
    config::{Config, Public},
    failure::Failure,
    housekeeping,
    policy::{Policies, PolicyError},
    relay, routes,
    service::{Parts, Service},
};
use axum::{Router, body::Body, response::Response};
use hyper::{Method, Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{convert::Infallible, io, path::PathBuf, sync::Arc, time::Duration};
use symbolon_channel::{
    Identity, IdentityError,
    listener::{self, Accepted},
    quiet::UnderWay,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    tls,
};
use symbolon_store::{Datastore, OpenError as StoreOpenError, Owner, Role, access};
use symbolon_trust::KeyPair;
use tokio::net::TcpListener;
use tracing::{info, warn};

/// The access manager's own keys, unlocked.
pub struct Keys {
    /// Answers TLS connections; the root documents name it.
    pub identity: KeyPair,
    /// Signs permits and checkpoints; the role `permit` of the root documents names it.
    pub permit: KeyPair,
}

/// Bound ports.
pub struct Listeners {
    /// For holders, managers and owners.
    pub between_roles: TcpListener,
    /// The public one, where the configuration has it.
    pub public: Option<TcpListener>,
}

/// Why the access manager doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The datastore.
    #[error("the datastore {} is of no use", path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: StoreOpenError,
    },
    /// The directory of accounts.
    #[error("the accounts are of no use")]
    Accounts(#[from] AccountsError),
    /// A policy.
    #[error("an operator's policy is of no use")]
    Policy(#[from] PolicyError),
    /// The identity key.
    #[error("the identity key is of no use")]
    Identity(#[from] IdentityError),
    /// A PEM file of the public port.
    #[error("{} holds no PEM of the expected kind, or cannot be read", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rustls::pki_types::pem::Error,
    },
    /// The TLS library refuses keys or certificates.
    #[error("the TLS library refuses keys or certificates")]
    Tls(#[from] rustls::Error),
    /// Anything else, among them a clock before the last time that was seen.
    #[error("an account can't be taken up")]
    Account(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It doesn't start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A port.
    #[error("a port is of no use")]
    Port(#[source] io::Error),
}

/// An access manager that is ready to serve.
pub struct AccessManager {
    service: Arc<Service>,
    between_roles: ServerConfig,
    public: Option<ServerConfig>,
    limits: listener::Limits,
}

impl AccessManager {
    /// Opens the datastore and takes up the accounts. Whatever can be refused is refused here.
    pub async fn open(config: &Config, keys: Keys) -> Result<Self, OpenError> {
        let installed = accounts::read(&config.accounts)?;
        let own =
            installed.iter().filter_map(|account| Some((account.root.account(), account.policy.clone()?)));
        let policies = Policies::read(config.policy.as_deref(), &own.collect::<Vec<_>>())?;
        let identity = Identity::new(&keys.identity)?;
        let between_roles = tls::between_roles_server(&identity, tls::ALPN_HTTP)?;
        let public = config.public.as_ref().map(public_tls).transpose()?;
        let own = keys.identity.public().thumbprint();
        let store = open_store(config, own).await?;
        let (permit_key, addresses, limits) = (keys.permit, config.addresses.clone(), config.limits);
        let service = Arc::new(Service::new(Parts { store, permit_key, own, policies, addresses, limits }));
        for account in &installed {
            service.install(account).await.map_err(|failure| OpenError::Account(failure.into()))?;
            info!(account = %account.root.account(), "serving");
        }
        if installed.is_empty() {
            warn!(folder = %config.accounts.display(), "no account to serve: there is no root document (*.root)");
        }
        let limits =
            listener::Limits { connections: config.limits.connections, ..listener::Limits::default() };
        Ok(Self { service, between_roles, public, limits })
    }

    /// Serves until `shutdown`; then requests end, long polls are answered, and tunnels are cut.
    pub async fn serve(self, listeners: Listeners, shutdown: impl Future<Output = ()>) {
        tls::seed_random();
        let stop = self.service.stop.clone();
        let (router, _) = routes::router().split_for_parts();
        let router =
            router.method_not_allowed_fallback(method_not_allowed).with_state(Arc::clone(&self.service));
        let connections = Connections { service: Arc::clone(&self.service), router };
        let roles = connections.serve(listeners.between_roles, self.between_roles, self.limits);
        let public = async {
            if let (Some(listener), Some(tls)) = (listeners.public, self.public) {
                connections.serve(listener, tls, self.limits).await;
            }
        };
        let stopping = async {
            shutdown.await;
            stop.cancel();
        };
        tokio::join!(roles, public, housekeeping::run(&self.service), stopping);
    }
}

/// Opens, then serves: for whoever has no need of the moment between.
pub async fn run(
    config: &Config,
    keys: Keys,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    AccessManager::open(config, keys).await?.serve(listeners, shutdown).await;
    Ok(())
}

async fn open_store(
    config: &Config,
    identity: symbolon_fragments::names::Thumbprint,
) -> Result<Datastore, OpenError> {
    let owner = Owner { role: Role::AccessManager, identity };
    let opened = Datastore::open(&config.datastore, &owner, &access::SCHEMA).await;
    opened.map_err(|cause| OpenError::Store { path: config.datastore.clone(), cause })
}

fn public_tls(files: &Public) -> Result<ServerConfig, OpenError> {
    let pem = |path: &PathBuf| {
        let path = path.clone();
        move |cause| OpenError::Pem { path, cause }
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(pem(&files.certificate))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(pem(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(pem(&files.key))?;
    Ok(tls::public_server(chain, key)?)
}

/// Serves connections of any port.
#[derive(Clone)]
struct Connections {
    service: Arc<Service>,
    router: Router,
}

impl Connections {
    async fn serve(&self, listener: TcpListener, tls: ServerConfig, limits: listener::Limits) {
        let connections = self.clone();
        let serve = move |accepted| connections.clone().connection(accepted);
        listener::accept(listener, tls, limits, self.service.stop.clone(), serve).await;
    }

    async fn connection(self, accepted: Accepted) {
        let peer = Peer(accepted.holder());
        let (service, stop) = (Arc::clone(&self.service), self.service.stop.clone());
        let (web, under_way) = (TowerToHyperService::new(self.router), UnderWay::default());
        let requests = under_way.clone();
        let answer = service_fn(move |request| {
            requests.during(answer(Arc::clone(&service), web.clone(), peer, request))
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let head: Duration = self.service.request_time;
        builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(accepted.stream), answer);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = under_way.none_for(head) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(cause = &*error, "connection broke");
        }
    }
}

async fn answer(
    service: Arc<Service>,
    web: TowerToHyperService<Router>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    if request.method() == Method::CONNECT {
        return Ok(relay::connect(service, peer, request).await);
    }
    request.extensions_mut().insert(peer);
    hyper::service::Service::call(&web, request.map(Body::new)).await
}

async fn method_not_allowed() -> Failure {
    Failure::MethodNotAllowed
}
