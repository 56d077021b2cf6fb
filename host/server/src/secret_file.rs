//! Files that hold secrets: made once, never overwritten, read only when nobody else can.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Bigger ones are a wrong file rather than a secret of ours.
const MAX_BYTES: u64 = 64 * 1024;

/// Group and others.
const NOT_OWNER: u32 = 0o077;

/// Why a secret file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It isn't there.
    #[error("{} doesn't exist", .0.display())]
    Missing(PathBuf),
    /// It is there already, and isn't overwritten.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Its mode lets others read it.
    #[error("others can read {}; mend it with:  chmod 600 FILE", .0.display())]
    Exposed(PathBuf),
    /// It holds something else.
    #[error("{} doesn't hold what is expected there", .0.display())]
    Malformed(PathBuf),
    /// The system refused.
    #[error("{}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

impl SecretFileError {
    pub(crate) fn io(file: &Path, error: io::Error) -> Self {
        let file = file.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(file),
            io::ErrorKind::AlreadyExists => Self::Exists(file),
            _ => Self::Io { file, error },
        }
    }
}

/// Opens a file, or a pipe, that nobody but its owner can read.
pub fn open(path: &Path) -> Result<File, SecretFileError> {
    let file = File::open(path).map_err(|error| SecretFileError::io(path, error))?;
    let about = file.metadata().map_err(|error| SecretFileError::io(path, error))?;
    if about.is_file() && about.mode() & NOT_OWNER != 0 {
        return Err(SecretFileError::Exposed(path.to_owned()));
    }
    Ok(file)
}

/// The whole content.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let file = open(path)?;
    let mut content = Zeroizing::new(Vec::with_capacity(1024));
    file.take(MAX_BYTES).read_to_end(&mut content).map_err(|error| SecretFileError::io(path, error))?;
    Ok(content)
}

/// Makes the file, mode 0600, whole or not at all, and never in the place of another.
pub fn create(path: &Path, content: &[u8]) -> Result<(), SecretFileError> {
    let draft = path.with_added_extension("new");
    write(&draft, content).map_err(|error| SecretFileError::io(&draft, error))?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(|error| SecretFileError::io(&draft, error))?;
    linked.map_err(|error| SecretFileError::io(path, error))
}

fn write(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        create(&path, b"first").unwrap();
        assert!(matches!(create(&path, b"second"), Err(SecretFileError::Exists(_))));
        assert_eq!(*read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        create(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(SecretFileError::Exposed(_))));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nonexistent/identity.key")).unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/identity.key doesn't exist");
    }
}
