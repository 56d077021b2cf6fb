//! The role's configuration file.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use symbolon_store::Sealing;

/// Configuration of one fragment manager. Relative paths count from the file's own directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `host:port` to listen on.
    pub listen: String,
    /// The identity key, sealed.
    pub identity: PathBuf,
    /// What secrets at rest are sealed under.
    pub sealing: Sealing,
    /// Directory with the root documents (`*.root`) of the accounts that this manager serves.
    pub accounts: PathBuf,
    /// The datastore's file. The wrapping keys of its fragments lie beside it, so that they can be erased.
    pub datastore: PathBuf,
    /// Worker threads; evaluations are all that they do.
    #[serde(default = "one")]
    pub workers: usize,
    /// How often the manager asks for fresh fragments, in hours.
    #[serde(default = "a_day")]
    pub refresh_hours: u32,
}

impl Config {
    /// Makes relative paths start from a directory.
    pub fn resolve(&mut self, base: &Path) {
        self.sealing.resolve(base);
        for path in [&mut self.identity, &mut self.accounts, &mut self.datastore] {
            *path = base.join(&path);
        }
    }
}

fn one() -> usize {
    1
}

fn a_day() -> u32 {
    24
}
