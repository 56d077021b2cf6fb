//! Who waits for a change of an account, and is told of it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use symbolon_channel::CancellationToken;
use symbolon_fragments::names::AccountId;
use tokio::{sync::watch, time::timeout};

/// Longest that a request may wait for a change.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Changes, account by account.
#[derive(Default)]
pub(crate) struct Wake {
    changes: Mutex<HashMap<AccountId, watch::Sender<()>>>,
}

/// Tells everybody who waits when it is dropped: after a commit, or a commit of which nobody knows how it ended.
pub(crate) struct Waker(watch::Sender<()>);

/// Sees changes from its making on.
pub(crate) struct Watch(watch::Receiver<()>);

impl Wake {
    /// Sees changes of an account from now on.
    pub(crate) fn watch(&self, account: AccountId) -> Watch {
        Watch(self.sender(account).subscribe())
    }

    /// Will tell of a change.
    pub(crate) fn waker(&self, account: AccountId) -> Waker {
        Waker(self.sender(account))
    }

    fn sender(&self, account: AccountId) -> watch::Sender<()> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.entry(account).or_default().clone()
    }
}

impl Watch {
    /// Waits for a change; false when there is none within the time, or the server stops.
    pub(crate) async fn changed(&mut self, within: Duration, stop: &CancellationToken) -> bool {
        let change = timeout(within, self.0.changed());
        matches!(stop.run_until_cancelled(change).await, Some(Ok(Ok(()))))
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.0.send_replace(());
    }
}
