//! Leases on keys of key chains: which processes may have one unwrapped, until when, and what they acknowledged.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use sqlx::{Row, sqlite::SqliteRow};
use symbolon_fragments::names::{KeyId, Thumbprint};

/// The column of processes without a name, which is part of a primary key and so never null.
const UNNAMED: &[u8] = &[];

/// A process that may have a key below a root key unwrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The holder.
    pub holder: Thumbprint,
    /// The holder's process; none for all those without a name.
    pub process: Option<[u8; 32]>,
    /// Until when, Unix seconds.
    pub until: u64,
    /// Canonical encoding of the signed acknowledgement that the process gave last.
    pub acknowledgement: Option<Vec<u8>>,
}

impl<T: Reading> Rows<'_, T> {
    /// Leases below a root key that end after `now`, by holder and process.
    pub async fn leases(&mut self, root: &KeyId, now: u64) -> Result<Vec<LeaseRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM lease WHERE account = ? AND root = ? AND until > ? ORDER BY holder, process",
        )
        .bind(self.account())
        .bind(root.as_str())
        .bind(column(now))
        .fetch_all(self.transaction.reading().0)
        .await?;
        rows.iter().map(read_lease).collect()
    }
}

impl Rows<'_, Write> {
    /// Notes that a process may have a key below the root key unwrapped until then, if not for longer anyway.
    pub async fn put_lease(
        &mut self,
        root: &KeyId,
        holder: Thumbprint,
        process: Option<&[u8; 32]>,
        until: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO lease (account, root, holder, process, until) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        )
        .bind(self.account())
        .bind(root.as_str())
        .bind(holder.as_bytes().to_vec())
        .bind(process.map_or(UNNAMED, <[u8; 32]>::as_slice))
        .bind(column(until))
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Notes what a process acknowledged. Says whether that changed anything: not where it has no lease, or had said so.
    pub async fn put_acknowledgement(
        &mut self,
        holder: Thumbprint,
        process: &[u8; 32],
        acknowledgement: &[u8],
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE lease SET acknowledgement = ?1
             WHERE account = ?2 AND holder = ?3 AND process = ?4 AND acknowledgement IS NOT ?1",
        )
        .bind(acknowledgement)
        .bind(self.account())
        .bind(holder.as_bytes().to_vec())
        .bind(process.to_vec())
        .execute(self.transaction.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

pub(super) async fn forget(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM lease WHERE until <= ?")
        .bind(column(until))
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected())
}

fn read_lease(row: &SqliteRow) -> Result<LeaseRow, StoreError> {
    let process: Vec<u8> = row.try_get("process")?;
    Ok(LeaseRow {
        holder: Thumbprint::new(hash(row.try_get("holder")?)?),
        process: Some(process).filter(|process| process != UNNAMED).map(hash).transpose()?,
        until: number(row.try_get("until")?),
        acknowledgement: row.try_get("acknowledgement")?,
    })
}
