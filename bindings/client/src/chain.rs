//! The key chain: tenants and systems below root keys, data keys below systems (specification §9).
//!
//! A root key seals the tenant's key, wherever it is kept; the rest of the chain is unwrapped here. What is unwrapped is
//! held on a lease, which ends with the permit under which the root key opened it: within a minute of the owner's
//! switching off any key of the chain, nothing opens any more.

mod data_key;
mod lease;
mod links;
mod root;
mod watch;

pub use data_key::VolumeKey;
pub use lease::LONGEST_LEASE;
pub use links::Page;
pub use root::Opened;

use crate::client::Client;
use lease::Leases;
use std::sync::{Arc, Once};
use std::time::Duration;

/// The key chains of an account, and the leases on their keys. Clones share the leases.
#[derive(Clone)]
pub struct Chain {
    client: Client,
    leases: Arc<Leases>,
    /// Where leases are kept for long: taken by whoever starts to watch over them.
    watching: Option<Arc<Once>>,
}

impl Chain {
    /// The key chains that a client may use, for one who comes and goes.
    pub fn new(client: Client) -> Self {
        Self { client, leases: Arc::new(Leases::new(LONGEST_LEASE)), watching: None }
    }

    /// The key chains that a client may use, for one who stays, as a gateway does: leases end after so long at the latest,
    /// and as soon as the access manager tells of a deny document that names a key above, which is acknowledged then.
    pub fn leasing(client: Client, longest: Duration) -> Self {
        let leases = Arc::new(Leases::new(longest));
        client.inner.permits.process();
        Self { client, leases, watching: Some(Arc::new(Once::new())) }
    }

    /// The same, acting for somebody: permits name them, and they share no lease with anybody else.
    #[must_use]
    pub fn on_behalf_of(&self, name: &str) -> Self {
        Self {
            client: self.client.on_behalf_of(name),
            leases: self.leases.clone(),
            watching: self.watching.clone(),
        }
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    fn watch_over_leases(&self) {
        let Some(once) = &self.watching else { return };
        once.call_once(|| {
            let (client, leases) = (Arc::downgrade(&self.client.inner), Arc::downgrade(&self.leases));
            tokio::spawn(watch::watch(client, leases));
        });
    }
}
