//! The client: one holder in one account, with everything that it keeps between operations.

use crate::access::Access;
use crate::customer::{Keeper, Shares};
use crate::error::{Bug, Error, Invalid, Unavailable};
use crate::hsm::Places;
use crate::managers::{Managers, Ways};
use crate::notice::{Notice, Notices};
use crate::permits::Permits;
use crate::profile::{Profile, RouteChoice};
use crate::retry::Budget;
use crate::root::{Root, Successors};
use crate::secret::Unlock;
use crate::versions::Versions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use symbolon_channel::{CancellationToken, Dialler, Identity, Server};
use symbolon_envelope::ChunkSize;
use symbolon_fragments::names::Thumbprint;
use symbolon_trust::{KeyPair, TrustedRoot};

/// Time for one connection to a manager, all handshakes included.
const DIAL: Duration = Duration::from_secs(5);

/// What a call to a manager has more than the operation that it belongs to: the operation's deadline is told, never a
/// race between the two.
const AFTER_THE_DEADLINE: Duration = Duration::from_secs(5);
/// Time for a key's ceremony.
pub(crate) const CEREMONY: Duration = Duration::from_mins(1);

/// What a client is told besides account and holder.
#[derive(Clone)]
pub struct Options {
    /// How fragment managers are reached.
    pub route: RouteChoice,
    /// `host:port` of the access manager, where it isn't the one of the root document.
    pub access_manager: Option<String>,
    /// The file with the account's first root document: its successors are kept beside it. Without it, they are
    /// fetched anew by each client.
    pub root_file: Option<PathBuf>,
    /// Whoever keeps customer fragments: the first is for writing, all are for reading.
    pub customer_fragments: Vec<Arc<dyn Keeper>>,
    /// Time for one operation, retries included. Streams are not limited; getting their key is. An operation with a
    /// ceremony in it has a minute more.
    pub deadline: Duration,
    /// How much plaintext a chunk of new ciphertexts holds.
    pub chunk: ChunkSize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            route: RouteChoice::Auto,
            access_manager: None,
            root_file: None,
            customer_fragments: Vec::new(),
            deadline: Duration::from_secs(20),
            chunk: ChunkSize::DEFAULT,
        }
    }
}

/// A client. Clones are cheap and share connections, permits and certificates. It works on any tokio runtime that
/// stays; connections belong to the runtime that opened them.
///
/// The future of any operation may be dropped at any point: that cancels the operation, and leaves nothing behind.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) on_behalf_of: Option<Arc<str>>,
    /// The caller's own deadline.
    deadline: Option<Duration>,
}

pub(crate) struct Inner {
    pub(crate) holder: KeyPair,
    pub(crate) thumbprint: Thumbprint,
    pub(crate) root: Arc<Root>,
    pub(crate) access: Access,
    pub(crate) managers: Arc<Managers>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) versions: Versions,
    pub(crate) places: Places,
    pub(crate) customer: Shares,
    pub(crate) notices: Notices,
    /// Retries of operations that too few managers answered.
    pub(crate) budget: Budget,
    pub(crate) chunk: ChunkSize,
    deadline: Duration,
    closed: CancellationToken,
    /// What it was made of, besides the holder.
    origin: (TrustedRoot, Options),
}

impl Client {
    /// The client of the profile that [`Profile::locate`] finds without being told. Nothing is connected yet.
    pub fn from_environment(unlock: &mut dyn Unlock) -> Result<Self, Error> {
        Self::open_file(&Profile::locate(None)?, unlock)
    }

    /// The client of the profile in a file. Nothing is connected yet.
    pub fn open_file(profile: &Path, unlock: &mut dyn Unlock) -> Result<Self, Error> {
        Self::open(&Profile::load(profile)?, unlock)
    }

    /// The client of a profile. Nothing is connected yet.
    pub fn open(profile: &Profile, unlock: &mut dyn Unlock) -> Result<Self, Error> {
        Self::open_with(profile, unlock, Options::default())
    }

    /// The client of a profile, and what the profile doesn't say: deadline, chunks, and customer fragments that come
    /// before the profile's own.
    pub fn open_with(
        profile: &Profile,
        unlock: &mut dyn Unlock,
        mut options: Options,
    ) -> Result<Self, Error> {
        let mut unlock = profile.unlocking(unlock);
        let root = profile.trusted_root()?;
        let holder = crate::identity::load(&profile.identity, &mut unlock)?;
        for place in &profile.customer_fragments {
            options.customer_fragments.push(place.open(&mut unlock)?);
        }
        options.route = profile.route;
        options.access_manager.clone_from(&profile.access_manager);
        options.root_file = Some(profile.root.clone());
        Self::new(root, holder, options)
    }

    /// The client of a holder in an account.
    pub fn new(root: TrustedRoot, holder: KeyPair, options: Options) -> Result<Self, Error> {
        let origin = (root.clone(), options.clone());
        let identity = Identity::new(&holder).map_err(|_| Bug::Internal("an identity that TLS refuses"))?;
        let thumbprint = holder.public().thumbprint();
        let trusted = &root.document().access_manager;
        let address = options.access_manager.unwrap_or_else(|| trusted.address.clone());
        let relay = Server { address, key: trusted.key };
        let access = Access::new(identity.clone(), relay.clone(), root.account(), thumbprint);
        let closed = CancellationToken::new();
        let ways = Ways {
            dialler: Dialler::new(identity, DIAL),
            route: options.route,
            relay,
            account: root.account(),
            call_within: options.deadline + AFTER_THE_DEADLINE,
            closed: closed.clone(),
        };
        let managers = Arc::new(Managers::new(ways, &root));
        let root = Arc::new(Root::new(root, options.root_file.as_deref().map(Successors::beside)));
        let inner = Inner {
            holder,
            thumbprint,
            permits: Permits::new(access.clone(), managers.clone(), closed.clone()),
            versions: Versions::new(access.clone(), root.clone(), managers.clone()),
            places: Places::default(),
            root,
            access,
            managers,
            customer: Shares::new(options.customer_fragments),
            notices: Notices::default(),
            budget: Budget::default(),
            chunk: options.chunk,
            deadline: options.deadline,
            closed,
            origin,
        };
        Ok(Self { inner: Arc::new(inner), on_behalf_of: None, deadline: None })
    }

    /// A client of the same holder that shares nothing with this one: connections, permits and caches are its own. For a
    /// process that was forked off one with a client: only what never changes is looked at, and no lock touched, since
    /// a thread that is not there any more may hold it.
    pub fn afresh(&self) -> Result<Self, Error> {
        let (root, options) = self.inner.origin.clone();
        let new = Self::new(root, KeyPair::from_seed(&self.inner.holder.seed()), options)?;
        Ok(Self { on_behalf_of: self.on_behalf_of.clone(), deadline: self.deadline, ..new })
    }

    /// The same client, acting for somebody: permits name them, and the access manager's policy decides about them.
    #[must_use]
    pub fn on_behalf_of(&self, name: &str) -> Self {
        Self { on_behalf_of: Some(name.into()), ..self.clone() }
    }

    /// The same client, whose operations have this time each, all retries and ceremonies included.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// Closes the client and all its clones: operations under way end with [`Invalid::Closed`], as later ones do;
    /// connections end. Streams that have their key go on, since they need nobody.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether the client was closed.
    pub fn is_closed(&self) -> bool {
        self.inner.closed.is_cancelled()
    }

    /// The holder: who the servers see.
    pub fn holder(&self) -> Thumbprint {
        self.inner.thumbprint
    }

    /// The account's root document, as trusted at present.
    pub fn root(&self) -> Arc<TrustedRoot> {
        self.inner.root.get()
    }

    /// The access manager's interface.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// What operations since the last call got around.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.inner.notices.take()
    }

    /// Asks the access manager for successors of the root document. Says whether there were any.
    pub async fn refresh_root(&self) -> Result<bool, Error> {
        self.inner.versions.refresh_root().await
    }

    /// Runs an operation within the deadline.
    pub(crate) async fn in_time<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.ending(self.patience(), operation).await
    }

    /// How long an operation may take.
    pub(crate) fn patience(&self) -> Duration {
        self.deadline.unwrap_or(self.inner.deadline)
    }

    /// Runs an operation that has a ceremony in it.
    pub(crate) async fn in_ceremony_time<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.ending(self.deadline.unwrap_or(self.inner.deadline + CEREMONY), operation).await
    }

    async fn ending<T>(
        &self,
        within: Duration,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let timed_out = |_| Err(Unavailable::TimedOut { within }.into());
        // Boxed here, so that callers' futures stay small.
        let timed = tokio::time::timeout(within, Box::pin(operation));
        self.unless_closed(async { timed.await.unwrap_or_else(timed_out) }).await
    }

    /// Runs an operation to its end or to the client's.
    pub(crate) async fn unless_closed<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = self.inner.closed.run_until_cancelled(operation).await;
        done.unwrap_or_else(|| Err(Invalid::Closed.into()))
    }
}

impl Inner {
    fn close(&self) {
        self.closed.cancel();
        self.managers.close();
        self.access.hang_up();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
