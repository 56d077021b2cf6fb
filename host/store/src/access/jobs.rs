//! The queue of jobs for HSM drivers. Who may have a job, and when, is not decided here.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use sqlx::{Row, sqlite::SqliteRow};
use symbolon_fragments::names::Thumbprint;

/// A job that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Its name.
    pub job: [u8; 32],
    /// The label of the key store.
    pub store: String,
    /// Who asks.
    pub holder: Thumbprint,
    /// Until when it may be done, Unix seconds.
    pub expires: u64,
    /// What the holder handed in.
    pub submission: Vec<u8>,
    /// Who works on it.
    pub ticket: TicketRow,
}

/// Who works on a job, as the access manager encodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// The encoding.
    pub ticket: Vec<u8>,
    /// From when on a driver may lease it, Unix seconds; nothing when it is done.
    pub free_at: Option<u64>,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// What was asked for, and who works on it by now.
    pub job: NewJob,
    /// The result that counts.
    pub result: Option<Vec<u8>>,
}

/// How many jobs are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenJobs {
    /// In the account's store.
    pub of_store: u64,
    /// Of the holder.
    pub of_holder: u64,
}

impl<T: Reading> Rows<'_, T> {
    /// A job.
    pub async fn job(&mut self, job: &[u8; 32]) -> Result<Option<JobRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM job WHERE account = ? AND job = ?")
            .bind(self.account())
            .bind(job.to_vec())
            .fetch_optional(self.transaction.reading().0)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Jobs of a store that are free by now and not over, the oldest first.
    pub async fn free_jobs(&mut self, store: &str, now: u64, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM job WHERE account = ? AND store = ? AND free_at <= ? AND expires >= ?
             ORDER BY rowid LIMIT ?",
        )
        .bind(self.account())
        .bind(store)
        .bind(column(now))
        .bind(column(now))
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        rows.iter().map(read).collect()
    }

    /// How many jobs are neither done nor over.
    pub async fn open_jobs(
        &mut self,
        store: &str,
        holder: &Thumbprint,
        now: u64,
    ) -> Result<OpenJobs, StoreError> {
        let (of_store, of_holder): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM job WHERE account = ?1 AND store = ?2
                       AND free_at IS NOT NULL AND expires >= ?4),
                    (SELECT count(*) FROM job WHERE account = ?1 AND holder = ?3
                       AND free_at IS NOT NULL AND expires >= ?4)",
        )
        .bind(self.account())
        .bind(store)
        .bind(holder.as_bytes().to_vec())
        .bind(column(now))
        .fetch_one(self.transaction.reading().0)
        .await?;
        Ok(OpenJobs { of_store: number(of_store), of_holder: number(of_holder) })
    }
}

impl Rows<'_, Write> {
    /// Puts a job at the end of the queue; one that is there already is [`StoreError::Exists`].
    pub async fn put_job(&mut self, new: &NewJob) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO job (account, job, store, holder, expires, submission, ticket, free_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.account())
        .bind(new.job.to_vec())
        .bind(&new.store)
        .bind(new.holder.as_bytes().to_vec())
        .bind(column(new.expires))
        .bind(new.submission.as_slice())
        .bind(new.ticket.ticket.as_slice())
        .bind(new.ticket.free_at.map(column))
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Stores who works on a job now.
    pub async fn put_ticket(&mut self, job: &[u8; 32], ticket: &TicketRow) -> Result<(), StoreError> {
        sqlx::query("UPDATE job SET ticket = ?, free_at = ? WHERE account = ? AND job = ?")
            .bind(ticket.ticket.as_slice())
            .bind(ticket.free_at.map(column))
            .bind(self.account())
            .bind(job.to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores the result that counts; there is one for good.
    pub async fn put_result(&mut self, job: &[u8; 32], result: &[u8]) -> Result<(), StoreError> {
        sqlx::query("UPDATE job SET result = ? WHERE account = ? AND job = ? AND result IS NULL")
            .bind(result)
            .bind(self.account())
            .bind(job.to_vec())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}

/// Forgets jobs of all accounts whose time ended before `until`.
pub(super) async fn forget(write: &mut Write, until: u64) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM job WHERE expires < ?")
        .bind(column(until))
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &SqliteRow) -> Result<JobRow, StoreError> {
    let free_at: Option<i64> = row.try_get("free_at")?;
    Ok(JobRow {
        job: NewJob {
            job: hash(row.try_get("job")?)?,
            store: row.try_get("store")?,
            holder: Thumbprint::new(hash(row.try_get("holder")?)?),
            expires: number(row.try_get("expires")?),
            submission: row.try_get("submission")?,
            ticket: TicketRow { ticket: row.try_get("ticket")?, free_at: free_at.map(number) },
        },
        result: row.try_get("result")?,
    })
}
