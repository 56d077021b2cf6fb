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

/// A checkpoint that members were asked to cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Size of its tree.
    pub size: u64,
    /// The signed note, without cosignatures.
    pub note: String,
    /// When it was made, Unix seconds.
    pub made: u64,
}

/// Checkpoints that are kept: the open one, and a few before it, whose cosignatures may be all that there is for now.
const KEPT: u32 = 4;

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

    /// The hashes of complete subtrees, in the order in which they are asked for.
    pub async fn nodes(&mut self, places: &[(u8, u64)]) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut hashes = Vec::with_capacity(places.len());
        for (level, position) in places {
            hashes.push(self.node(*level, *position).await?.ok_or(StoreError::Corrupted)?);
        }
        Ok(hashes)
    }

    /// The newest checkpoint that members are asked to cosign.
    pub async fn open_checkpoint(&mut self) -> Result<Option<CheckpointRow>, StoreError> {
        let row = sqlx::query_as(
            "SELECT size, note, made FROM checkpoint WHERE account = ? ORDER BY size DESC LIMIT 1",
        )
        .bind(self.account())
        .fetch_optional(self.transaction.reading().0)
        .await?;
        Ok(row.map(checkpoint))
    }

    /// The checkpoint with most cosignatures, if any has one; the newest of several.
    pub async fn cosigned_checkpoint(&mut self) -> Result<Option<CheckpointRow>, StoreError> {
        let row = sqlx::query_as(
            "SELECT c.size, c.note, c.made FROM checkpoint c JOIN cosignature s USING (account, size)
             WHERE c.account = ? GROUP BY c.size ORDER BY count(*) DESC, c.size DESC LIMIT 1",
        )
        .bind(self.account())
        .fetch_optional(self.transaction.reading().0)
        .await?;
        Ok(row.map(checkpoint))
    }

    /// The checkpoint of a size, if it is kept.
    pub async fn checkpoint(&mut self, size: u64) -> Result<Option<CheckpointRow>, StoreError> {
        let row = sqlx::query_as("SELECT size, note, made FROM checkpoint WHERE account = ? AND size = ?")
            .bind(self.account())
            .bind(column(size))
            .fetch_optional(self.transaction.reading().0)
            .await?;
        Ok(row.map(checkpoint))
    }

    /// The cosignature lines on the checkpoint of that size, by member.
    pub async fn cosignatures(&mut self, size: u64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT line FROM cosignature WHERE account = ? AND size = ? ORDER BY member")
            .bind(self.account())
            .bind(column(size))
            .fetch_all(self.transaction.reading().0)
            .await?)
    }

    /// How far a member's evaluation log was seen: the number of records and their hash.
    pub async fn evaluation_head(&mut self, member: Index) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        let row: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT records, hash FROM evaluation_head WHERE account = ? AND member = ?")
                .bind(self.account())
                .bind(member.get())
                .fetch_optional(self.transaction.reading().0)
                .await?;
        row.map(|(records, head)| Ok((number(records), hash(head)?))).transpose()
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

    /// Asks members to cosign a checkpoint from now on, and forgets the oldest ones.
    pub async fn put_checkpoint(&mut self, new: &CheckpointRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO checkpoint (account, size, note, made) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(new.size))
            .bind(new.note.as_str())
            .bind(column(new.made))
            .execute(self.transaction.connection())
            .await?;
        sqlx::query(
            "DELETE FROM checkpoint WHERE account = ?1 AND size < (SELECT min(size) FROM
                 (SELECT size FROM checkpoint WHERE account = ?1 ORDER BY size DESC LIMIT ?2))",
        )
        .bind(self.account())
        .bind(KEPT)
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Stores a member's cosignature on a kept checkpoint.
    pub async fn put_cosignature(&mut self, size: u64, member: Index, line: &str) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO cosignature (account, size, member, line) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(size))
            .bind(member.get())
            .bind(line)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores how far a member's evaluation log has come.
    pub async fn put_evaluation_head(
        &mut self,
        member: Index,
        records: u64,
        hash: &[u8; 32],
    ) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO evaluation_head (account, member, records, hash) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(member.get())
            .bind(column(records))
            .bind(hash.to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}

fn checkpoint((size, note, made): (i64, String, i64)) -> CheckpointRow {
    CheckpointRow { size: number(size), note, made: number(made) }
}
