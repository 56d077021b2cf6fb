//! The evaluation log's records, and what the manager remembers as a witness of the access manager's log.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Its number, from 0.
    pub sequence: u64,
    /// Its canonical encoding.
    pub record: Vec<u8>,
}

/// How far the log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The number of records.
    pub records: u64,
    /// Hash of the last one.
    pub last: [u8; 32],
    /// Time of the last one, Unix seconds.
    pub time: u64,
}

impl<T: Reading> Rows<'_, T> {
    /// Records from a number on, ascending.
    pub async fn records(&mut self, from: u64, limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT sequence, record FROM record WHERE account = ? AND sequence >= ? ORDER BY sequence LIMIT ?",
        )
        .bind(self.account())
        .bind(column(from))
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(sequence, record)| RecordRow { sequence: number(sequence), record })
            .collect())
    }

    /// How far the log has come; nothing before the first record.
    pub async fn chain(&mut self) -> Result<Option<Chain>, StoreError> {
        let row: Option<(i64, Vec<u8>, i64)> =
            sqlx::query_as("SELECT records, last, time FROM chain WHERE account = ?")
                .bind(self.account())
                .fetch_optional(self.transaction.reading().0)
                .await?;
        row.map(|(records, last, time)| {
            Ok(Chain { records: number(records), last: hash(last)?, time: number(time) })
        })
        .transpose()
    }

    /// The witness's state.
    pub async fn witness(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT state FROM witness WHERE account = ?")
            .bind(self.account())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }
}

impl Rows<'_, Write> {
    /// Appends records, and stores how far the log has come by them.
    pub async fn append(&mut self, records: &[RecordRow], chain: &Chain) -> Result<(), StoreError> {
        for row in records {
            sqlx::query("INSERT INTO record (account, sequence, record) VALUES (?, ?, ?)")
                .bind(self.account())
                .bind(column(row.sequence))
                .bind(&row.record)
                .execute(self.transaction.connection())
                .await?;
        }
        sqlx::query("REPLACE INTO chain (account, records, last, time) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(chain.records))
            .bind(chain.last.to_vec())
            .bind(column(chain.time))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores the witness's state.
    pub async fn put_witness(&mut self, state: &[u8]) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO witness (account, state) VALUES (?, ?)")
            .bind(self.account())
            .bind(state)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
