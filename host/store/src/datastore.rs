//! An open datastore: one writer, a few readers, and transactions on them.

use crate::{
    OpenError, Owner, Schema, StoreError,
    error::{SQLITE_ERROR, result_code},
    lock::{ProcessLock, create_private},
    schema,
};
use sqlx::{
    Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Readers at once; further ones wait.
const READERS: u32 = 4;

/// How long `SQLite` waits for another connection of this process, for instance at a checkpoint.
const BUSY: Duration = Duration::from_secs(10);

/// How long a caller waits for the writer or a reader before the datastore counts as failed.
const ACQUIRE: Duration = Duration::from_secs(30);

/// A role's datastore, open in this process and in no other.
///
/// Commits are durable (write-ahead log, `synchronous = FULL`): when [`Write::commit`] has returned, a power cut loses
/// nothing of it; a crash before that leaves nothing of it.
pub struct Datastore {
    writer: SqlitePool,
    readers: SqlitePool,
    lock: Mutex<Option<ProcessLock>>,
}

/// A transaction that reads one state of the datastore, whatever is written meanwhile.
pub struct Read(PoolConnection<Sqlite>);

/// The one transaction that writes. Dropped without [`Write::commit`], it has changed nothing.
pub struct Write {
    connection: PoolConnection<Sqlite>,
    changes: Changes,
}

/// What a transaction has changed that somebody may be waiting for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Ids of keys, tenants and systems.
    pub names: BTreeSet<String>,
    /// Whether the ceremony log has grown.
    pub ceremony_log: bool,
}

impl Datastore {
    /// Opens the owner's datastore, and makes it where there is none.
    pub async fn open(path: &Path, owner: &Owner, schema: &Schema) -> Result<Self, OpenError> {
        let lock = ProcessLock::take(path)?;
        create_private(path)?;
        let writer = pool(1).connect_with(options(path)).await?;
        let mut connection = writer.acquire().await?;
        schema::check_integrity(&mut connection).await?;
        schema::adopt(&mut connection, owner, schema).await?;
        drop(connection);
        let readers = pool(READERS).connect_lazy_with(options(path).pragma("query_only", "ON"));
        Ok(Self { writer, readers, lock: Mutex::new(Some(lock)) })
    }

    /// Begins to read.
    pub async fn read(&self) -> Result<Read, StoreError> {
        Ok(Read(begin(&self.readers, "BEGIN").await?))
    }

    /// Begins to write, when the writers before have ended.
    pub async fn write(&self) -> Result<Write, StoreError> {
        let connection = begin(&self.writer, "BEGIN IMMEDIATE").await?;
        Ok(Write { connection, changes: Changes::default() })
    }

    /// Closes it, with what the write-ahead log still has brought into the file. Another process may open it then;
    /// whoever still uses it here gets errors.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Read {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl Write {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// What was changed so far.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) const fn changing(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// Makes all of it durable, or nothing.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut *self.connection).await?;
        Ok(())
    }
}

/// A transaction that can be read from: a [`Read`], or a [`Write`] that sees its own changes.
pub trait Reading: Send {
    #[doc(hidden)]
    fn reading(&mut self) -> Connection<'_>;
}

/// A connection that only this crate can use.
pub struct Connection<'a>(pub(crate) &'a mut SqliteConnection);

impl Reading for Read {
    fn reading(&mut self) -> Connection<'_> {
        Connection(self.connection())
    }
}

impl Reading for Write {
    fn reading(&mut self) -> Connection<'_> {
        Connection(self.connection())
    }
}

async fn begin(pool: &SqlitePool, how: &'static str) -> Result<PoolConnection<Sqlite>, StoreError> {
    let mut connection = pool.acquire().await?;
    sqlx::query(how).execute(&mut *connection).await?;
    Ok(connection)
}

/// Ends whatever transaction is left on a connection that goes back to its pool, and says whether it is good for more.
///
/// Not `sqlx`'s own transactions: `SQLite` ends some by itself when the disk is full, and `sqlx` then counts one
/// transaction too many on that connection for ever.
async fn end_transaction(connection: &mut SqliteConnection) -> bool {
    match sqlx::query("ROLLBACK").execute(connection).await {
        Ok(_) => true,
        Err(error) => result_code(&error) == Some(SQLITE_ERROR), // "no transaction is active"
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(async { Ok(end_transaction(connection).await) }))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
}
