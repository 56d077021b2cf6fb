//! The role: its datastore, its accounts, and the tasks that serve them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use symbolon_channel::server::{Limits, Service, serve};
use symbolon_channel::{CancellationToken, Identity, IdentityError, rustls, tls};
use symbolon_envelope::sealed::SealingKey;
use symbolon_fragments::names::AccountId;
use symbolon_store::manager::SCHEMA;
use symbolon_store::{Datastore, Owner, Role, StoreError};
use symbolon_trust::{KeyPair, ProvenHolder, RootDocument};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use crate::account::{Account, Parts};
use crate::accounts::{self, AccountsError};
use crate::ceremony;
use crate::channels::Channels;
use crate::clock::Clock;
use crate::config::Config;
use crate::fragments::StoredFragments;
use crate::session::Session;
use crate::sets::{FragmentSource, Sets};
use crate::vault::{Vault, VaultError};
use crate::witness;

/// How long records may wait to be written.
const FLUSH: Duration = Duration::from_secs(1);
/// How old the stored mark of the clock may be on an idle manager.
const MARK: Duration = Duration::from_mins(1);
/// Time between two looks for destructions that are due.
const LOOK: Duration = Duration::from_secs(5);

/// Why a fragment manager can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The datastore can't be opened.
    #[error("cannot open the datastore {}", path.display())]
    Datastore {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: symbolon_store::OpenError,
    },
    /// The datastore failed.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
    /// The wrapping keys can't be opened.
    #[error("cannot open the wrapping keys")]
    Vault(#[from] VaultError),
    /// An account's documents are not in order.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The identity key can't be used for TLS.
    #[error("cannot use the identity key")]
    Identity(#[from] IdentityError),
    /// TLS can't be configured.
    #[error("cannot configure TLS")]
    Tls(#[from] rustls::Error),
}

/// The accounts of a manager and the channels to it.
#[derive(Default)]
pub(crate) struct Accounts {
    by_id: HashMap<AccountId, Arc<Account>>,
    pub(crate) channels: Arc<Channels>,
}

impl Accounts {
    pub(crate) fn get(&self, id: &AccountId) -> Option<&Arc<Account>> {
        self.by_id.get(id)
    }

    /// The account that a root document continues; its nonce stays the same through all versions.
    pub(crate) fn of_root(&self, root: &RootDocument) -> Option<AccountId> {
        let continues = |account: &&Arc<Account>| account.trust(|t| t.root().document().nonce == root.nonce);
        self.by_id.values().find(continues).map(|account| account.id())
    }
}

/// What answers on a manager's channels.
struct Front(Arc<Accounts>);

impl Service for Front {
    type Session = Session;

    fn open(&self, holder: ProvenHolder, cut: CancellationToken) -> Session {
        let (number, channel) = self.0.channels.open(holder, cut);
        Session::new(Arc::clone(&self.0), number, channel)
    }
}

/// A fragment manager that is ready to serve.
pub struct FragmentManager {
    accounts: Arc<Accounts>,
    store: Arc<Datastore>,
    vault: Arc<Vault>,
    refresh: Duration,
    identity: Identity,
    tls: rustls::ServerConfig,
}

/// Makes another source of fragments of one: how a test's lying manager gets its lies.
pub type Disguise<'a> = &'a dyn Fn(Arc<dyn FragmentSource>) -> Arc<dyn FragmentSource>;

impl FragmentManager {
    /// Opens datastore, wrapping keys and accounts.
    pub async fn open(config: &Config, sealing: SealingKey, identity: KeyPair) -> Result<Self, OpenError> {
        Self::open_with(config, sealing, identity, Clock::system(), &|source| source).await
    }

    /// The same, with another clock and other fragments than the stored ones.
    pub async fn open_with(
        config: &Config,
        sealing: SealingKey,
        identity: KeyPair,
        clock: Clock,
        disguise: Disguise<'_>,
    ) -> Result<Self, OpenError> {
        tls::seed_random();
        let tls_identity = Identity::new(&identity)?;
        let tls = tls::between_roles_server(&tls_identity, tls::ALPN_FRAMES)?;
        let store = Arc::new(open_store(config, &identity).await?);
        let thumbprint = identity.public().thumbprint();
        let vault = Arc::new(Vault::open(wrapping_keys(&config.datastore), thumbprint, sealing)?);
        let identity = Arc::new(identity);
        let mut accounts = Accounts::default();
        for trust in accounts::load(&store, &config.accounts).await? {
            let account = trust.root().account();
            let index = trust.root().document().member_by_key(&identity.public());
            let index = index.map(|member| member.index).ok_or(AccountsError::NotRostered { account })?;
            let stored = StoredFragments::new(account, index, Arc::clone(&store), Arc::clone(&vault));
            let sets = Sets::new(disguise(Arc::new(stored)));
            let (identity, store, clock) = (Arc::clone(&identity), Arc::clone(&store), clock.clone());
            let channels = Arc::clone(&accounts.channels);
            let parts = Parts { index, identity, store, trust, clock, sets, channels };
            let version = parts.trust.root().document().version;
            accounts.by_id.insert(account, Arc::new(Account::open(parts).await?));
            info!(%account, root_document = version, "serving");
        }
        if accounts.by_id.is_empty() {
            warn!(folder = %config.accounts.display(), "no account to serve: there is no root document (*.root)");
        }
        let refresh = Duration::from_secs(u64::from(config.refresh_hours) * 3600);
        Ok(Self { accounts: Arc::new(accounts), store, vault, refresh, identity: tls_identity, tls })
    }

    /// An account that is served.
    pub fn account(&self, id: &AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(id)
    }

    /// Serves until `stop`, then writes what is still to be written.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<(), StoreError> {
        let mut tasks = JoinSet::new();
        for account in self.accounts.by_id.values() {
            tasks.spawn(keep_log(Arc::clone(account)));
            tasks.spawn(keep_orders(Arc::clone(account)));
            let vault = Arc::clone(&self.vault);
            tasks.spawn(ceremony::run(Arc::clone(account), vault, self.identity.clone(), self.refresh));
            tasks.spawn(witness::run(Arc::clone(account), self.identity.clone()));
        }
        let front = Arc::new(Front(Arc::clone(&self.accounts)));
        serve(listener, self.tls, Limits::default(), stop, front).await;
        tasks.shutdown().await;
        for account in self.accounts.by_id.values() {
            account.close().await?;
        }
        self.store.close().await;
        Ok(())
    }
}

async fn open_store(config: &Config, identity: &KeyPair) -> Result<Datastore, OpenError> {
    let path = &config.datastore;
    let owner = Owner { role: Role::FragmentManager, identity: identity.public().thumbprint() };
    Datastore::open(path, &owner, &SCHEMA)
        .await
        .map_err(|cause| OpenError::Datastore { path: path.clone(), cause })
}

/// The file with the wrapping keys lies beside the datastore.
fn wrapping_keys(datastore: &Path) -> PathBuf {
    datastore.with_added_extension("wrapping")
}

/// Carries out destructions when their time has come.
async fn keep_orders(account: Arc<Account>) {
    loop {
        sleep(LOOK).await;
        if let Err(error) = account.destroy_due().await {
            error!(account = %account.id(), cause = &error as &dyn std::error::Error, "nothing is destroyed");
        }
    }
}

/// Writes an account's log within a second of what it is about; the clock's mark goes with it.
async fn keep_log(account: Arc<Account>) {
    loop {
        if timeout(MARK, account.log().waiting()).await.is_ok() {
            sleep(FLUSH).await;
        }
        while let Err(error) = account.flush().await {
            error!(account = %account.id(), cause = &error as &dyn std::error::Error, "cannot write the evaluation log");
            sleep(FLUSH).await;
        }
    }
}
