//! Whose a datastore is, and which version its tables have.

use crate::OpenError;
use sqlx::{Connection, SqliteConnection};
use std::fmt;
use symbolon_fragments::names::Thumbprint;

/// Marks the file as one of ours (`PRAGMA application_id`): "SYMB".
const APPLICATION: i32 = 0x5359_4d42;

/// A role that keeps state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds fragments.
    FragmentManager,
    /// Holds metadata.
    AccessManager,
    /// Drives an HSM.
    Driver,
}

impl Role {
    /// The role's name, as in the command line and in the datastore.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FragmentManager => "fragment-manager",
            Self::AccessManager => "access-manager",
            Self::Driver => "driver",
        }
    }
}

/// Whose a datastore is: a role and the thumbprint of its identity key.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The role.
    pub role: Role,
    /// Thumbprint of its identity key.
    pub identity: Thumbprint,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role.name(), self.identity)
    }
}

/// The tables of a role: one SQL script a version, in order. A released script is never changed.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The scripts; version `v` is made by the first `v` of them.
    pub scripts: &'static [&'static str],
}

impl Schema {
    fn version(&self) -> u32 {
        u32::try_from(self.scripts.len()).expect("fewer than 2^32 scripts")
    }
}

/// Refuses a damaged file.
pub(crate) async fn check_integrity(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(connection).await?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(OpenError::Corrupted(verdict)),
    }
}

/// Marks a new datastore as the owner's, refuses another's, and brings the tables to the program's version, all at once.
pub(crate) async fn adopt(
    connection: &mut SqliteConnection,
    owner: &Owner,
    schema: &Schema,
) -> Result<(), OpenError> {
    let mut tx = connection.begin_with("BEGIN EXCLUSIVE").await?;
    let application: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *tx).await?;
    match application {
        0 => mark(&mut tx, owner).await?,
        APPLICATION => check_owner(&mut tx, owner).await?,
        _ => return Err(OpenError::Corrupted("the file belongs to another program".into())),
    }
    migrate(&mut tx, schema).await?;
    Ok(tx.commit().await?)
}

async fn mark(connection: &mut SqliteConnection, owner: &Owner) -> Result<(), OpenError> {
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    if tables != 0 {
        return Err(OpenError::Corrupted("the file belongs to another program".into()));
    }
    // The number is APPLICATION; a pragma takes no parameter.
    sqlx::raw_sql(
        "PRAGMA application_id = 0x53594d42;
         CREATE TABLE owner (role TEXT NOT NULL, identity BLOB NOT NULL, version INTEGER NOT NULL) STRICT;",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO owner (role, identity, version) VALUES (?, ?, 0)")
        .bind(owner.role.name())
        .bind(owner.identity.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

async fn check_owner(connection: &mut SqliteConnection, owner: &Owner) -> Result<(), OpenError> {
    let (role, identity): (String, Vec<u8>) =
        sqlx::query_as("SELECT role, identity FROM owner").fetch_one(connection).await?;
    if role == owner.role.name() && identity == owner.identity.as_bytes() {
        return Ok(());
    }
    let identity = <[u8; 32]>::try_from(identity).map(Thumbprint::new);
    let identity = identity.map_err(|_| OpenError::Corrupted("its owner is unreadable".into()))?;
    Err(OpenError::Swapped { found: format!("{role} {identity}"), expected: owner.to_string() })
}

async fn migrate(connection: &mut SqliteConnection, schema: &Schema) -> Result<(), OpenError> {
    let found: u32 = sqlx::query_scalar("SELECT version FROM owner").fetch_one(&mut *connection).await?;
    let Some(scripts) = schema.scripts.get(found as usize..) else {
        return Err(OpenError::Newer { found, known: schema.version() });
    };
    for script in scripts {
        sqlx::raw_sql(*script).execute(&mut *connection).await?;
    }
    sqlx::query("UPDATE owner SET version = ?").bind(schema.version()).execute(connection).await?;
    Ok(())
}
