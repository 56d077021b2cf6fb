//! The high-water mark of a role's clock, one for each account; every role's schema has the table.

use crate::{
    Reading, StoreError, Write,
    value::{column, number},
};
use symbolon_fragments::names::AccountId;

/// The mark, Unix seconds; 0 if none was stored.
pub(crate) async fn mark(transaction: &mut impl Reading, account: &AccountId) -> Result<u64, StoreError> {
    let mark: Option<i64> = sqlx::query_scalar("SELECT mark FROM clock WHERE account = ?")
        .bind(account.as_bytes().as_slice())
        .fetch_optional(transaction.reading().0)
        .await?;
    Ok(mark.map_or(0, number))
}

/// Stores the mark, whatever it was.
pub(crate) async fn put_mark(write: &mut Write, account: &AccountId, mark: u64) -> Result<(), StoreError> {
    sqlx::query("REPLACE INTO clock (account, mark) VALUES (?, ?)")
        .bind(account.as_bytes().as_slice())
        .bind(column(mark))
        .execute(write.connection())
        .await?;
    Ok(())
}
