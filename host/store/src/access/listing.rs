//! Lists of keys: ranges of ids, filters, pages.

use super::{KeyRow, Rows, VersionRow, keys};
use crate::{Reading, StoreError, value::number};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Key ids from one (included) to another (not included).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRange {
    /// The first id.
    pub from: String,
    /// The first id behind the range; none where it has no end.
    pub to: Option<String>,
}

/// Which keys of a range a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// Name of the state.
    pub state: Option<&'static str>,
    /// A label's name and value.
    pub label: Option<(String, String)>,
}

/// A line of a list: a key and the version that stands for it, the newest with a certificate or else the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The id.
    pub key: String,
    /// Its row.
    pub row: KeyRow,
    /// The version that stands for it.
    pub version: VersionRow,
}

impl<T: Reading> Rows<'_, T> {
    /// At most `limit` keys of the range that pass the filter, ascending.
    pub async fn list_keys(
        &mut self,
        range: &KeyRange,
        filter: &KeyFilter,
        limit: u32,
    ) -> Result<Vec<ListedKey>, StoreError> {
        let mut query = self.list_query(range, filter, limit);
        let rows = query.build().fetch_all(self.transaction.reading().0).await?;
        let mut listed = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        self.add_labels(&mut listed).await?;
        Ok(listed)
    }

    fn list_query(&self, range: &KeyRange, filter: &KeyFilter, limit: u32) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT k.state, k.newest, k.current, k.revision, v.* FROM ");
        if let Some((name, value)) = &filter.label {
            query.push(r#"label l JOIN "key" k ON k.account = l.account AND k.key = l.key AND l.name = "#);
            query.push_bind(name.clone()).push(" AND l.value = ").push_bind(value.clone());
        } else {
            query.push(r#""key" k"#);
        }
        query.push(
            " JOIN key_version v ON v.account = k.account AND v.key = k.key
                AND v.version = CASE k.current WHEN 0 THEN k.newest ELSE k.current END
              WHERE k.account = ",
        );
        query.push_bind(self.account()).push(" AND k.key >= ").push_bind(range.from.clone());
        if let Some(to) = &range.to {
            query.push(" AND k.key < ").push_bind(to.clone());
        }
        if let Some(state) = filter.state {
            query.push(" AND k.state = ").push_bind(state);
        }
        query.push(" ORDER BY k.key LIMIT ").push_bind(limit);
        query
    }

    async fn add_labels(&mut self, listed: &mut [ListedKey]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (listed.first(), listed.last()) else { return Ok(()) };
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT key, name, value FROM label WHERE account = ? AND key BETWEEN ? AND ? ORDER BY key",
        )
        .bind(self.account())
        .bind(first.key.clone())
        .bind(last.key.clone())
        .fetch_all(self.transaction.reading().0)
        .await?;
        for (key, name, value) in rows {
            if let Ok(place) = listed.binary_search_by(|line| line.key.as_str().cmp(&key)) {
                listed[place].row.labels.insert(name, value);
            }
        }
        Ok(())
    }
}

fn line(row: &SqliteRow) -> Result<ListedKey, StoreError> {
    Ok(ListedKey {
        key: row.try_get("key")?,
        row: KeyRow {
            state: row.try_get("state")?,
            newest: number(row.try_get("newest")?),
            current: number(row.try_get("current")?),
            revision: number(row.try_get("revision")?),
            labels: BTreeMap::new(),
        },
        version: keys::version(row)?,
    })
}
