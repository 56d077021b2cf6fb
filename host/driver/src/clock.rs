//! The driver's clock: a reading counts only through the high-water mark.

use std::{
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use symbolon_trust::{ClockBehind, HighWaterMark, Now, Seconds, VerifiedOrder};

/// The system's clock and the highest time that was read of it.
pub(crate) struct Clock(Mutex<HighWaterMark>);

/// What the system's clock reads; nothing is decided by it alone.
pub(crate) fn reading() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Seconds(since.map_or(0, |since| since.as_secs()))
}

impl Clock {
    /// A clock that had read so much already.
    pub(crate) const fn new(mark: Seconds) -> Self {
        Self(Mutex::new(HighWaterMark::new(mark)))
    }

    /// The time, unless the clock was set back.
    pub(crate) fn now(&self) -> Result<Now, ClockBehind> {
        self.lock().observe(reading())
    }

    /// The highest time that was read.
    pub(crate) fn mark(&self) -> Seconds {
        self.lock().time()
    }

    /// Lowers the mark as an order says.
    pub(crate) fn lower(&self, order: &VerifiedOrder) {
        self.lock().lower(order);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HighWaterMark> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
