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
        let flipped =
            sqlx::query_scalar("SELECT member FROM flip WHERE account = ? AND instance = ? ORDER BY member")
                .bind(self.account())
                .bind(instance.instance.as_bytes().to_vec())
                .fetch_all(self.transaction.reading().0)
                .await?;
        Ok(InstanceRow { instance, completed: number(row.try_get("completed")?), flipped })
    }
}

impl Rows<'_, Write> {
    /// Stores a complete instance; one that is there already stays as it is, and the answer says whether it was new.
    pub async fn put_instance(&mut self, new: &NewInstance, now: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO instance
                 (account, set_id, serial, epoch, instance, suite, t, members, certificate, completed)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(self.account())
        .bind(new.set.as_bytes().to_vec())
        .bind(column(new.serial))
        .bind(column(new.epoch))
        .bind(new.instance.as_bytes().to_vec())
        .bind(new.suite)
        .bind(new.t)
        .bind(members_column(&new.members))
        .bind(new.certificate.as_slice())
        .bind(column(now))
        .execute(self.transaction.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores that a member has flipped to an instance; once or more often is the same.
    pub async fn put_flip(&mut self, instance: &InstanceId, member: Index) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO flip (account, instance, member) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(self.account())
            .bind(instance.as_bytes().to_vec())
            .bind(member.get())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
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
        certificate: row.try_get("certificate")?,
    })
}
