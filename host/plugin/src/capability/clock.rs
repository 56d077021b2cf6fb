//! `clock`: the host's clocks.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::host::clock::Host;
use crate::guest::Guest;

/// The arbitrary point that monotonic time counts from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Host for Guest {
    fn monotonic_now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn wall_now(&mut self) -> wasmtime::Result<u64> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
