//! Rates of grants: inputs a second, counted at this manager for all channels together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use symbolon_protocol::wire::{Error, MAX_INPUTS};

/// Inputs in the largest request.
const FULL_REQUEST: f64 = 64.0;
const _: () = assert!(MAX_INPUTS == 64);

/// A bucket that fills at a grant's rate and holds a second of it, but at least one full request.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: u32,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    inputs: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: u32) -> Self {
        Self { rate, level: Mutex::new(Level { inputs: Self::capacity(rate), at: Instant::now() }) }
    }

    fn capacity(rate: u32) -> f64 {
        f64::from(rate).max(FULL_REQUEST)
    }

    /// Takes that many inputs, or says when they would be there.
    pub(crate) fn take(&self, inputs: u32) -> Result<(), Error> {
        self.take_at(inputs, Instant::now())
    }

    fn take_at(&self, inputs: u32, now: Instant) -> Result<(), Error> {
        if self.rate == 0 {
            return Ok(());
        }
        let (rate, wanted) = (f64::from(self.rate), f64::from(inputs));
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = level.inputs + now.saturating_duration_since(level.at).as_secs_f64() * rate;
        *level = Level { inputs: filled.min(Self::capacity(self.rate)), at: now };
        if level.inputs < wanted {
            let wait = Duration::from_secs_f64((wanted - level.inputs) / rate);
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            return Err(Error::RateExceeded { retry_after_ms: millis.saturating_add(1) });
        }
        level.inputs -= wanted;
        Ok(())
    }
}

/// The buckets of an account, by grant.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<u64, Arc<Bucket>>>);

impl Rates {
    /// The bucket of a grant. A grant whose rate changed gets a new one.
    pub(crate) fn of(&self, grant: u64, rate: u32) -> Arc<Bucket> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(grant).or_insert_with(|| Arc::new(Bucket::new(rate)));
        if bucket.rate != rate {
            *bucket = Arc::new(Bucket::new(rate));
        }
        Arc::clone(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_second_of_its_rate_and_then_as_fast_as_it_fills() {
        let bucket = Bucket::new(100);
        let start = Instant::now();
        bucket.take_at(60, start).unwrap();
        bucket.take_at(40, start).unwrap();
        assert_eq!(bucket.take_at(10, start), Err(Error::RateExceeded { retry_after_ms: 101 }));
        bucket.take_at(10, start + Duration::from_millis(101)).unwrap();
        bucket.take_at(100, start + Duration::from_mins(1)).unwrap();
        assert!(bucket.take_at(1, start + Duration::from_mins(1)).is_err());
    }

    #[test]
    fn a_full_request_is_possible_at_any_rate_and_no_rate_is_no_limit() {
        let (slow, none) = (Bucket::new(1), Bucket::new(0));
        let start = Instant::now();
        slow.take_at(64, start).unwrap();
        assert!(slow.take_at(1, start).is_err());
        for _ in 0..1000 {
            none.take_at(64, start).unwrap();
        }
    }

    #[test]
    fn channels_share_a_grants_bucket() {
        let rates = Rates::default();
        rates.of(1, 64).take(64).unwrap();
        assert!(rates.of(1, 64).take(1).is_err());
        rates.of(2, 64).take(1).unwrap();
        rates.of(1, 128).take(128).unwrap();
    }
}
