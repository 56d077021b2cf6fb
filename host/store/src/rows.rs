//! The rows of one account, as one transaction sees them. Bound to its account here, no query can forget it: it is the first
//! column of every primary key.
//!
//! Which tables there are, and what can be asked of them, is each role's own: `access`, `manager`, `driver`. All have the
//! high-water mark of the role's clock.

use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use std::marker::PhantomData;
use symbolon_fragments::names::AccountId;

/// An account's rows in the tables of a role.
pub struct Rows<'t, T, Tables> {
    pub(crate) transaction: &'t mut T,
    account: AccountId,
    tables: PhantomData<Tables>,
}

/// The accounts that have a root document, in roles that serve several.
pub async fn accounts(transaction: &mut impl Reading) -> Result<Vec<AccountId>, StoreError> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT DISTINCT account FROM root ORDER BY account")
        .fetch_all(transaction.reading().0)
        .await?;
    rows.into_iter().map(|row| hash(row).map(AccountId::new)).collect()
}

impl<'t, T: Reading, Tables> Rows<'t, T, Tables> {
    /// The account's rows in this transaction.
    pub fn of(transaction: &'t mut T, account: &AccountId) -> Self {
        Self { transaction, account: *account, tables: PhantomData }
    }

    pub(crate) fn account(&self) -> Vec<u8> {
        self.account.as_bytes().to_vec()
    }

    /// The high-water mark of the clock, Unix seconds; 0 if none was stored.
    pub async fn mark(&mut self) -> Result<u64, StoreError> {
        let mark: Option<i64> = sqlx::query_scalar("SELECT mark FROM clock WHERE account = ?")
            .bind(self.account())
            .fetch_optional(self.transaction.reading().0)
            .await?;
        Ok(mark.map_or(0, number))
    }
}

impl<Tables> Rows<'_, Write, Tables> {
    /// Stores the high-water mark of the clock, whatever it was.
    pub async fn put_mark(&mut self, mark: u64) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO clock (account, mark) VALUES (?, ?)")
            .bind(self.account())
            .bind(column(mark))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
