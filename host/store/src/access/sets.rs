//! Complete instances of fragment sets, and who has flipped to them.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, members_column, members_of, number},
};
use sqlx::{Row, sqlite::SqliteRow};
use symbolon_fragments::names::{Index, InstanceId, SetId};

/// A complete instance, as its certificate describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstance {
    /// The set.
    pub set: SetId,
    /// The instance.
    pub instance: InstanceId,
    /// The order's serial, the higher half of its number.
    pub serial: u64,
    /// The epoch, the lower half of its number.
    pub epoch: u64,
    /// Number of the suite.
    pub suite: u8,
    /// How many fragments make an operation.
    pub t: u16,
    /// Who holds one, ascending.
    pub members: Vec<Index>,
    /// Names the ceremony that made it.
    pub transcript: [u8; 32],
    /// Canonical encoding of the certificate with all members' signatures.
    pub certificate: Vec<u8>,
}

/// An instance as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// What its certificate says.
    pub instance: NewInstance,
    /// When it became complete here, Unix seconds.
    pub completed: u64,
    /// Who has flipped to it, ascending.
    pub flipped: Vec<u16>,
    /// Whether all its members have.
    pub settled: bool,
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRow {
    /// Its newest complete instance.
    pub newest: InstanceRow,
    /// How many key versions name it.
    pub keys: u64,
}

const NEWEST: &str = "SELECT i.*, (SELECT count(*) FROM key_version v
         WHERE v.account = i.account AND v.set_id = i.set_id) AS keys
     FROM instance i
     WHERE i.account = ? AND i.set_id > ? AND NOT EXISTS (SELECT 1 FROM instance n
         WHERE n.account = i.account AND n.set_id = i.set_id
           AND (n.serial, n.epoch, n.instance) > (i.serial, i.epoch, i.instance))
     ORDER BY i.set_id LIMIT ?";

impl<T: Reading> Rows<'_, T> {
    /// Sets with an id above `after`, ascending.
    pub async fn sets(&mut self, after: Option<&SetId>, limit: u32) -> Result<Vec<SetRow>, StoreError> {
        let after = after.map_or_else(Vec::new, |set| set.as_bytes().to_vec());
        let rows = sqlx::query(NEWEST)
            .bind(self.account())
            .bind(after)
            .bind(limit)
            .fetch_all(self.transaction.reading().0)
            .await?;
        let mut sets = Vec::with_capacity(rows.len());
        for row in rows {
            let keys = number(row.try_get("keys")?);
            sets.push(SetRow { newest: self.with_flips(&row).await?, keys });
        }
        Ok(sets)
    }

    /// How many key versions name a set.
    pub async fn keys_of_set(&mut self, set: &SetId) -> Result<u64, StoreError> {
        let keys: i64 =
            sqlx::query_scalar("SELECT count(*) FROM key_version WHERE account = ? AND set_id = ?")
                .bind(self.account())
                .bind(set.as_bytes().to_vec())
                .fetch_one(self.transaction.reading().0)
                .await?;
        Ok(number(keys))
    }

    /// A set's complete instances, newest first.
    pub async fn instances(&mut self, set: &SetId, limit: u32) -> Result<Vec<InstanceRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM instance WHERE account = ? AND set_id = ?
             ORDER BY serial DESC, epoch DESC, instance DESC LIMIT ?",
        )
        .bind(self.account())
        .bind(set.as_bytes().to_vec())
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        let mut instances = Vec::with_capacity(rows.len());
        for row in rows {
            instances.push(self.with_flips(&row).await?);
        }
        Ok(instances)
    }

    async fn with_flips(&mut self, row: &SqliteRow) -> Result<InstanceRow, StoreError> {
        let instance = instance(row)?;
        let flipped = self.flipped(&instance.transcript).await?;
        let (completed, settled) = (number(row.try_get("completed")?), row.try_get("settled")?);
        Ok(InstanceRow { instance, completed, flipped, settled })
    }

    async fn flipped(&mut self, transcript: &[u8; 32]) -> Result<Vec<u16>, StoreError> {
        Ok(sqlx::query_scalar("SELECT member FROM flip WHERE account = ? AND transcript = ? ORDER BY member")
            .bind(self.account())
            .bind(transcript.to_vec())
            .fetch_all(self.transaction.reading().0)
            .await?)
    }

    /// Whether a set has a complete instance.
    pub async fn has_set(&mut self, set: &SetId) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM instance WHERE account = ? AND set_id = ?)")
            .bind(self.account())
            .bind(set.as_bytes().to_vec())
            .fetch_one(self.transaction.reading().0)
            .await?)
    }

    /// How many sets there are.
    pub async fn count_sets(&mut self) -> Result<u64, StoreError> {
        let sets: i64 = sqlx::query_scalar("SELECT count(DISTINCT set_id) FROM instance WHERE account = ?")
            .bind(self.account())
            .fetch_one(self.transaction.reading().0)
            .await?;
        Ok(number(sets))
    }
}

impl Rows<'_, Write> {
    /// Stores a complete instance; one that is there already stays as it is, and the answer says whether it was new.
    pub async fn put_instance(&mut self, new: &NewInstance, now: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO instance
                 (account, set_id, serial, epoch, instance, suite, t, members, transcript, certificate, completed)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(self.account())
        .bind(new.set.as_bytes().to_vec())
        .bind(column(new.serial))
        .bind(column(new.epoch))
        .bind(new.instance.as_bytes().to_vec())
        .bind(new.suite)
        .bind(new.t)
        .bind(members_column(&new.members))
        .bind(new.transcript.to_vec())
        .bind(new.certificate.as_slice())
        .bind(column(now))
        .execute(self.transaction.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores that a member has flipped to what a ceremony made; once or more often is the same.
    pub async fn put_flip(&mut self, transcript: &[u8; 32], member: Index) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO flip (account, transcript, member) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(self.account())
            .bind(transcript.to_vec())
            .bind(member.get())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Marks as settled the instances of a ceremony that all their members have flipped to; says which it marked.
    pub async fn settle(&mut self, transcript: &[u8; 32]) -> Result<Vec<(SetId, InstanceId)>, StoreError> {
        let flipped = self.flipped(transcript).await?;
        let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT set_id, instance, members FROM instance WHERE account = ? AND transcript = ? AND settled = 0",
        )
        .bind(self.account())
        .bind(transcript.to_vec())
        .fetch_all(self.transaction.connection())
        .await?;
        let mut settled = Vec::new();
        for (set, instance, members) in rows {
            if members_of(&members)?.iter().all(|member| flipped.contains(&member.get())) {
                settled.push((SetId::new(hash(set)?), InstanceId::new(hash(instance)?)));
            }
        }
        for (_, instance) in &settled {
            sqlx::query("UPDATE instance SET settled = 1 WHERE account = ? AND instance = ?")
                .bind(self.account())
                .bind(instance.as_bytes().to_vec())
                .execute(self.transaction.connection())
                .await?;
        }
        Ok(settled)
    }
}

fn instance(row: &SqliteRow) -> Result<NewInstance, StoreError> {
    Ok(NewInstance {
        set: SetId::new(hash(row.try_get("set_id")?)?),
        instance: InstanceId::new(hash(row.try_get("instance")?)?),
        serial: number(row.try_get("serial")?),
        epoch: number(row.try_get("epoch")?),
        suite: row.try_get("suite")?,
        t: row.try_get("t")?,
        members: members_of(row.try_get("members")?)?,
        transcript: hash(row.try_get("transcript")?)?,
        certificate: row.try_get("certificate")?,
    })
}
