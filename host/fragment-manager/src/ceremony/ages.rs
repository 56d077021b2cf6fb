//! How old fragments are: when they are to be replaced, and when that doesn't happen.

use std::collections::BTreeMap;
use std::time::Duration;

use symbolon_fragments::names::SetId;
use symbolon_trust::Seconds;

/// Time before a set that is due is asked for again.
const AGAIN_SECS: u64 = 600;

/// When each set settled last.
pub(super) struct Ages {
    settled: BTreeMap<SetId, Seconds>,
    /// The age at which fragments are replaced.
    refresh: u64,
    asked: Seconds,
    warned: Seconds,
}

/// What is due.
#[derive(Default)]
pub(super) struct Due {
    /// Sets to be refreshed.
    pub old: Vec<SetId>,
    /// A set that should have been refreshed long ago, if there is one and it wasn't said just now.
    pub stalled: Option<SetId>,
}

impl Ages {
    pub(super) fn new(settled: impl IntoIterator<Item = (SetId, Seconds)>, refresh: Duration) -> Self {
        let settled = settled.into_iter().collect();
        Self { settled, refresh: refresh.as_secs(), asked: Seconds(0), warned: Seconds(0) }
    }

    pub(super) fn settled(&mut self, sets: &[SetId], now: Seconds) {
        self.settled.extend(sets.iter().map(|set| (*set, now)));
    }

    /// What is due at this time; each set once in ten minutes, the warning once in a refresh interval.
    pub(super) fn due(&mut self, now: Seconds) -> Due {
        let mut due = Due::default();
        if self.refresh == 0 || now < self.asked + AGAIN_SECS {
            return due;
        }
        let older =
            |age: u64| self.settled.iter().filter(move |(_, at)| **at + age <= now).map(|(set, _)| *set);
        due.old = older(self.refresh).collect();
        if now >= self.warned + self.refresh {
            due.stalled = older(2 * self.refresh).next();
        }
        self.asked = now;
        if due.stalled.is_some() {
            self.warned = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_sets_are_due_and_stalled_ones_are_noticed() {
        let (young, old) = (SetId::new([1; 32]), SetId::new([2; 32]));
        let hour = Duration::from_hours(1);
        let mut ages = Ages::new([(young, Seconds(10_000)), (old, Seconds(6_000))], hour);
        let due = ages.due(Seconds(10_100));
        assert_eq!((due.old, due.stalled), (vec![old], None));
        assert!(ages.due(Seconds(10_101)).old.is_empty(), "asked for just now");
        let due = ages.due(Seconds(13_600));
        assert_eq!((due.old, due.stalled), (vec![young, old], Some(old)));
        ages.settled(&[young, old], Seconds(13_700));
        assert!(ages.due(Seconds(14_300)).old.is_empty());
    }

    #[test]
    fn an_interval_of_zero_switches_the_timer_off() {
        let mut ages = Ages::new([(SetId::new([1; 32]), Seconds(0))], Duration::ZERO);
        assert!(ages.due(Seconds(u64::MAX)).old.is_empty());
    }
}
