//! How fresh a manager's knowledge of the owner's orders is. What can't be undone waits until it is fresh: the order that
//! cancels it may have come while this manager was down.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long after the ceremony log was read to its end, what is known counts as fresh: three of the log's long polls.
const FRESH: Duration = Duration::from_mins(1);

/// So long a manager that hears nothing waits before it acts on what it knows: an access manager that is gone, or withholds its
/// log, must not be able to keep a key from being destroyed. The owner, who sends orders to each manager directly, has that
/// hour on top of the waiting period.
const PATIENCE: Duration = Duration::from_hours(1);

/// When the owner's orders were last known to be complete.
pub(crate) struct News(Mutex<Heard>);

#[derive(Clone, Copy)]
struct Heard {
    /// When the log was last read to its end; before that, when the process began.
    last: Instant,
    ever: bool,
}

/// What is known of the owner's orders is fresh enough for what can't be undone.
#[derive(Debug)]
pub(crate) struct Fresh(());

/// Newer orders may exist.
#[derive(Debug, thiserror::Error)]
#[error("the owner's newest orders are not known; the access manager was not heard for {0:?}")]
pub(crate) struct Stale(Duration);

impl News {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Heard { last: Instant::now(), ever: false }))
    }

    /// The ceremony log was read to its end, and what it says was done.
    pub(crate) fn heard(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Heard { last: Instant::now(), ever: true };
    }

    /// Whether what can't be undone may be done now.
    pub(crate) fn check(&self) -> Result<Fresh, Stale> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).check(Instant::now())
    }
}

impl Heard {
    fn check(self, now: Instant) -> Result<Fresh, Stale> {
        let age = now.saturating_duration_since(self.last);
        if self.ever && age <= FRESH || age >= PATIENCE { Ok(Fresh(())) } else { Err(Stale(age)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_has_just_started_waits_for_news_but_not_for_ever() {
        let start = Heard { last: Instant::now(), ever: false };
        let after = |age| start.check(start.last + age);
        assert!(after(Duration::ZERO).is_err());
        assert!(after(PATIENCE.saturating_sub(FRESH)).is_err());
        assert!(after(PATIENCE).is_ok());
    }

    #[test]
    fn news_are_fresh_for_a_while() {
        let heard = Heard { last: Instant::now(), ever: true };
        let after = |age| heard.check(heard.last + age);
        assert!(after(Duration::ZERO).is_ok());
        assert!(after(FRESH).is_ok());
        assert!(after(FRESH * 2).is_err());
        assert!(after(PATIENCE).is_ok());
    }
}
