//! The owner's documents, as this manager took them: roots, deny document, orders.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, number},
};

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Canonical encoding of the signed order.
    pub document: Vec<u8>,
    /// When it was stored, Unix seconds.
    pub received: u64,
}

impl<T: Reading> Rows<'_, T> {
    /// Every root document, oldest first.
    pub async fn roots(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT document FROM root WHERE account = ? ORDER BY version")
            .bind(self.account())
            .fetch_all(self.transaction.reading().0)
            .await?)
    }

    /// The deny document.
    pub async fn deny(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT document FROM deny WHERE account = ?")
            .bind(self.account())
            .fetch_optional(self.transaction.reading().0)
            .await?)
    }

    /// Every order, by serial.
    pub async fn orders(&mut self) -> Result<Vec<OrderRow>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> =
            sqlx::query_as(r#"SELECT document, received FROM "order" WHERE account = ? ORDER BY serial"#)
                .bind(self.account())
                .fetch_all(self.transaction.reading().0)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(document, received)| OrderRow { document, received: number(received) })
            .collect())
    }
}

impl Rows<'_, Write> {
    /// Stores a root document of a new version.
    pub async fn add_root(&mut self, version: u64, document: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO root (account, version, document) VALUES (?, ?, ?)")
            .bind(self.account())
            .bind(column(version))
            .bind(document)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores the deny document in the place of the one before.
    pub async fn put_deny(&mut self, version: u64, document: &[u8]) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO deny (account, version, document) VALUES (?, ?, ?)")
            .bind(self.account())
            .bind(column(version))
            .bind(document)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores an order of a new serial.
    pub async fn add_order(&mut self, serial: u64, document: &[u8], received: u64) -> Result<(), StoreError> {
        sqlx::query(r#"INSERT INTO "order" (account, serial, document, received) VALUES (?, ?, ?, ?)"#)
            .bind(self.account())
            .bind(column(serial))
            .bind(document)
            .bind(column(received))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }
}
