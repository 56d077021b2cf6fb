//! What can go wrong with a datastore, by what the operator does about it.

use std::{error::Error, io};

type Source = Box<dyn Error + Send + Sync>;

/// Why a datastore can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process uses this datastore; stop it first, or give this one a datastore of its own")]
    InUse,
    /// The file is no datastore, or is damaged.
    #[error("the datastore is damaged ({0}); restore it from a backup")]
    Corrupted(String),
    /// It belongs to another role or to another identity of this role.
    #[error(
        "the datastore belongs to {found}, but this is {expected}; check the paths in the configuration file"
    )]
    Swapped {
        /// To whom it belongs.
        found: String,
        /// Who wanted to open it.
        expected: String,
    },
    /// A newer program has written it.
    #[error("the datastore has version {found}, this program knows up to {known}; install the newer program")]
    Newer {
        /// Version of the datastore's tables.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// There is no room.
    #[error("the disk is full; make room and start again")]
    Full,
    /// The file can't be reached.
    #[error("the datastore's file cannot be opened")]
    File(#[source] io::Error),
    /// Anything else.
    #[error("the datastore cannot be opened")]
    Failed(#[source] Source),
}

/// Why an operation on an open datastore failed. Its transaction has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room.
    #[error("the disk is full; make room, nothing was changed")]
    Full,
    /// The file is damaged.
    #[error("the datastore is damaged; restore it from a backup")]
    Corrupted,
    /// A row with this key is there already.
    #[error("such a row exists already")]
    Exists,
    /// Anything else.
    #[error("the datastore failed")]
    Failed(#[source] Source),
}

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended codes have them in the low byte.
/// Also what a `ROLLBACK` gives where there is no transaction.
pub(crate) const SQLITE_ERROR: u32 = 1;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_NOTADB: u32 = 26;
/// `SQLITE_IOERR_SHMSIZE`: the index of the write-ahead log can't grow.
const SQLITE_IOERR_SHMSIZE: u32 = 4874;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => Self::Full,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupted,
            error => match result_code(&error) {
                Some(SQLITE_IOERR_SHMSIZE) => Self::Full,
                Some(code) if code & 0xff == SQLITE_FULL => Self::Full,
                Some(code) if [SQLITE_CORRUPT, SQLITE_NOTADB].contains(&(code & 0xff)) => Self::Corrupted,
                Some(code) if code & 0xff == SQLITE_CONSTRAINT => Self::Exists,
                _ => Self::Failed(error.into()),
            },
        }
    }
}

pub(crate) fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Corrupted => Self::Corrupted("not a datastore, or not readable".into()),
            StoreError::Exists => Self::Failed(error.into()),
            StoreError::Failed(source) => Self::Failed(source),
        }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl OpenError {
    pub(crate) fn of_file(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::Full,
            _ => Self::File(error),
        }
    }
}
