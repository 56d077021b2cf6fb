//! Tables of a fragment manager, and the typed queries on them.
//!
//! [`Rows`] binds a transaction to one account, so that no query can forget the account. The rows are facts; which
//! document is valid, which instance is served and what a record says is the fragment manager's business. Fragments
//! come and go sealed.

mod ages;
mod ceremony;
mod documents;
mod keys;
mod log;

pub use ceremony::{InstanceRow, NewInstance, Position, SetRow, Status};
pub use documents::OrderRow;
pub use keys::KeyRow;
pub use log::{Chain, RecordRow};

use crate::{Reading, Schema, StoreError, value::hash};
use symbolon_fragments::names::AccountId;

/// The tables, by version.
pub const SCHEMA: Schema = Schema { scripts: &[include_str!("manager/schema-1.sql")] };

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
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT DISTINCT account FROM root ORDER BY account")
        .fetch_all(transaction.reading().0)
        .await?;
    rows.into_iter().map(|row| hash(row).map(AccountId::new)).collect()
}
