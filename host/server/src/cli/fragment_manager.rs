//! `symbolon fragment-manager`: one holder of fragments, on a machine of its own.

use clap::Subcommand;
use symbolon_fragment_manager::{Config, Sealing};

use super::role::{Configured, PublicKeys};
use super::{Context, Failure};
use crate::sealing::Place;
use crate::{config, identity, sealing};

/// A holder of fragments
#[derive(Debug, Subcommand)]
pub enum FragmentManager {
    /// Make this fragment manager's keys where they are missing, and print its public key for the owner
    Identity(Configured),
}

impl FragmentManager {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Identity(configured) => identity(&configured, context),
        }
    }
}

fn identity(configured: &Configured, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&configured.config)?;
    let key = sealing::unlock_or_make(place(&config.sealing), context.passphrases())?;
    let pair = identity::load_or_make(&config.identity, Some(&key))?;
    context.output().answer(&PublicKeys::of(&pair))
}

fn place(sealing: &Sealing) -> Place<'_> {
    match sealing {
        Sealing::File(path) => Place::File(path),
        Sealing::Passphrase(path) => Place::Passphrase(path),
    }
}
