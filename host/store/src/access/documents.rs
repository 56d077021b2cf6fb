//! The owner's documents: roots, deny document, orders, grants.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use symbolon_fragments::names::Thumbprint;

/// A signed document and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Its version.
    pub version: u64,
    /// Canonical encoding of the signed document.
    pub document: Vec<u8>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its serial.
    pub serial: u64,
    /// Canonical encoding of the signed order.
    pub document: Vec<u8>,
    /// When it was stored, Unix seconds.
    pub stored: u64,
}

/// The newest serial of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant's number.
    pub id: u64,
    /// Its newest serial.
    pub serial: u64,
    /// The holder.
    pub principal: Thumbprint,
    /// Canonical encoding of the signed grant.
    pub document: Vec<u8>,
}

/// Which of the owner's documents are held: while it stays the same, so do they.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Version of the newest root document; 0 where the account is unknown.
    pub root: u64,
    /// Version of the deny document; 0 where there is none.
    pub deny: u64,
    /// How many orders there are.
    pub orders: u64,
}

impl<T: Reading> Rows<'_, T> {
    /// Every root document, oldest first.
    pub async fn roots(&mut self) -> Result<Vec<DocumentRow>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT version, document FROM root WHERE account = ? ORDER BY version")
                .bind(self.account())
                .fetch_all(self.transaction.reading().0)
                .await?;
        Ok(rows.into_iter().map(document).collect())
    }

    /// A root document.
    pub async fn root(&mut self, version: u64) -> Result<Option<DocumentRow>, StoreError> {
        let row: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT version, document FROM root WHERE account = ? AND version = ?")
                .bind(self.account())
                .bind(column(version))
                .fetch_optional(self.transaction.reading().0)
                .await?;
        Ok(row.map(document))
    }

    /// Which documents are held.
    pub async fn stamp(&mut self) -> Result<Stamp, StoreError> {
        let (root, deny, orders): (i64, i64, i64) = sqlx::query_as(
            r#"SELECT coalesce((SELECT max(version) FROM root WHERE account = ?1), 0),
                      coalesce((SELECT version FROM deny WHERE account = ?1), 0),
                      (SELECT count(*) FROM "order" WHERE account = ?1)"#,
        )
        .bind(self.account())
        .fetch_one(self.transaction.reading().0)
        .await?;
        Ok(Stamp { root: number(root), deny: number(deny), orders: number(orders) })
    }

    /// The deny document.
    pub async fn deny(&mut self) -> Result<Option<DocumentRow>, StoreError> {
        let row: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT version, document FROM deny WHERE account = ?")
                .bind(self.account())
                .fetch_optional(self.transaction.reading().0)
                .await?;
        Ok(row.map(document))
    }

    /// Orders with a serial above `after`, ascending.
    pub async fn orders(&mut self, after: u64, limit: u32) -> Result<Vec<OrderRow>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
            r#"SELECT serial, document, stored FROM "order"
               WHERE account = ? AND serial > ? ORDER BY serial LIMIT ?"#,
        )
        .bind(self.account())
        .bind(column(after))
        .bind(limit)
        .fetch_all(self.transaction.reading().0)
        .await?;
        Ok(rows.into_iter().map(order).collect())
    }

    /// A grant.
    pub async fn grant(&mut self, id: u64) -> Result<Option<GrantRow>, StoreError> {
        let row: Option<(i64, i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            r#"SELECT id, serial, principal, document FROM "grant" WHERE account = ? AND id = ?"#,
        )
        .bind(self.account())
        .bind(column(id))
        .fetch_optional(self.transaction.reading().0)
        .await?;
        row.map(grant).transpose()
    }

    /// Grants with a number above `after`, ascending; of one holder, or of all.
    pub async fn grants(
        &mut self,
        principal: Option<&Thumbprint>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let query = match principal {
            Some(_) => {
                r#"SELECT id, serial, principal, document FROM "grant"
                   WHERE account = ? AND id > ? AND principal = ? ORDER BY id LIMIT ?"#
            }
            None => {
                r#"SELECT id, serial, principal, document FROM "grant"
                   WHERE account = ? AND id > ? ORDER BY id LIMIT ?"#
            }
        };
        let mut query = sqlx::query_as(query).bind(self.account()).bind(column(after));
        if let Some(principal) = principal {
            query = query.bind(principal.as_bytes().to_vec());
        }
        let rows: Vec<(i64, i64, Vec<u8>, Vec<u8>)> =
            query.bind(limit).fetch_all(self.transaction.reading().0).await?;
        rows.into_iter().map(grant).collect()
    }
}

impl Rows<'_, Write> {
    /// Stores a root document; the same version twice is [`StoreError::Exists`].
    pub async fn put_root(&mut self, version: u64, document: &[u8], now: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO root (account, version, document, stored) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(version))
            .bind(document)
            .bind(column(now))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores the deny document in the place of the one before.
    pub async fn put_deny(&mut self, version: u64, document: &[u8], now: u64) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO deny (account, version, document, stored) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(column(version))
            .bind(document)
            .bind(column(now))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores an order; the same serial twice is [`StoreError::Exists`].
    pub async fn put_order(&mut self, serial: u64, document: &[u8], now: u64) -> Result<(), StoreError> {
        sqlx::query(r#"INSERT INTO "order" (account, serial, document, stored) VALUES (?, ?, ?, ?)"#)
            .bind(self.account())
            .bind(column(serial))
            .bind(document)
            .bind(column(now))
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Stores a grant in the place of its serial before.
    pub async fn put_grant(&mut self, grant: &GrantRow, now: u64) -> Result<(), StoreError> {
        sqlx::query(
            r#"REPLACE INTO "grant" (account, id, serial, principal, document, stored) VALUES (?, ?, ?, ?, ?, ?)"#,
        )
        .bind(self.account())
        .bind(column(grant.id))
        .bind(column(grant.serial))
        .bind(grant.principal.as_bytes().to_vec())
        .bind(grant.document.as_slice())
        .bind(column(now))
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }
}

fn document((version, document): (i64, Vec<u8>)) -> DocumentRow {
    DocumentRow { version: number(version), document }
}

fn order((serial, document, stored): (i64, Vec<u8>, i64)) -> OrderRow {
    OrderRow { serial: number(serial), document, stored: number(stored) }
}

fn grant((id, serial, principal, document): (i64, i64, Vec<u8>, Vec<u8>)) -> Result<GrantRow, StoreError> {
    let principal = Thumbprint::new(hash(principal)?);
    Ok(GrantRow { id: number(id), serial: number(serial), principal, document })
}
