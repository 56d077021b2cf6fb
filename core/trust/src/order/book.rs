//! All orders that a manager took in an account, and what they amount to: the newest for each set, and destructions
//! with their waiting period.

use super::{Action, Order, VerifiedOrder};
use crate::time::{Now, Seconds};
use alloc::collections::BTreeMap;
use symbolon_fragments::names::{KeyId, SetId};

/// How long a destruction waits at least, so that it can be cancelled: 72 hours.
pub const WAITING_PERIOD: u64 = 72 * 3600;

/// An order, and when the manager stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// The order.
    pub order: VerifiedOrder,
    /// When it was stored durably.
    pub received: Seconds,
}

/// An account's orders by serial. What they amount to does not depend on the sequence in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderBook(BTreeMap<u64, StoredOrder>);

/// An order that contradicts one that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderConflict {
    /// Another order has this serial.
    #[error("there is another order with serial {0}")]
    Serial(u64),
    /// The mark was lowered by a later order.
    #[error("the mark was lowered by order {newer}, later than {offered}")]
    OlderMark {
        /// The serial of the order that was offered.
        offered: u64,
        /// The serial of the order that was taken.
        newer: u64,
    },
}

/// A destruction that was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destruction<'a> {
    /// The order's serial.
    pub serial: u64,
    /// The key.
    pub key: &'a KeyId,
    /// Its version.
    pub version: u64,
    /// Not before that time.
    pub due: Seconds,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

/// A destruction whose waiting period is over and that was not cancelled: what erasing asks for.
///
/// ```compile_fail,E0451
/// # fn forge(key: symbolon_fragments::names::KeyId) {
/// let due = symbolon_trust::DueDestruction { serial: 1, key, version: 1 };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDestruction {
    serial: u64,
    key: KeyId,
    version: u64,
}

impl OrderBook {
    /// Takes an order, or says that it was taken before. Orders that were stored are put in here on start.
    pub fn take(&mut self, order: VerifiedOrder, received: Seconds) -> Result<Taken, OrderConflict> {
        let serial = order.order().serial;
        if let Some(known) = self.0.get(&serial) {
            let same = known.order.order() == order.order();
            return if same { Ok(Taken::Before) } else { Err(OrderConflict::Serial(serial)) };
        }
        let newer = self.0.range(serial..).find(|(_, stored)| is_about_mark(&stored.order));
        if let (true, Some((newer, _))) = (is_about_mark(&order), newer) {
            return Err(OrderConflict::OlderMark { offered: serial, newer: *newer });
        }
        self.0.insert(serial, StoredOrder { order, received });
        Ok(Taken::Now)
    }

    /// All orders, by serial.
    pub fn iter(&self) -> impl Iterator<Item = &StoredOrder> {
        self.0.values()
    }

    /// The order with this serial.
    pub fn get(&self, serial: u64) -> Option<&StoredOrder> {
        self.0.get(&serial)
    }

    /// The highest serial; 0 if there is no order.
    pub fn highest_serial(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(serial, _)| *serial)
    }

    /// The newest order to reshare this set.
    pub fn newest_for(&self, set: SetId) -> Option<&VerifiedOrder> {
        let about =
            |order: &Order| matches!(&order.action, Action::Reshare { sets, .. } if sets.contains(&set));
        self.0.values().rev().map(|stored| &stored.order).find(|order| about(order.order()))
    }

    /// All destructions that were ordered, by serial.
    pub fn destructions(&self) -> impl Iterator<Item = Destruction<'_>> {
        self.0.values().filter_map(|stored| self.destruction(stored))
    }

    /// The destructions that may be carried out now. One that was carried out stays in the list: erasing is idempotent.
    pub fn due(&self, now: Now) -> impl Iterator<Item = DueDestruction> {
        let ripe = move |found: &Destruction<'_>| !found.cancelled && found.due <= now.time();
        self.destructions().filter(ripe).map(|found| DueDestruction {
            serial: found.serial,
            key: found.key.clone(),
            version: found.version,
        })
    }

    fn destruction<'a>(&'a self, stored: &'a StoredOrder) -> Option<Destruction<'a>> {
        let order = stored.order.order();
        let Action::Destroy { key, version, execute_after } = &order.action else { return None };
        let waited = order.issued.max(stored.received) + WAITING_PERIOD;
        let due = waited.max(*execute_after);
        let cancelled = self.0.values().any(|other| cancels(other.order.order(), key, order.serial));
        Some(Destruction { serial: order.serial, key, version: *version, due, cancelled })
    }
}

/// Whether an order was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was taken just now.
    Now,
    /// It had been taken before.
    Before,
}

impl DueDestruction {
    /// The order's serial.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// The key.
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// Its version.
    pub const fn version(&self) -> u64 {
        self.version
    }
}

fn is_about_mark(order: &VerifiedOrder) -> bool {
    matches!(order.order().action, Action::LowerMark { .. })
}

fn cancels(order: &Order, destroyed: &KeyId, serial: u64) -> bool {
    matches!(&order.action, Action::CancelDestruction { key, destroy_serial }
        if key == destroyed && *destroy_serial == serial)
}
