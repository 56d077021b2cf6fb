//! Tables of the access manager, and the typed queries on them.
//!
//! [`Rows`] binds a transaction to one account, so that no query can forget the account, which is the first column of
//! every primary key. The rows are facts; what they mean (which document is valid, who may see what) is the access
//! manager's business.

mod audit;
mod documents;
mod idempotency;
mod keys;
mod listing;
mod log;
mod sets;

pub use audit::{CheckpointRow, LeafPage};
pub use documents::{DocumentRow, GrantRow, OrderRow, Stamp};
pub use idempotency::Remembered;
pub use keys::{KeyRow, NewKey, NewVersion, VersionRow, VersionStatus};
pub use listing::{KeyFilter, KeyRange, ListedKey};
pub use log::{LogRow, LogTail};
pub use sets::{InstanceRow, NewInstance, SetRow};

use crate::{
    Reading, Schema, StoreError, Write,
    value::{column, number},
};
use symbolon_fragments::names::AccountId;

/// The tables, by version.
pub const SCHEMA: Schema = Schema { scripts: &[include_str!("access/schema-1.sql")] };

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

/// Marks as destroyed every version of any account whose waiting period has ended; says which accounts have some.
pub async fn destroy_due(write: &mut Write, now: u64) -> Result<Vec<AccountId>, StoreError> {
    keys::destroy_due(write, now).await
}

/// The accounts that have a root document.
pub async fn accounts(transaction: &mut impl Reading) -> Result<Vec<AccountId>, StoreError> {
    documents::accounts(transaction).await
}

/// How many bytes the datastore's pages hold, those free for use again left out.
pub async fn bytes_used(transaction: &mut impl Reading) -> Result<u64, StoreError> {
    let pages: i64 = sqlx::query_scalar(
        "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)",
    )
    .fetch_one(transaction.reading().0)
    .await?;
    Ok(number(pages))
}

/// Forgets what was answered, in any account, to requests older than `until`.
pub async fn forget_answers(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    idempotency::forget(write, until).await
}

/// The highest time that was stored, Unix seconds; 0 in a new datastore.
pub async fn clock_mark(transaction: &mut impl Reading) -> Result<u64, StoreError> {
    let mark: Option<i64> =
        sqlx::query_scalar("SELECT mark FROM clock").fetch_optional(transaction.reading().0).await?;
    Ok(mark.map_or(0, number))
}

/// Stores the highest time.
pub async fn put_clock_mark(write: &mut Write, mark: u64) -> Result<(), StoreError> {
    sqlx::query("REPLACE INTO clock (one, mark) VALUES (1, ?)")
        .bind(column(mark))
        .execute(write.connection())
        .await?;
    Ok(())
}
