//! Keys, their versions, labels and states.

use super::Rows;
use crate::{
    Reading, StoreError, Write,
    value::{column, hash, members_column, members_of, number},
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::BTreeMap;
use symbolon_fragments::names::{Index, KeyId, SetId};

/// A key's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its state's name, as it follows from all the rest.
    pub state: String,
    /// How many versions it has.
    pub newest: u64,
    /// The newest version with a certificate, 0 for none.
    pub current: u64,
    /// Rises with every change.
    pub revision: u64,
    /// The operator's labels.
    pub labels: BTreeMap<String, String>,
}

/// What can be done with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionStatus {
    /// It has no certificate yet.
    Pending,
    /// It can be used.
    Active,
    /// It will be destroyed.
    Scheduled,
    /// It was destroyed.
    Destroyed,
}

/// A version as its create request describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// Its number, the key's newest plus one.
    pub version: u64,
    /// The label of the key store in HSMs; nothing for fragments.
    pub store: Option<String>,
    /// The set, where it exists already.
    pub set: Option<SetId>,
    /// Number of the suite; in an HSM, of the algorithm.
    pub suite: u8,
    /// Whether its set is a shared root.
    pub shared: bool,
    /// Number of the purpose.
    pub purpose: u8,
    /// Whether it needs a customer fragment.
    pub customer_fragment: bool,
    /// How many fragments make an operation.
    pub t: u16,
    /// Who is to hold one, ascending.
    pub members: Vec<Index>,
    /// When it was asked for, Unix seconds.
    pub created: u64,
    /// Canonical encoding of the signed create request; in an HSM, of the signed job.
    pub request: Vec<u8>,
    /// Hash of its body, by which the ceremony names it.
    pub request_hash: [u8; 32],
}

/// A key that is to be stored with its first version.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id.
    pub key: KeyId,
    /// Its first version.
    pub version: NewVersion,
    /// The operator's labels.
    pub labels: BTreeMap<String, String>,
    /// Whether the deny document disables it already.
    pub disabled: bool,
}

/// A version as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// What its create request says, and its set.
    pub version: NewVersion,
    /// What can be done with it.
    pub status: VersionStatus,
    /// Whether it existed whole once.
    pub imported: bool,
    /// The signed key certificate; in an HSM, the signed wrapped key.
    pub certificate: Option<Vec<u8>>,
    /// Serial of the order that destroys it.
    pub destroy_serial: Option<u64>,
    /// When it is destroyed, Unix seconds.
    pub destroy_at: Option<u64>,
}

impl VersionStatus {
    fn of(name: &str) -> Result<Self, StoreError> {
        match name {
            "pending" => Ok(Self::Pending),
            "active" => Ok(Self::Active),
            "scheduled" => Ok(Self::Scheduled),
            "destroyed" => Ok(Self::Destroyed),
            _ => Err(StoreError::Corrupted),
        }
    }
}

impl<T: Reading> Rows<'_, T> {
    /// A key.
    pub async fn key(&mut self, key: &KeyId) -> Result<Option<KeyRow>, StoreError> {
        let row: Option<(String, i64, i64, i64)> = sqlx::query_as(
            r#"SELECT state, newest, current, revision FROM "key" WHERE account = ? AND key = ?"#,
        )
        .bind(self.account())
        .bind(key.as_str())
        .fetch_optional(self.transaction.reading().0)
        .await?;
        let Some((state, newest, current, revision)) = row else { return Ok(None) };
        let labels = self.labels(key).await?;
        Ok(Some(KeyRow {
            state,
            newest: number(newest),
            current: number(current),
            revision: number(revision),
            labels,
        }))
    }

    async fn labels(&mut self, key: &KeyId) -> Result<BTreeMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT name, value FROM label WHERE account = ? AND key = ?")
                .bind(self.account())
                .bind(key.as_str())
                .fetch_all(self.transaction.reading().0)
                .await?;
        Ok(rows.into_iter().collect())
    }

    /// A key's versions, newest first.
    pub async fn versions(&mut self, key: &KeyId) -> Result<Vec<VersionRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM key_version WHERE account = ? AND key = ? ORDER BY version DESC")
                .bind(self.account())
                .bind(key.as_str())
                .fetch_all(self.transaction.reading().0)
                .await?;
        rows.iter().map(version).collect()
    }

    /// A version of a key.
    pub async fn version(&mut self, key: &KeyId, number: u64) -> Result<Option<VersionRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM key_version WHERE account = ? AND key = ? AND version = ?")
            .bind(self.account())
            .bind(key.as_str())
            .bind(column(number))
            .fetch_optional(self.transaction.reading().0)
            .await?;
        row.as_ref().map(version).transpose()
    }

    /// The keys that are stored as disabled.
    pub async fn disabled_keys(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            r#"SELECT key FROM "key" WHERE account = ? AND state = 'disabled' ORDER BY key"#,
        )
        .bind(self.account())
        .fetch_all(self.transaction.reading().0)
        .await?)
    }
}

impl Rows<'_, Write> {
    /// Stores a key with its first version; an id that was used before is [`StoreError::Exists`].
    pub async fn put_key(&mut self, new: &NewKey) -> Result<(), StoreError> {
        sqlx::query(r#"INSERT INTO "key" (account, key, disabled) VALUES (?, ?, ?)"#)
            .bind(self.account())
            .bind(new.key.as_str())
            .bind(new.disabled)
            .execute(self.transaction.connection())
            .await?;
        for (name, value) in &new.labels {
            self.put_label(&new.key, name, value).await?;
        }
        self.put_version(&new.key, &new.version).await
    }

    /// Stores a further version; a number or a request that was used before is [`StoreError::Exists`].
    pub async fn put_version(&mut self, key: &KeyId, new: &NewVersion) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO key_version (account, key, version, set_id, suite, shared, purpose, customer_fragment,
                 t, members, created, request, request_hash, store)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(new.version))
        .bind(new.set.map(|set| set.as_bytes().to_vec()))
        .bind(new.suite)
        .bind(new.shared)
        .bind(new.purpose)
        .bind(new.customer_fragment)
        .bind(new.t)
        .bind(members_column(&new.members))
        .bind(column(new.created))
        .bind(new.request.as_slice())
        .bind(new.request_hash.to_vec())
        .bind(new.store.as_deref())
        .execute(self.transaction.connection())
        .await?;
        self.refresh_key(key).await
    }

    /// Puts another create request in the place of that of a version that has no certificate yet.
    pub async fn replace_request(&mut self, key: &KeyId, new: &NewVersion) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE key_version SET set_id = ?, suite = ?, shared = ?, purpose = ?, customer_fragment = ?, t = ?,
                 members = ?, created = ?, request = ?, request_hash = ?, store = ?
             WHERE account = ? AND key = ? AND version = ? AND status = 'pending' AND certificate IS NULL",
        )
        .bind(new.set.map(|set| set.as_bytes().to_vec()))
        .bind(new.suite)
        .bind(new.shared)
        .bind(new.purpose)
        .bind(new.customer_fragment)
        .bind(new.t)
        .bind(members_column(&new.members))
        .bind(column(new.created))
        .bind(new.request.as_slice())
        .bind(new.request_hash.to_vec())
        .bind(new.store.as_deref())
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(new.version))
        .execute(self.transaction.connection())
        .await?;
        self.refresh_key(key).await
    }

    /// Sets a label.
    pub async fn put_label(&mut self, key: &KeyId, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query("REPLACE INTO label (account, key, name, value) VALUES (?, ?, ?, ?)")
            .bind(self.account())
            .bind(key.as_str())
            .bind(name)
            .bind(value)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Removes a label, if it is there.
    pub async fn remove_label(&mut self, key: &KeyId, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM label WHERE account = ? AND key = ? AND name = ?")
            .bind(self.account())
            .bind(key.as_str())
            .bind(name)
            .execute(self.transaction.connection())
            .await?;
        Ok(())
    }

    /// Names the set that the ceremony for a create request has made. Says which key got it, if one did just now.
    pub async fn put_set(
        &mut self,
        request_hash: &[u8; 32],
        set: &SetId,
    ) -> Result<Option<KeyId>, StoreError> {
        let key: Option<String> = sqlx::query_scalar(
            "UPDATE key_version SET set_id = ? WHERE account = ? AND request_hash = ? AND set_id IS NULL
             RETURNING key",
        )
        .bind(set.as_bytes().to_vec())
        .bind(self.account())
        .bind(request_hash.to_vec())
        .fetch_optional(self.transaction.connection())
        .await?;
        let Some(key) = key else { return Ok(None) };
        let key: KeyId = key.parse().map_err(|_| StoreError::Corrupted)?;
        self.refresh_key(&key).await?;
        Ok(Some(key))
    }

    /// Stores a version's certificate and makes it usable.
    pub async fn put_certificate(
        &mut self,
        key: &KeyId,
        version: u64,
        certificate: &[u8],
        imported: bool,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE key_version SET certificate = ?, imported = ?,
                 status = CASE status WHEN 'pending' THEN 'active' ELSE status END
             WHERE account = ? AND key = ? AND version = ?",
        )
        .bind(certificate)
        .bind(imported)
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(version))
        .execute(self.transaction.connection())
        .await?;
        self.refresh_key(key).await
    }

    /// Stores whether the deny document disables a key, where such a key is known.
    pub async fn put_disabled(&mut self, key: &KeyId, disabled: bool) -> Result<(), StoreError> {
        sqlx::query(r#"UPDATE "key" SET disabled = ? WHERE account = ? AND key = ?"#)
            .bind(disabled)
            .bind(self.account())
            .bind(key.as_str())
            .execute(self.transaction.connection())
            .await?;
        self.refresh_key(key).await
    }

    /// Schedules the destruction of a version, where such a version is known and not destroyed.
    pub async fn schedule_destruction(
        &mut self,
        key: &KeyId,
        version: u64,
        serial: u64,
        at: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE key_version SET status = 'scheduled', destroy_serial = ?, destroy_at = ?
             WHERE account = ? AND key = ? AND version = ? AND status <> 'destroyed'",
        )
        .bind(column(serial))
        .bind(column(at))
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(version))
        .execute(self.transaction.connection())
        .await?;
        self.refresh_key(key).await
    }

    /// Cancels the destruction that an order asked for, where its waiting period hasn't ended.
    pub async fn cancel_destruction(&mut self, key: &KeyId, serial: u64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE key_version SET destroy_serial = NULL, destroy_at = NULL,
                 status = CASE WHEN certificate IS NULL THEN 'pending' ELSE 'active' END
             WHERE account = ? AND key = ? AND destroy_serial = ? AND status = 'scheduled'",
        )
        .bind(self.account())
        .bind(key.as_str())
        .bind(column(serial))
        .execute(self.transaction.connection())
        .await?;
        self.refresh_key(key).await
    }

    /// Marks as destroyed every version whose waiting period has ended; says how many.
    pub async fn destroy_due(&mut self, now: u64) -> Result<usize, StoreError> {
        let due: Vec<String> = sqlx::query_scalar(
            "UPDATE key_version SET status = 'destroyed'
             WHERE account = ? AND status = 'scheduled' AND destroy_at <= ? RETURNING key",
        )
        .bind(self.account())
        .bind(column(now))
        .fetch_all(self.transaction.connection())
        .await?;
        for key in &due {
            refresh(self.transaction, self.account(), key).await?;
        }
        Ok(due.len())
    }

    /// Derives a key's own row from its versions again, and raises its revision.
    pub async fn refresh_key(&mut self, key: &KeyId) -> Result<(), StoreError> {
        refresh(self.transaction, self.account(), key.as_str()).await
    }
}

/// The one place that says how a key's state follows from `disabled` and the versions.
const REFRESH: &str = r#"
    UPDATE "key" SET
        revision = revision + 1,
        newest = coalesce((SELECT max(version) FROM key_version v
                           WHERE v.account = "key".account AND v.key = "key".key), 0),
        current = coalesce((SELECT max(version) FROM key_version v
                            WHERE v.account = "key".account AND v.key = "key".key
                              AND v.certificate IS NOT NULL), 0),
        state = CASE WHEN disabled THEN 'disabled' ELSE
            (SELECT CASE WHEN sum(status = 'active') > 0 THEN 'active'
                         WHEN sum(status = 'scheduled') > 0 THEN 'scheduled'
                         WHEN sum(status = 'pending') > 0 THEN 'pending'
                         ELSE 'destroyed' END
             FROM key_version v WHERE v.account = "key".account AND v.key = "key".key) END
    WHERE account = ? AND key = ?"#;

async fn refresh(write: &mut Write, account: Vec<u8>, key: &str) -> Result<(), StoreError> {
    sqlx::query(REFRESH).bind(account).bind(key).execute(write.connection()).await?;
    write.changing().names.insert(key.to_owned());
    Ok(())
}

pub(super) fn version(row: &SqliteRow) -> Result<VersionRow, StoreError> {
    let optional = |name| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(name)?.map(number));
    Ok(VersionRow {
        version: request(row)?,
        status: VersionStatus::of(row.try_get("status")?)?,
        imported: row.try_get("imported")?,
        certificate: row.try_get("certificate")?,
        destroy_serial: optional("destroy_serial")?,
        destroy_at: optional("destroy_at")?,
    })
}

fn request(row: &SqliteRow) -> Result<NewVersion, StoreError> {
    let set: Option<Vec<u8>> = row.try_get("set_id")?;
    Ok(NewVersion {
        version: number(row.try_get("version")?),
        store: row.try_get("store")?,
        set: set.map(hash).transpose()?.map(SetId::new),
        suite: row.try_get("suite")?,
        shared: row.try_get("shared")?,
        purpose: row.try_get("purpose")?,
        customer_fragment: row.try_get("customer_fragment")?,
        t: row.try_get("t")?,
        members: members_of(row.try_get("members")?)?,
        created: number(row.try_get("created")?),
        request: row.try_get("request")?,
        request_hash: hash(row.try_get("request_hash")?)?,
    })
}
