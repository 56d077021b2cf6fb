//! How a manager has been doing: whom to ask first, and when to ask another too.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Patience with a manager of whom nothing is known: a connection has to be made.
const UNKNOWN: Duration = Duration::from_millis(150);
const LEAST_PATIENCE: Duration = Duration::from_millis(3);
const MOST_PATIENCE: Duration = Duration::from_millis(500);
/// How many usual times a manager may take before another is asked too.
const PATIENCE_FACTOR: u32 = 4;
/// How long a failure counts against a manager.
const FAILURE_COUNTS: Duration = Duration::from_secs(5);
/// How long a lie does.
const LIE_COUNTS: Duration = Duration::from_mins(10);
/// So many inputs of a batch take a manager about as long as one question does.
const INPUTS_A_QUESTION: u32 = 8;
/// A new measurement's weight in the average, as a divisor.
const WEIGHT: u32 = 8;

/// A manager's record.
#[derive(Default)]
pub(super) struct Health(Mutex<Record>);

#[derive(Default)]
struct Record {
    usual: Option<Duration>,
    failed: Option<Instant>,
    lied: Option<Instant>,
}

/// Where a manager stands among others; smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    lied: bool,
    failed: bool,
    usual: u128,
}

/// A question under way. Dropped unanswered after the usual time, because others were faster, it says that this
/// manager is slow, which counts as a failure: the next operations begin with others.
pub(super) struct Asked<'a> {
    health: &'a Health,
    at: Instant,
    /// How many questions it counts as.
    weight: u32,
    answered: bool,
}

/// How many questions a batch of so many inputs counts as.
pub(super) fn weight(inputs: usize) -> u32 {
    1 + u32::try_from(inputs).unwrap_or(u32::MAX) / INPUTS_A_QUESTION
}

impl Health {
    pub(super) fn rank(&self) -> Rank {
        let record = self.record();
        let recent = |at: Option<Instant>, counts| at.is_some_and(|at| at.elapsed() < counts);
        Rank {
            lied: recent(record.lied, LIE_COUNTS),
            failed: recent(record.failed, FAILURE_COUNTS),
            // In steps, so that noise doesn't change the quorum, and with it the channels in use, all the time.
            usual: record.usual.map_or(0, |usual| usual.as_millis() / 4),
        }
    }

    pub(super) fn patience(&self, weight: u32) -> Duration {
        let patience = |usual: Duration| usual.saturating_mul(PATIENCE_FACTOR.saturating_mul(weight));
        let usual = self.record().usual;
        usual.map_or(UNKNOWN, |usual| patience(usual).clamp(LEAST_PATIENCE, MOST_PATIENCE))
    }

    pub(super) fn asked(&self, weight: u32) -> Asked<'_> {
        Asked { health: self, at: Instant::now(), weight, answered: false }
    }

    pub(super) fn lied(&self) {
        self.record().lied = Some(Instant::now());
    }

    fn measured(&self, took: Duration) {
        let mut record = self.record();
        record.usual = Some(match record.usual {
            Some(usual) => (usual * (WEIGHT - 1) + took) / WEIGHT,
            None => took,
        });
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked<'_> {
    /// The question was answered, well or with an error.
    pub(super) fn answered(mut self, well: bool) {
        self.answered = true;
        if well {
            self.health.measured(self.at.elapsed() / self.weight);
            self.health.record().failed = None;
        } else {
            self.health.record().failed = Some(Instant::now());
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let took = self.at.elapsed();
        if !self.answered && took > self.health.patience(self.weight) {
            self.health.measured(took / self.weight);
            self.health.record().failed = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_lies_come_last() {
        let (good, failed, liar) = (Health::default(), Health::default(), Health::default());
        good.asked(1).answered(true);
        failed.asked(1).answered(false);
        liar.lied();
        assert!(good.rank() < failed.rank() && failed.rank() < liar.rank());
        failed.asked(1).answered(true);
        assert!(failed.rank() < liar.rank());
    }

    #[test]
    fn whoever_is_given_up_comes_later_if_it_had_its_time() {
        let (fast, slow) = (Health::default(), Health::default());
        fast.measured(Duration::ZERO);
        slow.measured(Duration::ZERO);
        drop(slow.asked(1));
        assert_eq!(slow.rank(), fast.rank(), "it had no time to answer");
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        drop(Asked { health: &slow, at: long_ago, weight: 1, answered: false });
        assert!(slow.rank() > fast.rank());
    }

    #[test]
    fn patience_follows_what_is_usual() {
        let health = Health::default();
        assert_eq!(health.patience(1), UNKNOWN);
        (0..50).for_each(|_| health.measured(Duration::from_millis(20)));
        let patience = health.patience(1);
        assert!(patience > Duration::from_millis(60) && patience <= Duration::from_millis(80));
        assert_eq!(health.patience(weight(64)), MOST_PATIENCE, "a batch takes longer");
        (0..50).for_each(|_| health.measured(Duration::ZERO));
        assert_eq!(health.patience(1), LEAST_PATIENCE);
    }
}
