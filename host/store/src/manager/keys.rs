//! Key versions that the manager has certified, one certificate each, ever.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, number},
};
use symbolon_fragments::names::{KeyId, SetId};

/// A certified key version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The set that serves it.
    pub set: SetId,
    /// Canonical encoding of the key certificate's body.
    pub certificate: Vec<u8>,
    /// Whether it was destroyed.
    pub destroyed: bool,
}

impl<T: Reading> Rows<'_, T> {
    /// A key version.
    pub async fn key(&mut self, key: &KeyId, version: u64) -> Result<Option<KeyRow>, StoreError> {
        let row: Option<(Vec<u8>, Vec<u8>, bool)> = sqlx::query_as(
            r#"SELECT set_id, certificate, destroyed FROM "key" WHERE account = ? AND key = ? AND version = ?"#,
        )
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(version))
        .fetch_optional(self.transaction.reading().0)
        .await?;
        row.map(|(set, certificate, destroyed)| {
            Ok(KeyRow { set: SetId::new(hash(set)?), certificate, destroyed })
        })
        .transpose()
    }

    /// The newest version of a key; 0 if there is none.
    pub async fn newest_version(&mut self, key: &KeyId) -> Result<u64, StoreError> {
        let version: Option<i64> =
            sqlx::query_scalar(r#"SELECT max(version) FROM "key" WHERE account = ? AND key = ?"#)
                .bind(self.account())
                .bind(key.as_str())
                .fetch_one(self.transaction.reading().0)
                .await?;
        Ok(version.map_or(0, number))
    }
}

impl Rows<'_, Write> {
    /// Stores a key version, in the place of what was stored of it.
    pub async fn put_key(&mut self, key: &KeyId, version: u64, row: &KeyRow) -> Result<(), StoreError> {
        sqlx::query(
            r#"REPLACE INTO "key" (account, key, version, set_id, certificate, destroyed) VALUES (?, ?, ?, ?, ?, ?)"#,
        )
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(version))
        .bind(row.set.as_bytes().to_vec())
        .bind(&row.certificate)
        .bind(row.destroyed)
        .execute(self.transaction.connection())
        .await?;
        Ok(())
    }

    /// Marks a key version as destroyed. Says whether it was one that was not.
    pub async fn destroy_key(&mut self, key: &KeyId, version: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            r#"UPDATE "key" SET destroyed = 1 WHERE account = ? AND key = ? AND version = ? AND destroyed = 0"#,
        )
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(version))
        .execute(self.transaction.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
