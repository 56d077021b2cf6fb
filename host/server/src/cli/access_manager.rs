//! `symbolon access-manager`: permits, metadata, relay, ceremony log, audit log.

use clap::Subcommand;
use symbolon_access_manager::{AccessManager as Role, Config, Keys, Listeners};

use super::role::{Configured, PublicKeys, Run, announce, runtime, stop_on_signal};
use super::{Context, Failure};
use crate::{config, identity, port};

/// Threads of an access manager: it relays and waits for its datastore.
const WORKERS: usize = 2;

/// The role's verbs.
#[derive(Debug, Subcommand)]
pub enum AccessManager {
    /// Make this access manager's keys where they are missing, and print their public halves for the owner
    Identity(Configured),
    /// Issue permits, relay, keep the logs, until told to stop
    Run(Run),
    /// Print the description of the interface (`OpenAPI`)
    Description,
}

impl AccessManager {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Identity(configured) => identity(&configured, context),
            Self::Run(run) => serve(&run, context),
            Self::Description => context.output().json(&symbolon_access_manager::openapi()),
        }
    }
}

fn identity(configured: &Configured, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&configured.config)?;
    let identity = identity::load_or_make(&config.identity, None)?;
    let permit = identity::load_or_make(&config.permit_key, None)?;
    context.output().answer(&PublicKeys::with_permit(&identity, &permit))
}

fn serve(run: &Run, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&run.configured.config)?;
    run.begin(context)?;
    let keys = Keys {
        identity: identity::load(&config.identity, None)?,
        permit: identity::load(&config.permit_key, None)?,
    };
    runtime(WORKERS)?.block_on(async {
        let between_roles = port::bind(&config.listen).await?;
        let public = match &config.public {
            Some(public) => Some(port::bind(&public.listen).await?),
            None => None,
        };
        let role = Role::open(&config, keys).await?;
        let stop = stop_on_signal()?;
        announce("access-manager", &between_roles)?;
        role.serve(Listeners { between_roles, public }, stop.cancelled_owned()).await;
        Ok(())
    })
}
