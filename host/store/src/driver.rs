//! Tables of a driver, and the typed queries on them: the owner's documents as it took them, and the answers that it has given.
//!
//! Keys are never here: they are wrapped, and with the access manager. Answers are sealed to whoever asked.

use crate::{
    Reading, Schema, StoreError, Write,
    value::{column, number},
};

/// The tables, by version.
pub const SCHEMA: Schema = Schema { scripts: &[include_str!("driver/schema-1.sql")] };

/// Which of the owner's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A root document; all versions are kept.
    Root,
    /// The deny document; the newest is kept.
    Deny,
    /// An order; all are kept.
    Order,
}

/// One of the owner's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Canonical encoding of the signed document.
    pub document: Vec<u8>,
    /// When it was stored, Unix seconds.
    pub received: u64,
}

impl Document {
    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Deny => "deny",
            Self::Order => "order",
        }
    }
}

/// The tables of a driver.
#[derive(Debug)]
pub enum Tables {}

/// An account's rows, as one transaction sees them.
pub type Rows<'t, T> = crate::Rows<'t, T, Tables>;

impl<T: Reading> Rows<'_, T> {
    /// Documents of one kind, by number.
    pub async fn documents(&mut self, kind: Document) -> Result<Vec<DocumentRow>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT document, received FROM document WHERE account = ? AND kind = ? ORDER BY number",
        )
        .bind(self.account())
        .bind(kind.name())
        .fetch_all(self.transaction.reading().0)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(document, received)| DocumentRow { document, received: number(received) })
            .collect())
    }

    /// The answer that was given to a job.
    pub async fn answer(&mut self, job: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT answer FROM answer WHERE account = ? AND job = ?")
            .bind(self.account())
            .bind(job.to_vec())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }

    /// What names the PIN that the token refused; nothing if it refused none.
    pub async fn refused_pin(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT name FROM refused_pin WHERE account = ?")
            .bind(self.account())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }
}

impl Rows<'_, Write> {
    /// Stores a root document or an order of a new number.
    pub async fn add_document(
        &mut self,
        kind: Document,
        number: u64,
        row: &DocumentRow,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO document (account, kind, number, document, received) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(self.account())
        .bind(kind.name())
        .bind(column(number))
        .bind(row.document.as_slice())
        .bind(column(row.received))
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Stores the deny document in the place of the one before.
    pub async fn put_deny(&mut self, version: u64, row: &DocumentRow) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM document WHERE account = ? AND kind = 'deny'")
            .bind(self.account())
            .execute(self.transaction.connection())
            .await?;
        self.add_document(Document::Deny, version, row).await
    }

    /// Stores the answer to a job, which stays the only one.
    pub async fn put_answer(
        &mut self,
        job: &[u8; 32],
        answer: &[u8],
        expires: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO answer (account, job, answer, expires) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(job.to_vec())
            .bind(answer)
            .bind(column(expires))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Forgets answers to jobs whose time ended before `until`.
    pub async fn forget_answers(&mut self, until: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM answer WHERE account = ? AND expires < ?")
            .bind(self.account())
            .bind(column(until))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Remembers that the token refused a PIN, by what names it.
    pub async fn put_refused_pin(&mut self, name: &[u8]) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO refused_pin (account, name) VALUES (?, ?)")
            .bind(self.account())
            .bind(name)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Forgets that a PIN was refused: another is there.
    pub async fn forget_refused_pin(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM refused_pin WHERE account = ?")
            .bind(self.account())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
