//! Open channels and the verdicts cached on them: what a deny document, an order or a new root cuts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_channel::CancellationToken;
use symbolon_fragments::names::{AccountId, Purpose, SetId};
use symbolon_trust::{Authorised, Denials, ProvenHolder};

use crate::rate::Bucket;

/// Verdicts kept on one channel; the oldest makes room.
const MOST_VERDICTS: usize = 1024;

/// A verdict, with what evaluating under it needs.
pub(crate) struct Verdict {
    pub(crate) authorised: Authorised,
    pub(crate) set: SetId,
    pub(crate) purpose: Purpose,
    pub(crate) bucket: Arc<Bucket>,
}

/// An open channel.
pub(crate) struct Channel {
    pub(crate) holder: ProvenHolder,
    cut: CancellationToken,
    verdicts: Mutex<Verdicts>,
}

#[derive(Default)]
struct Verdicts {
    next: u64,
    by_handle: HashMap<u64, Arc<Verdict>>,
}

impl Channel {
    /// The verdict with this handle.
    pub(crate) fn verdict(&self, handle: u64) -> Option<Arc<Verdict>> {
        self.with(|verdicts| verdicts.by_handle.get(&handle).cloned())
    }

    /// Caches a verdict under a new handle.
    pub(crate) fn remember(&self, verdict: Verdict) -> u64 {
        self.with(|verdicts| {
            if verdicts.by_handle.len() >= MOST_VERDICTS {
                let oldest = verdicts.by_handle.keys().min().copied();
                oldest.map(|handle| verdicts.by_handle.remove(&handle));
            }
            verdicts.next += 1;
            verdicts.by_handle.insert(verdicts.next, Arc::new(verdict));
            verdicts.next
        })
    }

    fn forget(&self, condemned: impl Fn(&Verdict) -> bool) {
        self.with(|verdicts| verdicts.by_handle.retain(|_, verdict| !condemned(verdict)));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Verdicts) -> T) -> T {
        act(&mut self.verdicts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All open channels.
#[derive(Default)]
pub(crate) struct Channels {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Channel>>>,
}

impl Channels {
    /// Registers a channel; [`Channels::close`] takes the number back.
    pub(crate) fn open(&self, holder: ProvenHolder, cut: CancellationToken) -> (u64, Arc<Channel>) {
        let channel = Arc::new(Channel { holder, cut, verdicts: Mutex::default() });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.with(|open| open.insert(number, Arc::clone(&channel)));
        (number, channel)
    }

    pub(crate) fn close(&self, number: u64) {
        self.with(|open| open.remove(&number));
    }

    /// Takes back every verdict of an account that its denials condemn. A denied holder's channels that used the
    /// account are cut; they carry no other account's, whose owner has not denied it, for longer than it takes to dial.
    pub(crate) fn enforce(&self, account: AccountId, denials: &Denials) {
        for channel in self.all() {
            let denied = denials.check_holder(channel.holder.thumbprint()).is_err();
            if denied
                && channel
                    .with(|verdicts| verdicts.by_handle.values().any(|v| v.authorised.account() == account))
            {
                channel.cut.cancel();
            }
            channel.forget(|verdict| {
                let authorised = &verdict.authorised;
                let (id, serial) = authorised.grant();
                authorised.account() == account
                    && (denied
                        || denials.check_grant(id, serial).is_err()
                        || denials.check_key(authorised.key()).is_err()
                        || denials.check_version(authorised.key(), authorised.version()).is_err())
            });
        }
    }

    /// Takes back every verdict of an account: its signers changed.
    pub(crate) fn forget_all(&self, account: AccountId) {
        self.forget(|verdict| verdict.authorised.account() == account);
    }

    /// Takes back every verdict that meets a condition.
    pub(crate) fn forget(&self, condemned: impl Fn(&Verdict) -> bool) {
        self.all().iter().for_each(|channel| channel.forget(&condemned));
    }

    fn all(&self) -> Vec<Arc<Channel>> {
        self.with(|open| open.values().cloned().collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<u64, Arc<Channel>>) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
