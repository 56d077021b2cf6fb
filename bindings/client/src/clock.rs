//! What time it is, by the fragment managers' clocks: they judge whether an input is fresh, and a phone's own clock
//! may be anything.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use symbolon_trust::Seconds;

/// What this machine's clock reads: the time of what is signed here.
pub(crate) fn now() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Seconds(since.map_or(0, |since| since.as_secs()))
}

/// One manager's clock, as last read.
#[derive(Default)]
pub(crate) struct ManagerClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy)]
struct Reading {
    time: Seconds,
    at: Instant,
}

impl ManagerClock {
    /// The manager said what time it is.
    pub(crate) fn set(&self, time: Seconds) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reading { time, at: Instant::now() });
    }

    /// What the manager's clock reads now, if it ever was read.
    pub(crate) fn now(&self) -> Option<Seconds> {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.map(|reading| Seconds(reading.time.0.saturating_add(reading.at.elapsed().as_secs())))
    }
}

/// The time in the middle: one clock that is off doesn't move it where there are three.
pub(crate) fn middle(times: impl IntoIterator<Item = Seconds>) -> Option<Seconds> {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clock_does_not_move_the_middle() {
        let middle = |times: &[u64]| middle(times.iter().map(|time| Seconds(*time))).map(|time| time.0);
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[5]), Some(5));
        assert_eq!(middle(&[90_000, 100, 101]), Some(101));
        assert_eq!(middle(&[0, 100, 101]), Some(100));
    }

    #[test]
    fn a_clock_goes_on() {
        let clock = ManagerClock::default();
        assert_eq!(clock.now(), None);
        clock.set(Seconds(1000));
        assert!(clock.now().is_some_and(|now| (1000..1005).contains(&now.0)));
    }
}
