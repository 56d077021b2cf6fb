//! Files that hold secrets: made once, never overwritten, read only when nobody else can.

use crate::error::FileError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Larger ones are a wrong file rather than a secret of ours.
const MAX_LEN: u64 = 64 * 1024;

/// Mode bits of group and others.
const OTHERS: u32 = 0o077;

/// Opens a file that nobody but its owner can read. A pipe is as private as whoever made it.
pub fn open(path: &Path) -> Result<File, FileError> {
    let opened = || -> io::Result<(File, bool)> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok((file, about.is_file() && about.mode() & OTHERS != 0))
    };
    match opened().map_err(|cause| FileError::io(path, cause))? {
        (_, true) => Err(FileError::Exposed { path: path.into() }),
        (file, false) => Ok(file),
    }
}

/// The whole content.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut content = Zeroizing::new(Vec::with_capacity(1024));
    let read = open(path)?.take(MAX_LEN).read_to_end(&mut content);
    read.map_err(|cause| FileError::io(path, cause))?;
    Ok(content)
}

/// Makes the file, mode 0600, whole or not at all, and never in the place of another.
pub fn create(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let draft = path.with_added_extension("new");
    let written = || -> io::Result<()> {
        // A draft that was left, or laid there, has an owner and permissions of its own; or is a link to somewhere else.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()
    };
    let named = || -> io::Result<()> {
        written()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked
    };
    named().map_err(|cause| FileError::io(path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        create(&path, b"first").unwrap();
        assert!(matches!(create(&path, b"second"), Err(FileError::Exists { .. })));
        assert_eq!(*read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        create(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(FileError::Exposed { .. })));
    }

    #[test]
    fn a_draft_that_was_laid_there_is_not_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let (path, theirs) = (folder.path().join("identity.key"), folder.path().join("theirs"));
        let draft = path.with_added_extension("new");
        fs::write(&theirs, b"").unwrap();
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o644)).unwrap();
        let ways: [fn(&Path, &Path) -> io::Result<()>; 2] =
            [|from, to| fs::hard_link(from, to), |from, to| std::os::unix::fs::symlink(from, to)];
        for lay in ways {
            lay(&theirs, &draft).unwrap();
            create(&path, b"secret").unwrap();
            assert_eq!(*read(&path).unwrap(), b"secret", "readable for nobody else");
            assert_eq!(fs::read(&theirs).unwrap(), b"");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nonexistent/identity.key")).unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/identity.key does not exist");
    }
}
