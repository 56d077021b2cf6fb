//! A gateway from its start to its end.

use std::sync::Arc;

use axum::Router;
use symbolon_channel::CancellationToken;
use symbolon_channel::rustls::ServerConfig;
use symbolon_client::Client;
use symbolon_client::chain::Chain;
use tokio::net::TcpListener;

use crate::app::{Shared, Tenant, router};
use crate::callers::{CallersError, CallersFile};
use crate::config::{Config, Limits};
use crate::tls::{TlsError, server_config};

/// Why a gateway doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its certificate or key can't be used.
    #[error("the gateway's certificate cannot be used")]
    Tls(#[from] TlsError),
    /// A list of callers can't be used.
    #[error("a list of callers cannot be used")]
    Callers(#[from] CallersError),
}

/// A gateway that has all that it needs to serve.
pub struct Gateway {
    tls: ServerConfig,
    router: Router,
    limits: Limits,
}

impl Gateway {
    /// Reads certificate and callers. `clients` are those of the profiles of `config.accounts`, in that order, already unlocked.
    pub fn open(config: Config, clients: Vec<Client>) -> Result<Self, OpenError> {
        debug_assert_eq!(config.accounts.len(), clients.len(), "one client an account");
        let callers = config.accounts.into_iter().map(|account| CallersFile::open(account.callers));
        let tenants = clients.into_iter().zip(callers);
        let lease = config.limits.lease();
        let tenants = tenants.map(|(client, callers)| {
            let chain = Chain::leasing(client.clone(), lease);
            Ok(Tenant { client, chain, callers: callers? })
        });
        let tenants = tenants.collect::<Result<_, CallersError>>()?;
        let router = router(Arc::new(Shared { tenants, limits: config.limits }));
        Ok(Self { tls: server_config(&config.tls)?, router, limits: config.limits })
    }

    /// Serves callers until `stop`.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        crate::listener::serve(listener, self.tls, self.router, self.limits, stop).await;
    }
}
