//! What can go wrong with a file or a pipe.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It isn't there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is there, and is not to be overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It holds a secret, and others can read it.
    #[error("others can read {}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space left for {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file, or what stands for it.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

impl FileError {
    /// Sorts an error of the system.
    pub fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, cause },
        }
    }

    /// The same for something without a path.
    pub(crate) fn stream(what: &str, cause: io::Error) -> Self {
        Self::io(Path::new(what), cause)
    }
}
