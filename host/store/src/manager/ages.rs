//! How old the fragments of each set are.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use symbolon_fragments::names::SetId;

impl<T: Reading> Rows<'_, T> {
    /// When each set settled last, in Unix seconds.
    pub async fn ages(&mut self) -> Result<Vec<(SetId, u64)>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as("SELECT set_id, settled FROM age WHERE account = ?")
            .bind(self.account())
            .fetch_all(self.transaction.reading().0)
            .await?;
        rows.into_iter().map(|(set, settled)| Ok((SetId::new(hash(set)?), number(settled)))).collect()
    }
}

impl Rows<'_, Write> {
    /// A set has settled at this time.
    pub async fn put_age(&mut self, set: &SetId, settled: u64) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO age (account, set_id, settled) VALUES (?, ?, ?)")
            .bind(self.account())
            .bind(set.as_bytes().to_vec())
            .bind(column(settled))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Nothing is held of a set any more.
    pub async fn drop_age(&mut self, set: &SetId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM age WHERE account = ? AND set_id = ?")
            .bind(self.account())
            .bind(set.as_bytes().to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
