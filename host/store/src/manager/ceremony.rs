//! Fragment sets and their instances, as the ceremony made them; fragments are sealed before they come here.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use symbolon_fragments::names::{Index, InstanceId, SetId};

/// How far the manager is with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It stored its fragment and signed.
    Signed = 1,
    /// It stored the complete certificate, read the fragment back, and serves it.
    Flipped = 2,
    /// It stored every member's flip.
    Settled = 3,
}

/// An instance as it is first stored, [`Status::Signed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstance {
    /// Its set.
    pub set: SetId,
    /// Its name.
    pub instance: InstanceId,
    /// Canonical encoding of the create request that the set was made for.
    pub origin: Vec<u8>,
    /// Canonical encoding of the certificate with this manager's signature.
    pub certificate: Vec<u8>,
    /// The sealed fragment.
    pub fragment: Vec<u8>,
}

/// An instance, without its fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its set.
    pub set: SetId,
    /// Its name.
    pub instance: InstanceId,
    /// How far the manager is with it.
    pub status: Status,
    /// Canonical encoding of the certificate, with the signatures stored.
    pub certificate: Vec<u8>,
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRow {
    /// The set.
    pub set: SetId,
    /// Canonical encoding of the create request that it was made for.
    pub origin: Vec<u8>,
    /// Serial of the order that destroyed it.
    pub destroyed: Option<u64>,
}

/// How far the ceremony log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Number of the last entry read.
    pub sequence: u64,
    /// The chain's hash there.
    pub head: [u8; 32],
}

impl<T: Reading> Rows<'_, T> {
    /// Every set.
    pub async fn sets(&mut self) -> Result<Vec<SetRow>, StoreError> {
        let rows: Vec<(Vec<u8>, Vec<u8>, Option<i64>)> = sqlx::query_as(
            r#"SELECT set_id, origin, destroyed FROM "set" WHERE account = ? ORDER BY set_id"#,
        )
        .bind(self.account())
        .fetch_all(self.transaction.reading().0)
        .await?;
        rows.into_iter()
            .map(|(set, origin, destroyed)| {
                Ok(SetRow { set: SetId::new(hash(set)?), origin, destroyed: destroyed.map(number) })
            })
            .collect()
    }

    /// Canonical encoding of the create request that a set was made for.
    pub async fn origin(&mut self, set: &SetId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar(r#"SELECT origin FROM "set" WHERE account = ? AND set_id = ?"#)
            .bind(self.account())
            .bind(set.as_bytes().to_vec())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }

    /// Every instance held.
    pub async fn instances(&mut self) -> Result<Vec<InstanceRow>, StoreError> {
        let rows: Vec<Columns> =
            sqlx::query_as("SELECT set_id, instance, status, certificate FROM instance WHERE account = ?")
                .bind(self.account())
                .fetch_all(self.transaction.reading().0)
                .await?;
        rows.into_iter().map(instance_row).collect()
    }

    /// An instance's certificate and sealed fragment.
    pub async fn fragment(
        &mut self,
        instance: &InstanceId,
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let query = "SELECT certificate, fragment FROM instance WHERE account = ? AND instance = ?";
        Ok(sqlx::query_as(query)
            .bind(self.account())
            .bind(instance.as_bytes().to_vec())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }

    /// The members' statements of every settled ceremony.
    pub async fn flips(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT statement FROM flip WHERE account = ?")
            .bind(self.account())
            .fetch_all(self.transaction.reading().0)
            .await?)
    }

    /// How far the ceremony log was read; nothing before the first entry.
    pub async fn position(&mut self) -> Result<Option<Position>, StoreError> {
        let row: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT sequence, head FROM ceremony_log WHERE account = ?")
                .bind(self.account())
                .fetch_optional(self.transaction.reading().0)
                .await?;
        row.map(|(sequence, head)| Ok(Position { sequence: number(sequence), head: hash(head)? })).transpose()
    }
}

/// Set, instance, status, certificate.
type Columns = (Vec<u8>, Vec<u8>, i64, Vec<u8>);

fn instance_row(row: Columns) -> Result<InstanceRow, StoreError> {
    let (set, instance, status, certificate) = row;
    let status = match status {
        1 => Status::Signed,
        2 => Status::Flipped,
        3 => Status::Settled,
        _ => return Err(StoreError::Corrupted),
    };
    let (set, instance) = (SetId::new(hash(set)?), InstanceId::new(hash(instance)?));
    Ok(InstanceRow { set, instance, status, certificate })
}

impl Rows<'_, Write> {
    /// Stores an instance, and its set if it is new.
    pub async fn add_instance(&mut self, new: &NewInstance) -> Result<(), StoreError> {
        sqlx::query(r#"INSERT OR IGNORE INTO "set" (account, set_id, origin) VALUES (?, ?, ?)"#)
            .bind(self.account())
            .bind(new.set.as_bytes().to_vec())
            .bind(&new.origin)
            .execute(self.transaction.connection())
            .await?;
        sqlx::query(
            "INSERT INTO instance (account, instance, set_id, status, certificate, fragment)
             VALUES (?, ?, ?, 1, ?, ?)",
        )
        .bind(self.account())
        .bind(new.instance.as_bytes().to_vec())
        .bind(new.set.as_bytes().to_vec())
        .bind(&new.certificate)
        .bind(&new.fragment)
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Stores the complete certificate of an instance that is held: it is [`Status::Flipped`] now.
    pub async fn flip(&mut self, instance: &InstanceId, certificate: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE instance SET certificate = ?, status = max(status, 2) WHERE account = ? AND instance = ?",
        )
        .bind(certificate)
        .bind(self.account())
        .bind(instance.as_bytes().to_vec())
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// An instance that is held is [`Status::Settled`] now.
    pub async fn settle(&mut self, instance: &InstanceId) -> Result<(), StoreError> {
        sqlx::query("UPDATE instance SET status = 3 WHERE account = ? AND instance = ?")
            .bind(self.account())
            .bind(instance.as_bytes().to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores a member's statement about a ceremony.
    pub async fn put_flip(
        &mut self,
        transcript: &[u8],
        member: Index,
        statement: &[u8],
    ) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO flip (account, transcript, member, statement) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(transcript)
            .bind(i64::from(member.get()))
            .bind(statement)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Forgets the statements about a ceremony.
    pub async fn drop_flips(&mut self, transcript: &[u8]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM flip WHERE account = ? AND transcript = ?")
            .bind(self.account())
            .bind(transcript)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Erases an instance with its sealed fragment.
    pub async fn erase(&mut self, instance: &InstanceId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM instance WHERE account = ? AND instance = ?")
            .bind(self.account())
            .bind(instance.as_bytes().to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Marks a set as destroyed by an order.
    pub async fn destroy_set(&mut self, set: &SetId, serial: u64) -> Result<(), StoreError> {
        sqlx::query(r#"UPDATE "set" SET destroyed = ? WHERE account = ? AND set_id = ?"#)
            .bind(column(serial))
            .bind(self.account())
            .bind(set.as_bytes().to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores how far the ceremony log was read.
    pub async fn put_position(&mut self, position: &Position) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO ceremony_log (account, sequence, head) VALUES (?, ?, ?)")
            .bind(self.account())
            .bind(column(position.sequence))
            .bind(position.head.to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
