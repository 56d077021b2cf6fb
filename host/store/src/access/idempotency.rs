//! What was answered to requests that carried an `Idempotency-Key`.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash},
};
use symbolon_fragments::names::Thumbprint;

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Hash of the request.
    pub request: [u8; 32],
    /// Status of the answer.
    pub status: u16,
    /// The answer, as the access manager encodes it.
    pub answer: Vec<u8>,
}

impl<T: Reading> Rows<'_, T> {
    /// What was answered to this caller's request with this key.
    pub async fn remembered(
        &mut self,
        caller: &Thumbprint,
        key: &str,
    ) -> Result<Option<Remembered>, StoreError> {
        let row: Option<(Vec<u8>, u16, Vec<u8>)> = sqlx::query_as(
            "SELECT request, status, answer FROM idempotency WHERE account = ? AND principal = ? AND key = ?",
        )
        .bind(self.account())
        .bind(caller.as_bytes().to_vec())
        .bind(key)
        .fetch_optional(self.transaction.reading().0)
        .await?;
        row.map(|(request, status, answer)| Ok(Remembered { request: hash(request)?, status, answer }))
            .transpose()
    }
}

impl Rows<'_, Write> {
    /// Remembers an answer, in the same transaction as what it tells of.
    pub async fn remember(
        &mut self,
        caller: &Thumbprint,
        key: &str,
        remembered: &Remembered,
        now: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO idempotency (account, principal, key, request, status, answer, stored)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.account())
        .bind(caller.as_bytes().to_vec())
        .bind(key)
        .bind(remembered.request.to_vec())
        .bind(remembered.status)
        .bind(remembered.answer.as_slice())
        .bind(column(now))
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }
}

/// Forgets answers of all accounts that were stored before `until`.
pub(super) async fn forget(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM idempotency WHERE stored < ?")
        .bind(column(until))
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected())
}
