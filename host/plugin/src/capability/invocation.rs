//! `invocation`: about the call that is running.

use std::time::Instant;

use crate::bindings::host::invocation::Host;
use crate::guest::Guest;

impl Host for Guest {
    fn request_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.call.request.to_string())
    }

    fn tenant(&mut self) -> wasmtime::Result<String> {
        Ok(self.tenant.to_string())
    }

    fn remaining_ns(&mut self) -> wasmtime::Result<u64> {
        let left = self.call.deadline.saturating_duration_since(Instant::now());
        Ok(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX))
    }
}
