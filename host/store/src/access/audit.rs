//! The Merkle log's leaves, the hashes of its complete subtrees, and the managers' cosignatures.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use symbolon_fragments::names::Index;

/// Leaves that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafPage {
    /// The entries.
    pub entries: Vec<Vec<u8>>,
    /// How many the log has.
    pub size: u64,
}

/// A member's newest cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignatureRow {
    /// Who cosigned.
    pub member: u16,
    /// Size of the tree at the cosigned checkpoint.
    pub size: u64,
    /// The signature line.
    pub line: String,
}

impl<T: Reading> Rows<'_, T> {
    /// How many leaves there are.
    pub async fn leaves(&mut self) -> Result<u64, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(position) FROM audit_leaf WHERE account = ?")
            .bind(self.account())
            .fetch_one(self.transaction.reading().0)
            .await?;
        Ok(last.map_or(0, |last| number(last) + 1))
    }

    /// At most `limit` leaves from `first` on.
    pub async fn leaf_page(&mut self, first: u64, limit: u32) -> Result<LeafPage, StoreError> {
        let entries: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT entry FROM audit_leaf WHERE account = ? AND position >= ? ORDER BY position LIMIT ?",
        )
        .bind(self.account())
        .bind(column(first))
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        Ok(LeafPage { entries, size: self.leaves().await? })
    }

    /// Hash of the complete subtree of `2^level` leaves at that position among its level's.
    pub async fn node(&mut self, level: u8, position: u64) -> Result<Option<[u8; 32]>, StoreError> {
        let row: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT hash FROM audit_node WHERE account = ? AND level = ? AND position = ?",
        )
        .bind(self.account())
        .bind(level)
        .bind(column(position))
        .fetch_optional(self.transaction.reading().0)
        .await?;
        row.map(hash).transpose()
    }

    /// Every member's newest cosignature.
    pub async fn cosignatures(&mut self) -> Result<Vec<CosignatureRow>, StoreError> {
        let rows: Vec<(u16, i64, String)> =
            sqlx::query_as("SELECT member, size, line FROM cosignature WHERE account = ? ORDER BY member")
                .bind(self.account())
                .fetch_all(self.transaction.reading().0)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(member, size, line)| CosignatureRow { member, size: number(size), line })
            .collect())
    }
}

impl Rows<'_, Write> {
    /// Appends a leaf.
    pub async fn append_leaf(&mut self, position: u64, entry: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO audit_leaf (account, position, entry) VALUES (?, ?, ?)")
            .bind(self.account())
            .bind(column(position))
            .bind(entry)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores the hash of a complete subtree.
    pub async fn put_node(&mut self, level: u8, position: u64, hash: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO audit_node (account, level, position, hash) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(level)
            .bind(column(position))
            .bind(hash.to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores a member's cosignature in the place of the one before.
    pub async fn put_cosignature(&mut self, member: Index, size: u64, line: &str) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO cosignature (account, member, size, line) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(member.get())
            .bind(column(size))
            .bind(line)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
