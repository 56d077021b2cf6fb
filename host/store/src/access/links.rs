//! The links of key chains: tenants and systems, with the versions of their wrapped keys.

use super::{KeyRange, Rows};
use crate::{
    Reading, StoreError, Write,
    value::{column, number},
};
use sqlx::{QueryBuilder, Row, sqlite::SqliteRow};
use symbolon_fragments::names::KeyId;

/// What kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkLevel {
    /// A tenant, below a root key.
    Tenant,
    /// A system, below a tenant.
    System,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Its id.
    pub link: KeyId,
    /// Its level.
    pub level: LinkLevel,
    /// The key or link above.
    pub above: KeyId,
    /// How many versions its key has.
    pub newest: u64,
    /// When it was made, Unix seconds.
    pub created: u64,
}

/// A version of a link's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkVersionRow {
    /// Its number.
    pub version: u64,
    /// The version of the link above that wraps it; none where a root key does.
    pub above_version: Option<u64>,
    /// The wrapped key; none once it is destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// When it was made, Unix seconds.
    pub created: u64,
}

impl LinkLevel {
    const fn number(self) -> i64 {
        match self {
            Self::Tenant => 2,
            Self::System => 3,
        }
    }

    fn of(number: i64) -> Result<Self, StoreError> {
        match number {
            2 => Ok(Self::Tenant),
            3 => Ok(Self::System),
            _ => Err(StoreError::Corrupted),
        }
    }
}

impl<T: Reading> Rows<'_, T> {
    /// A link.
    pub async fn link(&mut self, link: &KeyId) -> Result<Option<LinkRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM link WHERE account = ? AND link = ?")
            .bind(self.account())
            .bind(link.as_str())
            .fetch_optional(self.transaction.reading().0)
            .await?;
        row.as_ref().map(read_link).transpose()
    }

    /// The versions of a link's key, newest first.
    pub async fn link_versions(&mut self, link: &KeyId) -> Result<Vec<LinkVersionRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM link_version WHERE account = ? AND link = ? ORDER BY version DESC")
                .bind(self.account())
                .bind(link.as_str())
                .fetch_all(self.transaction.reading().0)
                .await?;
        rows.iter().map(read_version).collect()
    }

    /// At most `limit` links of the level in the range, ascending, of all or below one key or link.
    pub async fn list_links(
        &mut self,
        level: LinkLevel,
        range: &KeyRange,
        above: Option<&KeyId>,
        limit: u32,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM link WHERE account = ");
        query.push_bind(self.account()).push(" AND level = ").push_bind(level.number());
        query.push(" AND link >= ").push_bind(range.from.clone());
        if let Some(to) = &range.to {
            query.push(" AND link < ").push_bind(to.clone());
        }
        if let Some(above) = above {
            query.push(" AND above = ").push_bind(above.as_str().to_owned());
        }
        query.push(" ORDER BY link LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(self.transaction.reading().0).await?;
        rows.iter().map(read_link).collect()
    }

    /// How many links of the level there are below a key or link.
    pub async fn count_links(&mut self, level: LinkLevel, above: &KeyId) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM link WHERE account = ? AND level = ? AND above = ?")
                .bind(self.account())
                .bind(level.number())
                .bind(above.as_str())
                .fetch_one(self.transaction.reading().0)
                .await?;
        Ok(number(count))
    }
}

impl Rows<'_, Write> {
    /// Stores a link with the first version of its key; an id that was used before is [`StoreError::Exists`].
    pub async fn put_link(&mut self, new: &LinkRow, first: &LinkVersionRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO link (account, link, level, above, newest, created) VALUES (?, ?, ?, ?, 0, ?)",
        )
        .bind(self.account())
        .bind(new.link.as_str())
        .bind(new.level.number())
        .bind(new.above.as_str())
        .bind(column(new.created))
        .execute(self.transaction.connection())
        .await?;
        self.put_link_version(&new.link, first).await
    }

    /// Stores a further version of a link's key; a number that was used before is [`StoreError::Exists`].
    pub async fn put_link_version(&mut self, link: &KeyId, new: &LinkVersionRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO link_version (account, link, version, above_version, wrapped, created)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(self.account())
        .bind(link.as_str())
        .bind(column(new.version))
        .bind(new.above_version.map(column))
        .bind(new.wrapped.as_deref())
        .bind(column(new.created))
        .execute(self.transaction.connection())
        .await?;
        sqlx::query("UPDATE link SET newest = ? WHERE account = ? AND link = ?")
            .bind(column(new.version))
            .bind(self.account())
            .bind(link.as_str())
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Erases the wrapped key of a version, where there is one. Says whether it did.
    pub async fn erase_link_version(&mut self, link: &KeyId, version: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE link_version SET wrapped = NULL
             WHERE account = ? AND link = ? AND version = ? AND wrapped IS NOT NULL",
        )
        .bind(self.account())
        .bind(link.as_str())
        .bind(column(version))
        .execute(self.transaction.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn read_link(row: &SqliteRow) -> Result<LinkRow, StoreError> {
    let id = |name| -> Result<KeyId, StoreError> {
        let text: String = row.try_get(name)?;
        text.parse().map_err(|_| StoreError::Corrupted)
    };
    Ok(LinkRow {
        link: id("link")?,
        level: LinkLevel::of(row.try_get("level")?)?,
        above: id("above")?,
        newest: number(row.try_get("newest")?),
        created: number(row.try_get("created")?),
    })
}

fn read_version(row: &SqliteRow) -> Result<LinkVersionRow, StoreError> {
    let above: Option<i64> = row.try_get("above_version")?;
    Ok(LinkVersionRow {
        version: number(row.try_get("version")?),
        above_version: above.map(number),
        wrapped: row.try_get("wrapped")?,
        created: number(row.try_get("created")?),
    })
}
