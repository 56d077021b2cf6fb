//! Where the key is that seals what a role keeps at rest, as its operator chose it in the role's configuration.
//!
//! The place only: whoever starts the role reads the key.

use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where the key is that seals secrets at rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealing {
    /// In this file, plain; the operator guards the file.
    File(PathBuf),
    /// In this file, under a passphrase that is asked for on start.
    Passphrase(PathBuf),
}

impl Sealing {
    /// Makes a relative path start from a directory.
    pub fn resolve(&mut self, base: &Path) {
        let (Self::File(path) | Self::Passphrase(path)) = self;
        *path = base.join(&path);
    }
}
