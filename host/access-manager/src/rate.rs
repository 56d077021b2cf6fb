//! How many requests a holder may make: a token bucket each, in memory.

use crate::{config::Limits, failure::Failure};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};
use symbolon_fragments::names::Thumbprint;

/// Buckets that are kept; when there are more, full ones go first, and they are as good as new.
const KEPT: usize = 10_000;

/// All holders' buckets.
pub(crate) struct Rates {
    per_sec: f64,
    burst: f64,
    buckets: Mutex<HashMap<Thumbprint, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (per_sec, burst) = (limits.requests_per_sec.max(1).into(), limits.burst.max(1).into());
        Self { per_sec, burst, buckets: Mutex::default() }
    }

    /// Takes a token of the holder's, or says when there will be one.
    pub(crate) fn take(&self, holder: Thumbprint, now: Instant) -> Result<(), Failure> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
        }
        let bucket = buckets.entry(holder).or_insert(Bucket { tokens: self.burst, filled: now });
        bucket.tokens = self.filled(bucket, now);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Failure::RateLimited(1));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        (bucket.tokens + passed * self.per_sec).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_holder_that_asks_too_often_waits_and_no_other_does() {
        let limits = Limits { requests_per_sec: 2, burst: 3, ..Limits::default() };
        let (rates, start) = (Rates::new(&limits), Instant::now());
        let [busy, other] = [1, 2].map(|id| Thumbprint::new([id; 32]));
        for _ in 0..3 {
            rates.take(busy, start).unwrap();
        }
        assert!(matches!(rates.take(busy, start), Err(Failure::RateLimited(_))));
        rates.take(other, start).unwrap();
        rates.take(busy, start + Duration::from_millis(500)).unwrap();
        assert!(rates.take(busy, start + Duration::from_millis(500)).is_err());
    }
}
