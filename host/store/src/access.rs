//! Tables of the access manager, and the typed queries on them.
//!
//! [`Rows`] binds a transaction to one account, so that no query can forget the account, which is the first column of
//! every primary key. The rows are facts; what they mean (which document is valid, who may see what) is the access
//! manager's business.

mod audit;
mod documents;
mod idempotency;
mod jobs;
mod keys;
mod links;
mod listing;
mod log;
mod sets;

pub use audit::{CheckpointRow, LeafPage};
pub use documents::{DocumentRow, GrantRow, OrderRow, Stamp};
pub use idempotency::Remembered;
pub use jobs::{JobRow, NewJob, OpenJobs, TicketRow};
pub use keys::{KeyRow, NewKey, NewVersion, VersionRow, VersionStatus};
pub use links::{LinkLevel, LinkRow, LinkVersionRow};
pub use listing::{KeyFilter, KeyRange, ListedKey};
pub use log::{LogRow, LogTail};
pub use sets::{InstanceRow, NewInstance, SetRow};

use crate::{Reading, Schema, StoreError, Write, clock};
use symbolon_fragments::names::AccountId;

/// The tables, by version.
pub const SCHEMA: Schema = Schema {
    scripts: &[
        include_str!("access/schema-1.sql"),
        include_str!("access/schema-2.sql"),
        include_str!("access/schema-3.sql"),
    ],
};

/// An account's rows, as one transaction sees them.
pub struct Rows<'t, T> {
    transaction: &'t mut T,
    account: AccountId,
}

impl<'t, T: Reading> Rows<'t, T> {
    /// The account's rows in this transaction.
    pub fn of(transaction: &'t mut T, account: &AccountId) -> Self {
        Self { transaction, account: *account }
    }

    fn account(&self) -> Vec<u8> {
        self.account.as_bytes().to_vec()
    }
}

/// The accounts that have a root document.
pub async fn accounts(transaction: &mut impl Reading) -> Result<Vec<AccountId>, StoreError> {
    documents::accounts(transaction).await
}

/// Forgets what was answered, in any account, to requests older than `until`.
pub async fn forget_answers(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    idempotency::forget(write, until).await
}

/// Forgets jobs, in any account, whose time ended before `until`.
pub async fn forget_jobs(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    jobs::forget(write, until).await
}

impl<T: Reading> Rows<'_, T> {
    /// The highest time that was stored for the account, Unix seconds; 0 for none.
    pub async fn clock_mark(&mut self) -> Result<u64, StoreError> {
        clock::mark(self.transaction, &self.account).await
    }
}

impl Rows<'_, Write> {
    /// Stores the highest time.
    pub async fn put_clock_mark(&mut self, mark: u64) -> Result<(), StoreError> {
        clock::put_mark(self.transaction, &self.account, mark).await
    }
}
