//! What a command gets: who is acting, how to speak, where passphrases come from.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Globals;
use super::failure::{Failure, Kind};
use super::output::Output;
use crate::passphrase::Passphrases;

/// The folder that `symbolon dev` fills, and the profile in it.
const DEV_PROFILE: &str = "symbolon-dev/profile.toml";

/// The profile of a person, below the configuration folder.
const OWN_PROFILE: &str = "symbolon/profile.toml";

/// One command's surroundings.
#[derive(Debug)]
pub struct Context {
    profile: Option<PathBuf>,
    passphrases: Passphrases,
    output: Output,
}

impl Context {
    pub(super) fn new(globals: Globals) -> Self {
        let Globals { profile, passphrase_file, json } = globals;
        Self { profile, passphrases: Passphrases::from(passphrase_file), output: Output::new(json) }
    }

    /// How to speak.
    pub const fn output(&self) -> Output {
        self.output
    }

    /// A passphrase that opens something. `what` completes "passphrase of …".
    pub fn passphrase(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.passphrases.existing(what)?)
    }

    /// A passphrase that is being chosen, asked for twice. `what` completes "new passphrase for …".
    pub fn new_passphrase(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.passphrases.chosen(what)?)
    }

    /// Where passphrases come from, for what asks by itself.
    pub const fn passphrases(&self) -> &Passphrases {
        &self.passphrases
    }

    /// The file of the profile to act as: the named one, else that of `symbolon dev` here, else the person's own.
    pub fn profile_file(&self) -> Result<PathBuf, Failure> {
        if let Some(named) = &self.profile {
            return Ok(named.clone());
        }
        let places = [Some(PathBuf::from(DEV_PROFILE)), own_profile()];
        places.into_iter().flatten().find(|place| place.is_file()).ok_or_else(no_profile)
    }
}

fn own_profile() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    Some(config.or_else(|| Some(std::env::home_dir()?.join(".config")))?.join(OWN_PROFILE))
}

fn no_profile() -> Failure {
    let places = [Path::new(DEV_PROFILE).to_owned(), own_profile().unwrap_or_default()];
    let [dev, own] = places.map(|place| place.display().to_string());
    Failure::new(Kind::NotFound, format!("there is no profile: neither ./{dev} nor {own}"))
        .next("to try Symbolon out here:  symbolon dev")
        .next("else name one:  --profile FILE  or  SYMBOLON_PROFILE=FILE")
}
