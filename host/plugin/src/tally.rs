//! How a plugin's calls ended, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::verdict::CallError;

/// Counts since the plugin was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended, however.
    pub calls: u64,
    /// Of these, with an error of the plugin's own.
    pub errors: u64,
    /// Of these, by the host.
    pub verdicts: u64,
    /// Instances that were made.
    pub instances: u64,
}

/// The counters behind a [`Tally`].
#[derive(Debug, Default)]
pub struct Counters {
    calls: AtomicU64,
    errors: AtomicU64,
    verdicts: AtomicU64,
    instances: AtomicU64,
}

impl Counters {
    pub fn instance(&self) {
        self.instances.fetch_add(1, Ordering::Relaxed);
    }

    pub fn call<R>(&self, outcome: &Result<R, CallError>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(_) => 0,
            Err(CallError::Plugin(_)) => self.errors.fetch_add(1, Ordering::Relaxed),
            Err(CallError::Host(_)) => self.verdicts.fetch_add(1, Ordering::Relaxed),
        };
    }

    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            calls: read(&self.calls),
            errors: read(&self.errors),
            verdicts: read(&self.verdicts),
            instances: read(&self.instances),
        }
    }
}
