//! Successors of the root document, kept beside the file with the first one as `account.root.2`, `account.root.3`, ….
//!
//! Each is verified whenever it is read, so the folder need not be trusted more than the access manager that they came
//! from. What can't be kept is fetched again next time.

use crate::error::FileError;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_trust::{RootDocument, Signed, TrustedRoot};
use tempfile::NamedTempFile;

/// The successors beside one file.
pub(crate) struct Successors(PathBuf);

impl Successors {
    pub(crate) fn beside(first: &Path) -> Self {
        Self(first.to_path_buf())
    }

    /// The newest document that follows from `root` by what is kept here.
    pub(crate) fn follow(&self, mut root: TrustedRoot) -> TrustedRoot {
        while let Some(next) = self.read(root.document().version + 1) {
            match root.succeed(next) {
                Ok(next) => root = next,
                Err(error) => {
                    tracing::warn!(file = %self.0.display(), %error, "a kept root document is not trusted");
                    break;
                }
            }
        }
        root
    }

    /// Keeps the successors of `before` that `root` has.
    pub(crate) fn keep(&self, root: &TrustedRoot, before: u64) {
        for signed in root.chain().iter().filter(|signed| signed.body().version > before) {
            if let Err(error) = self.write(signed) {
                tracing::warn!(%error, "a root document was not kept");
            }
        }
    }

    fn read(&self, version: u64) -> Option<Signed<RootDocument>> {
        from_canonical(&fs::read(self.path(version)).ok()?).ok()
    }

    fn write(&self, signed: &Signed<RootDocument>) -> Result<(), FileError> {
        let path = self.path(signed.body().version);
        let write = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut draft = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            draft.write_all(&to_canonical(signed))?;
            draft.as_file().sync_all()?;
            draft.persist(&path).map(|_| ()).map_err(|error| error.error)
        };
        write().map_err(|cause| FileError::io(&path, cause))
    }

    fn path(&self, version: u64) -> PathBuf {
        self.0.with_added_extension(version.to_string())
    }
}
