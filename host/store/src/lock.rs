//! One process a datastore: a lock on a file beside it, which the operating system drops with the process.

use crate::OpenError;
use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The lock, held until it is dropped.
pub(crate) struct ProcessLock {
    _file: File,
}

impl ProcessLock {
    /// Locks the datastore at `path` to this process.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let file = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(beside(path))
            .map_err(OpenError::of_file)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(OpenError::of_file(error)),
        }
    }
}

/// Makes an empty file that only this user reads, where there is none; `SQLite` gives its own files the same mode.
pub(crate) fn create_private(path: &Path) -> Result<(), OpenError> {
    match private(OpenOptions::new().create_new(true).write(true)).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::of_file(error)),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    name.into()
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
