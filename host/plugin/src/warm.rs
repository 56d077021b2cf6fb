//! Idle instances that wait for the next call of their tenant.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instance::Instance;
use crate::tenant::Tenant;

/// Idle instances.
pub struct Warm {
    kept: Mutex<Kept>,
    most: usize,
}

#[derive(Default)]
struct Kept {
    /// The longest idle first.
    idle: VecDeque<Box<Instance>>,
    /// How often instances were forgotten. A call that began before doesn't bring its instance back.
    generation: u64,
}

/// What an instance must show to be kept: that nothing was forgotten since its call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

impl Warm {
    pub fn new(most: usize) -> Self {
        Self { kept: Mutex::default(), most }
    }

    /// For a call that begins.
    pub fn generation(&self) -> Generation {
        Generation(self.kept().generation)
    }

    /// The tenant's own instance that was used last. Never one that has seen another tenant.
    pub fn take(&self, tenant: &Tenant) -> Option<Box<Instance>> {
        let idle = &mut self.kept().idle;
        let at = idle.iter().rposition(|instance| instance.tenant() == tenant)?;
        idle.remove(at)
    }

    /// Keeps the instance of a call that ended; the longest idle one makes room.
    pub fn put(&self, instance: Box<Instance>, began: Generation) {
        let mut kept = self.kept();
        if began != Generation(kept.generation) {
            return;
        }
        kept.idle.push_back(instance);
        let surplus = if kept.idle.len() > self.most { kept.idle.pop_front() } else { None };
        drop(kept);
        drop(surplus);
    }

    /// Ends the tenant's instances: idle ones now, others when their call ends.
    pub fn forget(&self, tenant: &Tenant) {
        let mut kept = self.kept();
        kept.generation += 1;
        kept.idle.retain(|instance| instance.tenant() != tenant);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
