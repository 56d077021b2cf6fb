//! Leases: how long an unwrapped system key is kept, and by whom. The clock is tokio's, which tests turn by hand.

use crate::bounded::Bounded;
use crate::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use symbolon_keychain::{System, SystemId, SystemKey};
use tokio::time::Instant;

/// The longest lease: as long as the longest permit.
pub const LONGEST_LEASE: Duration = Duration::from_secs(symbolon_trust::PERMIT_LIFETIME);
/// Leases that are held at a time; the oldest goes first.
const HELD: usize = 1024;

/// Whose lease, on which key. Two callers of a gateway share none, since each needs a permit of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) on_behalf_of: Option<Arc<str>>,
    pub(super) system: SystemId,
    /// The version; none for the newest.
    pub(super) version: Option<u64>,
}

/// An unwrapped system key, and the states of the keys above when it was opened.
pub(super) struct Lease {
    pub(super) system: System,
    pub(super) key: SystemKey,
    pub(super) until: Instant,
}

/// The leases of a chain.
pub(super) struct Leases {
    longest: Duration,
    places: Bounded<Wanted, Arc<Place>>,
    /// How often leases were ended early: one that was being opened meanwhile is opened anew.
    ended: AtomicU64,
}

/// One lease's place. The lock is held while it is opened, so that many operations open once.
#[derive(Default)]
struct Place {
    held: RwLock<Option<Arc<Lease>>>,
    opening: tokio::sync::Mutex<()>,
}

impl Leases {
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest: longest.min(LONGEST_LEASE), places: Bounded::new(HELD), ended: AtomicU64::new(0) }
    }

    /// A lease that lasts, or a new one, which ends by itself: nobody has to ask for it to be dropped.
    pub(super) async fn get<F>(&self, wanted: &Wanted, open: impl Fn() -> F) -> Result<Arc<Lease>, Error>
    where
        F: Future<Output = Result<Lease, Error>>,
    {
        let place = self.places.get_or_insert_with(wanted, Arc::default);
        if let Some(lease) = place.lasting() {
            return Ok(lease);
        }
        let _opening = place.opening.lock().await;
        if let Some(lease) = place.lasting() {
            return Ok(lease);
        }
        loop {
            let (latest, ended) = (Instant::now() + self.longest, self.ended.load(SeqCst));
            let mut lease = open().await?;
            lease.until = lease.until.min(latest);
            let lease = Arc::new(lease);
            place.hold(lease.clone());
            // Whoever ends leases counts first and looks at the places then: either this is seen here, or the lease there.
            if self.ended.load(SeqCst) == ended {
                tokio::spawn(end(Arc::downgrade(&place), lease.until));
                return Ok(lease);
            }
            place.end_if(|held| Arc::ptr_eq(held, &lease));
        }
    }

    /// Ends those leases that this says. When it returns none of them is held any more, and none comes of what was opened
    /// before.
    pub(super) fn end_if(&self, over: impl Fn(&System) -> bool) {
        self.ended.fetch_add(1, SeqCst);
        for place in self.places.values() {
            place.end_if(|lease| over(&lease.system));
        }
    }
}

impl Place {
    fn lasting(&self) -> Option<Arc<Lease>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        held.filter(|lease| Instant::now() < lease.until)
    }

    fn hold(&self, lease: Arc<Lease>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(lease);
    }

    fn end_if(&self, over: impl Fn(&Arc<Lease>) -> bool) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(over) {
            *held = None;
        }
    }
}

/// Drops a lease at its end, and with it the key, which is wiped.
async fn end(place: Weak<Place>, until: Instant) {
    tokio::time::sleep_until(until).await;
    if let Some(place) = place.upgrade() {
        place.end_if(|lease| lease.until <= until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Invalid;
    use crate::random;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use symbolon_fragments::names::AccountId;
    use symbolon_keychain::{Root, State, Tenant, TenantKey};

    const MINUTE: Duration = Duration::from_mins(1);

    fn lease(lasts: Duration) -> Lease {
        let root = Root {
            account: AccountId::new([1; 32]),
            key: "acme-root".parse().unwrap(),
            state: State::Active,
        };
        let tenant = Tenant { root, id: "acme".parse().unwrap(), version: 1, state: State::Active };
        let system = System::new(tenant, "acme/ceph".parse().unwrap(), 1, State::Active).unwrap();
        let fresh = TenantKey::generate(system.tenant().permit().unwrap(), &mut random::system());
        let (tenant_key, _) = fresh.sealed(Vec::new());
        let made = tenant_key.generate_system_key(system.permit().unwrap(), &mut random::system());
        Lease { system, key: made.unwrap().0, until: Instant::now() + lasts }
    }

    fn wanted(caller: &str) -> Wanted {
        Wanted { on_behalf_of: Some(caller.into()), system: "acme/ceph".parse().unwrap(), version: None }
    }

    async fn get(leases: &Leases, caller: &str, lasts: Duration, opened: &AtomicUsize) -> Arc<Lease> {
        let open = async || {
            opened.fetch_add(1, Ordering::Relaxed);
            Ok(lease(lasts))
        };
        leases.get(&wanted(caller), open).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_with_its_permit_and_is_dropped_without_being_asked_for() {
        let (leases, opened) = (Leases::new(LONGEST_LEASE), AtomicUsize::new(0));
        let held = Arc::downgrade(&get(&leases, "a", MINUTE, &opened).await);
        tokio::time::advance(Duration::from_secs(59)).await;
        get(&leases, "a", MINUTE, &opened).await;
        assert_eq!((opened.load(Ordering::Relaxed), held.strong_count()), (1, 1));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(held.strong_count(), 0, "the key is gone at the end of its lease");
        get(&leases, "a", MINUTE, &opened).await;
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn no_lease_is_longer_than_it_may() {
        let (leases, opened) = (Leases::new(Duration::from_hours(1)), AtomicUsize::new(0));
        let lease = get(&leases, "a", Duration::from_hours(1), &opened).await;
        assert_eq!(lease.until, Instant::now() + MINUTE);
        let (short, opened) = (Leases::new(Duration::from_secs(5)), AtomicUsize::new(0));
        let lease = get(&short, "a", MINUTE, &opened).await;
        assert_eq!(lease.until, Instant::now() + Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_no_lease_and_one_caller_opens_once() {
        let (leases, opened) = (Leases::new(LONGEST_LEASE), AtomicUsize::new(0));
        let (first, second) =
            tokio::join!(get(&leases, "a", MINUTE, &opened), get(&leases, "a", MINUTE, &opened));
        assert!(Arc::ptr_eq(&first, &second));
        get(&leases, "b", MINUTE, &opened).await;
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_ended_early() {
        let (leases, opened) = (Leases::new(LONGEST_LEASE), AtomicUsize::new(0));
        get(&leases, "a", MINUTE, &opened).await;
        leases.end_if(|system| system.id().as_str() == "acme/other");
        get(&leases, "a", MINUTE, &opened).await;
        assert_eq!(opened.load(Ordering::Relaxed), 1);
        leases.end_if(|system| system.id().as_str() == "acme/ceph");
        get(&leases, "a", MINUTE, &opened).await;
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_opened_while_leases_are_ended_is_opened_anew() {
        let (leases, opened) = (Leases::new(LONGEST_LEASE), AtomicUsize::new(0));
        let open = async || {
            if opened.fetch_add(1, Ordering::Relaxed) == 0 {
                leases.end_if(|_| true);
            }
            Ok(lease(MINUTE))
        };
        let second = leases.get(&wanted("a"), open).await.unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 2);
        let refused = async || {
            leases.end_if(|_| true);
            if opened.fetch_add(1, Ordering::Relaxed) == 2 {
                Ok(lease(MINUTE))
            } else {
                Err(Invalid::Closed.into())
            }
        };
        assert!(leases.get(&wanted("b"), refused).await.is_err(), "it is refused the second time");
        let held = Arc::downgrade(&second);
        drop(second);
        assert_eq!(held.strong_count(), 0, "the first caller's lease was ended too");
    }
}
