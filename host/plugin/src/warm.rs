//! Idle instances that wait for the next call of their tenant.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instance::Instance;
use crate::tenant::Tenant;

/// Idle instances, the longest idle first.
pub struct Warm {
    idle: Mutex<VecDeque<Box<Instance>>>,
    most: usize,
}

impl Warm {
    pub const fn new(most: usize) -> Self {
        Self { idle: Mutex::new(VecDeque::new()), most }
    }

    /// The tenant's own instance that was used last. Never one that has seen another tenant.
    pub fn take(&self, tenant: &Tenant) -> Option<Box<Instance>> {
        let mut idle = self.idle();
        let at = idle.iter().rposition(|instance| instance.tenant() == tenant)?;
        idle.remove(at)
    }

    /// Keeps the instance; the longest idle one makes room.
    pub fn put(&self, instance: Box<Instance>) {
        let mut idle = self.idle();
        idle.push_back(instance);
        let surplus = if idle.len() > self.most { idle.pop_front() } else { None };
        drop(idle);
        drop(surplus);
    }

    /// Ends all idle instances of the tenant.
    pub fn forget(&self, tenant: &Tenant) {
        self.idle().retain(|instance| instance.tenant() != tenant);
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Box<Instance>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
