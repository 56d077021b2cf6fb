//! What the host keeps about one instance: handles, limits, and the call that is running.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::grants::Granted;
use crate::limits::Limits;
use crate::structure::{MAX_INSTANCES, MAX_MEMORIES, MAX_TABLES};
use crate::tenant::Tenant;
use crate::ticker::TICK;

/// Who a plugin is, for logs.
#[derive(Debug)]
pub struct Identity {
    /// As in the manifest.
    pub id: String,
    /// As in the manifest.
    pub version: String,
}

/// A limit that a guest ran into. Travels inside wasmtime's error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hit {
    #[error("out of time")]
    Time,
    #[error("out of memory")]
    Memory { limit: usize },
    #[error("out of table elements")]
    Tables { limit: usize },
    #[error("asked for too much at once")]
    Asked { limit: usize },
}

/// The state behind a guest's imports.
pub struct Guest {
    pub(crate) identity: Arc<Identity>,
    pub(crate) tenant: Tenant,
    pub(crate) granted: Arc<Granted>,
    pub(crate) limits: Arc<Limits>,
    /// Everything that the guest holds a handle of.
    pub(crate) table: ResourceTable,
    pub(crate) call: Call,
    /// Bytes of linear memory, and elements of tables, that the instance has.
    memory: usize,
    elements: usize,
}

/// The call that is running.
pub struct Call {
    pub(crate) request: Arc<str>,
    pub(crate) deadline: Instant,
    /// What is left of the guest's own time.
    compute: Duration,
    /// Lines that may still be logged, and lines that were dropped.
    pub(crate) log_lines: u32,
    pub(crate) log_dropped: u32,
}

impl Guest {
    pub(crate) fn new(
        identity: Arc<Identity>,
        tenant: Tenant,
        granted: Arc<Granted>,
        limits: Arc<Limits>,
        call: Call,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self { identity, tenant, granted, limits, table, call, memory: 0, elements: 0 }
    }

    /// A tick passed while the guest was computing: it goes on after others had their turn, or has used up its time.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.call.compute = self.call.compute.saturating_sub(TICK);
        if self.call.compute.is_zero() {
            return Err(Hit::Time.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }

    /// Bytes of linear memory that the instance has.
    pub(crate) const fn memory(&self) -> usize {
        self.memory
    }
}

impl Call {
    pub(crate) fn begin(request: Arc<str>, deadline: Instant, limits: &Limits) -> Self {
        Self { request, deadline, compute: limits.compute, log_lines: limits.log_lines, log_dropped: 0 }
    }
}

impl ResourceLimiter for Guest {
    fn instances(&self) -> usize {
        MAX_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let all = self.memory + (desired - current);
        if all > self.limits.memory {
            return Err(Hit::Memory { limit: self.limits.memory }.into());
        }
        self.memory = all;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Hit::Memory { limit: self.limits.memory }.into())
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Hit::Tables { limit: self.limits.table_elements }.into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let all = self.elements + (desired - current);
        if all > self.limits.table_elements {
            return Err(Hit::Tables { limit: self.limits.table_elements }.into());
        }
        self.elements = all;
        Ok(true)
    }
}
