//! Many schedules on all cores.

use crate::{Outcome, Violation, run};
use std::{
    num::NonZero,
    ops::AddAssign,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// What came of many schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Schedules at whose end a new epoch had to settle, and did.
    pub healed: u64,
    /// Instances that were settled.
    pub settled: u64,
    /// Bad dealings that were named.
    pub accused: u64,
    /// Times that something was stored.
    pub persists: u64,
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.healed += other.healed;
        self.settled += other.settled;
        self.accused += other.accused;
        self.persists += other.persists;
    }
}

impl Total {
    fn add(&mut self, outcome: Outcome) {
        self.healed += u64::from(outcome.healed);
        self.settled += outcome.settled as u64;
        self.accused += outcome.accused as u64;
        self.persists += outcome.persists as u64;
    }
}

/// Runs the schedules of so many seeds; the first violation ends it, with its seed.
pub fn batch(from: u64, count: u64) -> Result<Total, (u64, Violation)> {
    let next = AtomicU64::new(from);
    let shared = Mutex::new(Ok(Total::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| worker(&next, from + count, &shared));
        }
    });
    shared.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn worker(next: &AtomicU64, end: u64, shared: &Mutex<Result<Total, (u64, Violation)>>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let outcome = run(seed, None);
        let mut total = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match (total.as_mut(), outcome) {
            (Ok(total), Ok(outcome)) => total.add(outcome),
            (Ok(_), Err(violation)) => *total = Err((seed, violation)),
            (Err(_), _) => return,
        }
    }
}
