//! Files that appear whole or not at all.

use crate::error::FileError;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How an output file is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// Whether a file that is there is replaced; else it is an error.
    pub overwrite: bool,
}

/// A file that is written under a temporary name beside its target and gets its name at the end. Dropped before, it
/// leaves nothing.
pub struct OutputFile {
    draft: NamedTempFile,
    target: PathBuf,
    options: FileOptions,
}

impl OutputFile {
    /// Starts a file whose mode will be that of `like`: what only its owner may read stays so.
    pub fn create(target: &Path, like: &File, options: FileOptions) -> Result<Self, FileError> {
        if !options.overwrite && target.exists() {
            return Err(FileError::Exists { path: target.into() });
        }
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let draft = tempfile::Builder::new()
            .prefix(".symbolon-")
            .tempfile_in(directory.unwrap_or(Path::new(".")))
            .map_err(|error| FileError::io(target, error))?;
        copy_mode(like, draft.as_file()).map_err(|error| FileError::io(target, error))?;
        Ok(Self { draft, target: target.into(), options })
    }

    /// Brings the content to the disk and gives the file its name.
    pub fn commit(self) -> Result<(), FileError> {
        let Self { draft, target, options } = self;
        draft.as_file().sync_data().map_err(|error| FileError::io(&target, error))?;
        let named = if options.overwrite { draft.persist(&target) } else { draft.persist_noclobber(&target) };
        named.map_err(|refused| FileError::io(&target, refused.error))?;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.as_file_mut().flush()
    }
}

fn copy_mode(from: &File, to: &File) -> io::Result<()> {
    let about = from.metadata()?;
    if about.is_file() { to.set_permissions(fs::Permissions::clone(&about.permissions())) } else { Ok(()) }
}
