//! What an operator says of a token, and how the child process is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::number;

/// One token, as the operator's file names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenSettings {
    /// The vendor's library.
    pub module: PathBuf,
    /// The label that the token was initialised with.
    pub token: String,
    /// The file that holds the user's PIN, and a line end at most. Nobody but its owner and group may read it.
    pub pin_file: PathBuf,
    /// The library's environment. It sees nothing of ours.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How long one function of the library may take before its process is ended, seconds.
    #[serde(default = "thirty")]
    pub timeout_secs: u64,
    /// The widest that a plugin may be allowed; without it, what the plugin's manifest asks.
    pub mechanisms: Option<Numbers>,
    /// As `mechanisms`, for attributes.
    pub attributes: Option<Numbers>,
}

impl TokenSettings {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_secs)
    }
}

/// Longer than any key takes to make, RSA's too.
fn thirty() -> u64 {
    30
}

/// A list of `CKM_*` or `CKA_*`, by name or as `0x…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Numbers(Vec<String>);

impl Numbers {
    /// The mechanisms that are named.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn mechanisms(&self) -> Result<Vec<u64>, String> {
        self.parsed(number::mechanism::ALL)
    }

    /// The attributes that are named.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn attributes(&self) -> Result<Vec<u64>, String> {
        self.parsed(number::attribute::ALL)
    }

    fn parsed(&self, names: &[(&str, u64)]) -> Result<Vec<u64>, String> {
        self.0.iter().map(|written| number::parse(written, names).ok_or_else(|| written.clone())).collect()
    }
}

/// The program that runs [`crate::broker::main`].
#[derive(Clone, Debug)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Its arguments. They say nothing of the token.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This program's own file with one argument, the subcommand that runs [`crate::broker::main`].
    ///
    /// # Errors
    /// The file of the running program can't be found.
    pub fn ourselves(subcommand: &str) -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, arguments: vec![subcommand.into()] })
    }
}
