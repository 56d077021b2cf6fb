//! The clock that a manager reads, and each account's high-water mark of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use symbolon_trust::{ClockBehind, HighWaterMark, Now, Seconds, VerifiedOrder};

/// Reads the time of day. Nothing decides by it but through an account's high-water mark.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Seconds + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::reading(|| {
            let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            Seconds(elapsed.map_or(0, |elapsed| elapsed.as_secs()))
        })
    }

    /// A clock that reads as the function says.
    pub fn reading(read: impl Fn() -> Seconds + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Its reading.
    pub fn read(&self) -> Seconds {
        (self.0)()
    }
}

/// An account's high-water mark, raised by each reading; stored with the evaluation log.
pub(crate) struct Mark {
    clock: Clock,
    mark: Mutex<HighWaterMark>,
}

impl Mark {
    pub(crate) fn new(clock: Clock, stored: Seconds) -> Self {
        Self { clock, mark: Mutex::new(HighWaterMark::new(stored)) }
    }

    /// The clock's bare reading.
    pub(crate) fn read(&self) -> Seconds {
        self.clock.read()
    }

    /// The time, unless the clock was set back.
    pub(crate) fn now(&self) -> Result<Now, ClockBehind> {
        self.with(|mark| mark.observe(self.clock.read()))
    }

    /// The mark itself.
    pub(crate) fn time(&self) -> Seconds {
        self.with(|mark| mark.time())
    }

    /// What the mark will be when an order is carried out.
    pub(crate) fn lowered(&self, order: &VerifiedOrder) -> Seconds {
        let mut mark = HighWaterMark::new(self.time());
        mark.lower(order);
        mark.time()
    }

    /// Lowers the mark as an order says.
    pub(crate) fn lower(&self, order: &VerifiedOrder) {
        self.with(|mark| mark.lower(order));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HighWaterMark) -> T) -> T {
        act(&mut self.mark.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
