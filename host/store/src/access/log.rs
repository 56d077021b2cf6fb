//! The ceremony log.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Its place, from 1.
    pub sequence: u64,
    /// Hash of the chain up to and including it.
    pub hash: [u8; 32],
    /// The message.
    pub message: Vec<u8>,
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The last entry's place, 0 for an empty log.
    pub sequence: u64,
    /// The chain's hash there, all zero for an empty log.
    pub hash: [u8; 32],
}

impl<T: Reading> Rows<'_, T> {
    /// Where the log ends.
    pub async fn log_tail(&mut self) -> Result<LogTail, StoreError> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT sequence, hash FROM ceremony_log WHERE account = ? ORDER BY sequence DESC LIMIT 1",
        )
        .bind(self.account())
        .fetch_optional(self.transaction.reading().0)
        .await?;
        row.map_or_else(
            || Ok(LogTail::default()),
            |(sequence, head)| Ok(LogTail { sequence: number(sequence), hash: hash(head)? }),
        )
    }

    /// Entries behind `after`, in order: at most `limit`, and of at most so many bytes, but one at least.
    pub async fn log(&mut self, after: u64, limit: u32, bytes: u64) -> Result<Vec<LogRow>, StoreError> {
        let last = self.last_within(after, limit, bytes).await?;
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT sequence, hash, message FROM ceremony_log
             WHERE account = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
        )
        .bind(self.account())
        .bind(column(after))
        .bind(column(last))
        .fetch_all(self.transaction.reading().0)
        .await?;
        rows.into_iter()
            .map(|(sequence, head, message)| {
                Ok(LogRow { sequence: number(sequence), hash: hash(head)?, message })
            })
            .collect()
    }

    async fn last_within(&mut self, after: u64, limit: u32, bytes: u64) -> Result<u64, StoreError> {
        let lengths: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT sequence, length(message) FROM ceremony_log
             WHERE account = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        )
        .bind(self.account())
        .bind(column(after))
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        let mut left = bytes;
        let fits = lengths.iter().take_while(|(_, length)| {
            let fits = number(*length) <= left;
            left = left.saturating_sub(number(*length));
            fits
        });
        let last = fits.last().or(lengths.first());
        Ok(last.map_or(after, |(sequence, _)| number(*sequence)))
    }
}

impl Rows<'_, Write> {
    /// Appends an entry.
    pub async fn append_log(&mut self, entry: &LogRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO ceremony_log (account, sequence, hash, message) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(entry.sequence))
            .bind(entry.hash.to_vec())
            .bind(entry.message.as_slice())
            .execute(self.transaction.connection())
            .await?;
        self.transaction.changing().ceremony_log = true;
        Ok(())
    }
}
