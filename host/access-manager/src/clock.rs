//! The access manager's clock, with a high-water mark an account: a clock that was set back issues no permit.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use symbolon_fragments::names::AccountId;
use symbolon_trust::{ClockBehind, HighWaterMark, Now, Seconds};

/// Clock and marks. Marks are stored with every change of an account; this is what the process knows of them.
#[derive(Default)]
pub(crate) struct Clock {
    marks: Mutex<HashMap<AccountId, HighWaterMark>>,
}

/// The machine's clock.
pub(crate) fn wall() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Seconds(since.map_or(0, |since| since.as_secs()))
}

impl Clock {
    /// Takes over the mark that was stored for an account.
    pub(crate) fn recall(&self, account: AccountId, mark: Seconds) {
        self.lock().entry(account).or_insert_with(|| HighWaterMark::new(mark));
    }

    /// Reads the clock for an account.
    pub(crate) fn now(&self, account: AccountId) -> Result<Now, ClockBehind> {
        self.lock().entry(account).or_default().observe(wall())
    }

    /// The highest time read for an account: what audit entries are dated by, so that they never go back.
    pub(crate) fn mark(&self, account: AccountId) -> Seconds {
        self.lock().entry(account).or_default().time()
    }

    /// Lowers an account's mark, as its owner has ordered.
    pub(crate) fn lower(&self, account: AccountId, mark: Seconds) {
        self.lock().insert(account, HighWaterMark::new(mark));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AccountId, HighWaterMark>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
