//! `symbolon fragment-manager`: one holder of fragments, on a machine of its own.

use clap::Subcommand;
use symbolon_fragment_manager::{Config, FragmentManager as Role};

use super::role::{Configured, PublicKeys, Run, announce, runtime, stop_on_signal};
use super::{Context, Failure};
use crate::{config, identity, port, sealing};

/// The role's verbs.
#[derive(Debug, Subcommand)]
pub enum FragmentManager {
    /// Make this fragment manager's keys where they are missing, and print its public key for the owner
    Identity(Configured),
    /// Hold fragments and evaluate, until told to stop
    Run(Run),
}

impl FragmentManager {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Identity(configured) => identity(&configured, context),
            Self::Run(run) => serve(&run, context),
        }
    }
}

fn identity(configured: &Configured, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&configured.config)?;
    let key = sealing::unlock_or_make(&config.sealing, context.passphrases())?;
    let pair = identity::load_or_make(&config.identity, Some(&key))?;
    context.output().answer(&PublicKeys::of(&pair))
}

fn serve(run: &Run, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&run.configured.config)?;
    run.begin(context)?;
    let key = sealing::unlock(&config.sealing, context.passphrases())?;
    let pair = identity::load(&config.identity, Some(&key))?;
    runtime(config.workers)?.block_on(async {
        let listener = port::bind(&config.listen).await?;
        let role = Role::open(&config, key, pair).await?;
        let stop = stop_on_signal()?;
        announce("fragment-manager", &listener)?;
        Ok(role.serve(listener, stop).await?)
    })
}
