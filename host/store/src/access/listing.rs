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

    /// Each filter begins with the index that was made for it, so that what it leaves out is never looked at. `SQLite` would
    /// rather walk along the keys than use the index of states: it has no statistics here.
    fn list_query(&self, range: &KeyRange, filter: &KeyFilter, limit: u32) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT k.state, k.newest, k.current, k.revision, v.* FROM ");
        let first = match filter {
            KeyFilter { label: Some(_), .. } => {
                query.push(r#"label f JOIN "key" k ON k.account = f.account AND k.key = f.key"#);
                "f"
            }
            KeyFilter { state: Some(_), .. } => {
                query.push(r#""key" k INDEXED BY key_state"#);
                "k"
            }
            KeyFilter { state: None, label: None } => {
                query.push(r#""key" k"#);
                "k"
            }
        };
        query.push(
            " JOIN key_version v ON v.account = k.account AND v.key = k.key
                AND v.version = CASE k.current WHEN 0 THEN k.newest ELSE k.current END",
        );
        query.push(format!(" WHERE {first}.account = ")).push_bind(self.account());
        query.push(format!(" AND {first}.key >= ")).push_bind(range.from.clone());
        if let Some(to) = &range.to {
            query.push(format!(" AND {first}.key < ")).push_bind(to.clone());
        }
        if let Some((name, value)) = &filter.label {
            query.push(" AND f.name = ").push_bind(name.clone());
            query.push(" AND f.value = ").push_bind(value.clone());
        }
        if let Some(state) = filter.state {
            query.push(" AND k.state = ").push_bind(state);
        }
        query.push(format!(" ORDER BY {first}.key LIMIT ")).push_bind(limit);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Datastore, Owner, Read, Role, access};
    use sqlx::AssertSqlSafe;
    use symbolon_fragments::names::{AccountId, Thumbprint};

    async fn plan(rows: &mut Rows<'_, Read>, range: &KeyRange, filter: &KeyFilter) -> Vec<String> {
        let query = rows.list_query(range, filter, 100);
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql().as_str()));
        let steps = sqlx::query(explained).fetch_all(rows.transaction.reading().0).await.unwrap();
        steps.iter().map(|step| step.get("detail")).collect()
    }

    /// Each step finds its rows by an index, all conditions of the first one in it; nothing is walked through or sorted.
    #[tokio::test]
    async fn lists_look_at_the_keys_that_they_show_and_no_others() {
        let directory = tempfile::TempDir::new().unwrap();
        let owner = Owner { role: Role::AccessManager, identity: Thumbprint::new([9; 32]) };
        let path = directory.path().join("datastore");
        let store = Datastore::open(&path, &owner, &access::SCHEMA).await.unwrap();
        let mut read = store.read().await.unwrap();
        let here = AccountId::new([1; 32]);
        let mut rows = Rows::of(&mut read, &here);
        let label = Some(("name".to_owned(), "value".to_owned()));
        let cases = [
            (KeyFilter::default(), "SEARCH k USING PRIMARY KEY (account=? AND key>?"),
            (
                KeyFilter { state: Some("active"), label: None },
                "SEARCH k USING INDEX key_state (account=? AND state=? AND key>?",
            ),
            (
                KeyFilter { state: None, label: label.clone() },
                "SEARCH f USING COVERING INDEX label_value (account=? AND name=? AND value=? AND key>?",
            ),
            (
                KeyFilter { state: Some("active"), label },
                "SEARCH f USING COVERING INDEX label_value (account=? AND name=? AND value=? AND key>?",
            ),
        ];
        for to in [None, Some("z".to_owned())] {
            let range = KeyRange { from: "a".into(), to };
            for (filter, first) in &cases {
                let steps = plan(&mut rows, &range, filter).await;
                assert!(steps[0].starts_with(first), "{filter:?}: {steps:?}");
                assert!(steps.iter().all(|step| step.starts_with("SEARCH ")), "{filter:?}: {steps:?}");
            }
        }
    }
}
