//! Files that appear whole or not at all.

mod draft;

use crate::error::FileError;
use draft::Draft;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How an output file is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// Whether a file that is there is replaced; else it is an error.
    pub overwrite: bool,
}

/// A file that gets its name only when it is whole. Dropped before, it leaves nothing; nor does a process that is
/// killed, where the system knows files without a name.
pub struct OutputFile {
    draft: Draft,
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
        let start = || {
            let draft = Draft::create(directory.unwrap_or(Path::new(".")))?;
            copy_mode(like, draft.file())?;
            Ok(draft)
        };
        let draft = start().map_err(|cause| FileError::io(target, cause))?;
        Ok(Self { draft, target: target.into(), options })
    }

    /// Brings the content to the disk and gives the file its name.
    pub fn commit(self) -> Result<(), FileError> {
        let Self { draft, target, options } = self;
        let name = || {
            draft.file().sync_data()?;
            draft.name(&target, options.overwrite)
        };
        name().map_err(|cause| FileError::io(&target, cause))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.file().flush()
    }
}

fn copy_mode(from: &File, to: &File) -> io::Result<()> {
    let about = from.metadata()?;
    if about.is_file() { to.set_permissions(about.permissions()) } else { Ok(()) }
}
