//! A file on its way: without a name where the system can do that (`O_TMPFILE`), else under a temporary one.

use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::NamedTempFile;

/// How temporary names start.
const PREFIX: &str = ".symbolon-";

pub(super) enum Draft {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Unnamed(File),
    Named(NamedTempFile),
}

impl Draft {
    /// A new file in a folder, which only its owner can read.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(file) = unnamed::create(directory)? {
            return Ok(Self::Unnamed(file));
        }
        tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory).map(Self::Named)
    }

    pub(super) fn file(&self) -> &File {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Unnamed(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    /// Gives it its name, which is another file's only if that may be replaced.
    pub(super) fn name(self, target: &Path, replace: bool) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Unnamed(file) => unnamed::name(&file, target, replace),
            Self::Named(file) => {
                let named = if replace { file.persist(target) } else { file.persist_noclobber(target) };
                named.map(|_| ()).map_err(|refused| refused.error)
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod unnamed {
    use super::PREFIX;
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
    use rustix::io::Errno;
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    /// Nothing where the file system doesn't know such files.
    pub(super) fn create(directory: &Path) -> io::Result<Option<File>> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match openat(CWD, directory, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT) if directory.is_dir() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn name(file: &File, target: &Path, replace: bool) -> io::Result<()> {
        match link(file, target) {
            Err(error) if replace && error.kind() == io::ErrorKind::AlreadyExists => {
                // A link never replaces; a name beside it, and then a rename, does so at once.
                let beside = target
                    .with_file_name(format!("{PREFIX}{:016x}", u64::from_le_bytes(crate::random::bytes())));
                link(file, &beside)?;
                fs::rename(&beside, target)
            }
            linked => linked,
        }
    }

    fn link(file: &File, name: &Path) -> io::Result<()> {
        let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(linkat(CWD, descriptor, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn drafts(directory: &Path) -> Vec<Draft> {
        let named = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory).unwrap();
        vec![Draft::create(directory).unwrap(), Draft::Named(named)]
    }

    #[test]
    fn a_draft_replaces_only_if_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        for draft in drafts(folder.path()) {
            fs::write(&target, b"old").unwrap();
            draft.file().write_all(b"new").unwrap();
            let refused = draft.name(&target, false).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&target).unwrap(), b"old");
        }
        for draft in drafts(folder.path()) {
            fs::write(&target, b"old").unwrap();
            draft.file().write_all(b"new").unwrap();
            draft.name(&target, true).unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"new");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_draft_without_a_name_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::create(folder.path()).unwrap();
        if let Draft::Unnamed(_) = draft {
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        assert!(Draft::create(&folder.path().join("nowhere")).is_err());
    }
}
