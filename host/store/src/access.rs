//! Tables of the access manager, and the typed queries on them.
//!
//! The rows are facts; what they mean (which document is valid, who may see what) is the access manager's business.

mod audit;
mod documents;
mod idempotency;
mod jobs;
mod keys;
mod leases;
mod links;
mod listing;
mod log;
mod sets;

pub use audit::{CheckpointRow, LeafPage};
pub use documents::{DocumentRow, GrantRow, OrderRow, Stamp};
pub use idempotency::Remembered;
pub use jobs::{JobRow, NewJob, OpenJobs, TicketRow};
pub use keys::{KeyRow, NewKey, NewVersion, VersionRow, VersionStatus};
pub use leases::LeaseRow;
pub use links::{LinkLevel, LinkRow, LinkVersionRow};
pub use listing::{KeyFilter, KeyRange, ListedKey};
pub use log::{LogRow, LogTail};
pub use sets::{InstanceRow, NewInstance, SetRow};

pub use crate::rows::accounts;

use crate::{Schema, StoreError, Write};

/// The tables, by version.
pub const SCHEMA: Schema = Schema {
    scripts: &[
        include_str!("access/schema-1.sql"),
        include_str!("access/schema-2.sql"),
        include_str!("access/schema-3.sql"),
        include_str!("access/schema-4.sql"),
    ],
};

/// The tables of an access manager.
#[derive(Debug)]
pub enum Tables {}

/// An account's rows, as one transaction sees them.
pub type Rows<'t, T> = crate::Rows<'t, T, Tables>;

/// Forgets what was answered, in any account, to requests older than `until`.
pub async fn forget_answers(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    idempotency::forget(write, until).await
}

/// Forgets leases, in any account, that ended by `until`.
pub async fn forget_leases(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    leases::forget(write, until).await
}

/// Forgets jobs, in any account, whose time ended before `until`.
pub async fn forget_jobs(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    jobs::forget(write, until).await
}
