//! The client: one holder in one account, with everything that it keeps between operations.

use crate::access::Access;
use crate::customer::{self, CustomerShares};
use crate::error::{Bug, Error};
use crate::managers::{Managers, Ways};
use crate::notice::{Notice, Notices};
use crate::permits::Permits;
use crate::profile::{Profile, RouteChoice};
use crate::root::Root;
use crate::secret::Unlock;
use crate::versions::Versions;
use std::sync::Arc;
use std::time::Duration;
use symbolon_channel::{Dialler, Identity, Server};
use symbolon_envelope::ChunkSize;
use symbolon_fragments::CustomerShare;
use symbolon_fragments::names::Thumbprint;
use symbolon_trust::{KeyPair, TrustedRoot};

/// Time for one connection to a manager, all handshakes included.
const DIAL: Duration = Duration::from_secs(5);

/// What a client is told besides account and holder.
pub struct Options {
    /// How fragment managers are reached.
    pub route: RouteChoice,
    /// `host:port` of the access manager, where it isn't the one of the root document.
    pub access_manager: Option<String>,
    /// Customer fragments: the first is for writing, all are for reading.
    pub customer: Vec<Box<dyn CustomerShare>>,
    /// Time for one operation, retries included. Streams are not limited; getting their key is.
    pub deadline: Duration,
    /// How much plaintext a chunk of new ciphertexts holds.
    pub chunk: ChunkSize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            route: RouteChoice::Auto,
            access_manager: None,
            customer: Vec::new(),
            deadline: Duration::from_secs(20),
            chunk: ChunkSize::DEFAULT,
        }
    }
}

/// A client. Clones are cheap and share connections, permits and certificates. It works on any tokio runtime that
/// stays; connections belong to the runtime that opened them.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) on_behalf_of: Option<Arc<str>>,
}

pub(crate) struct Inner {
    pub(crate) holder: KeyPair,
    pub(crate) thumbprint: Thumbprint,
    pub(crate) root: Arc<Root>,
    pub(crate) access: Access,
    pub(crate) managers: Arc<Managers>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) versions: Versions,
    pub(crate) customer: CustomerShares,
    pub(crate) notices: Notices,
    pub(crate) deadline: Duration,
    pub(crate) chunk: ChunkSize,
}

impl Client {
    /// The client of a profile. Nothing is connected yet.
    pub fn open(profile: &Profile, unlock: &mut dyn Unlock) -> Result<Self, Error> {
        let mut unlock = profile.unlocking(unlock);
        let root = profile.trusted_root().map_err(crate::error::Invalid::Profile)?;
        let holder = crate::identity::load(&profile.identity, &mut unlock)?;
        let mut shares: Vec<Box<dyn CustomerShare>> = Vec::new();
        for file in &profile.customer_fragments {
            shares.push(Box::new(customer::load(file, &mut unlock)?));
        }
        let options = Options {
            route: profile.route,
            access_manager: profile.access_manager.clone(),
            customer: shares,
            ..Options::default()
        };
        Self::new(root, holder, options)
    }

    /// The client of a holder in an account.
    pub fn new(root: TrustedRoot, holder: KeyPair, options: Options) -> Result<Self, Error> {
        let identity = Identity::new(&holder).map_err(|_| Bug::Internal("an identity that TLS refuses"))?;
        let thumbprint = holder.public().thumbprint();
        let trusted = &root.document().access_manager;
        let address = options.access_manager.unwrap_or_else(|| trusted.address.clone());
        let relay = Server { address, key: trusted.key };
        let access = Access::new(identity.clone(), relay.clone(), root.account(), thumbprint);
        let ways = Ways {
            dialler: Dialler::new(identity, DIAL),
            route: options.route,
            relay,
            account: root.account(),
            call_within: options.deadline,
        };
        let managers = Arc::new(Managers::new(ways, &root));
        let root = Arc::new(Root::new(root));
        let inner = Inner {
            holder,
            thumbprint,
            permits: Permits::new(access.clone(), managers.clone()),
            versions: Versions::new(access.clone(), root.clone(), managers.clone()),
            root,
            access,
            managers,
            customer: CustomerShares::new(options.customer),
            notices: Notices::default(),
            deadline: options.deadline,
            chunk: options.chunk,
        };
        Ok(Self { inner: Arc::new(inner), on_behalf_of: None })
    }

    /// The same client, acting for somebody: permits name them, and the access manager's policy decides about them.
    #[must_use]
    pub fn on_behalf_of(&self, name: &str) -> Self {
        Self { inner: self.inner.clone(), on_behalf_of: Some(name.into()) }
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
        let within = self.inner.deadline;
        let timed_out = |_| Err(crate::error::Unavailable::TimedOut { within }.into());
        // Boxed here, so that callers' futures stay small.
        tokio::time::timeout(within, Box::pin(operation)).await.unwrap_or_else(timed_out)
    }
}
