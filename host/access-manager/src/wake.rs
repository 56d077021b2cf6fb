//! Who waits for a change of an account, and is told of it: by what changed, so that a busy account wakes nobody for nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use symbolon_channel::CancellationToken;
use symbolon_fragments::names::AccountId;
use symbolon_protocol::jobs::JobId;
use symbolon_store::Changes;
use tokio::{sync::watch, time::timeout};

/// Longest that a request may wait for a change.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What may change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// The ceremony log grows.
    CeremonyLog,
    /// A key, a tenant or a system, by its id.
    Name(String),
    /// Any of them, or the owner's documents, which decide about all of them.
    AnyName,
    /// The owner's documents: a deny document, an order, a root document.
    Documents,
    /// Acknowledgements of the deny document.
    Acknowledgements,
    /// A key store's queue of jobs, by its label: there is work.
    Queue(String),
    /// A job: it has its result, or was given back.
    Job(JobId),
}

type Place = (AccountId, Topic);

/// Those who wait.
#[derive(Default)]
pub(crate) struct Wake {
    waiting: Mutex<HashMap<Place, watch::Sender<()>>>,
}

/// Tells those who wait when it is dropped: after a commit, or a commit of which nobody knows how it ended.
pub(crate) struct Waker<'w> {
    wake: &'w Wake,
    places: Vec<Place>,
}

/// Sees changes from its making on.
pub(crate) struct Watch<'w> {
    wake: &'w Wake,
    place: Place,
    changes: watch::Receiver<()>,
}

impl Wake {
    /// Sees changes of an account from now on.
    pub(crate) fn watch(&self, account: AccountId, topic: Topic) -> Watch<'_> {
        let place = (account, topic);
        let changes = self.lock().entry(place.clone()).or_default().subscribe();
        Watch { wake: self, place, changes }
    }

    /// Will tell of changes of an account.
    pub(crate) fn waker(&self, account: AccountId, topics: impl IntoIterator<Item = Topic>) -> Waker<'_> {
        let places = topics.into_iter().map(|topic| (account, topic)).collect();
        Waker { wake: self, places }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Place, watch::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the rows that a transaction changed are to those who wait.
pub(crate) fn topics(changes: &Changes) -> impl Iterator<Item = Topic> {
    let any = (!changes.names.is_empty()).then_some(Topic::AnyName);
    let log = changes.ceremony_log.then_some(Topic::CeremonyLog);
    changes.names.iter().cloned().map(Topic::Name).chain(any).chain(log)
}

impl Watch<'_> {
    /// Waits for a change; false when there is none within the time, or the server stops.
    pub(crate) async fn changed(&mut self, within: Duration, stop: &CancellationToken) -> bool {
        let change = timeout(within, self.changes.changed());
        matches!(stop.run_until_cancelled(change).await, Some(Ok(Ok(()))))
    }
}

impl Drop for Watch<'_> {
    /// The last one who waits for something leaves nothing behind.
    fn drop(&mut self) {
        let mut waiting = self.wake.lock();
        if waiting.get(&self.place).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.place);
        }
    }
}

impl Drop for Waker<'_> {
    fn drop(&mut self) {
        let waiting = self.wake.lock();
        for sender in self.places.iter().filter_map(|place| waiting.get(place)) {
            sender.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId::new([1; 32]);
    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn only_those_are_woken_who_wait_for_what_changed() {
        let (wake, stop) = (Wake::default(), CancellationToken::new());
        let name = |name: &str| Topic::Name(name.into());
        let (mut one, mut other) = (wake.watch(ACCOUNT, name("a")), wake.watch(ACCOUNT, name("b")));
        let mut elsewhere = wake.watch(AccountId::new([2; 32]), name("a"));
        drop(wake.waker(ACCOUNT, [name("a")]));
        assert!(one.changed(SOON, &stop).await);
        assert!(!other.changed(SOON, &stop).await);
        assert!(!elsewhere.changed(SOON, &stop).await);
        drop((one, other, elsewhere));
        assert!(wake.lock().is_empty());
    }
}
