//! `symbolon gateway`: encryption over HTTPS for programs without a client library.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use symbolon_client::{Client, Profile};
use symbolon_gateway::{Config, Gateway as Role, callers};

use super::role::{Run, announce, runtime, stop_on_signal};
use super::{Context, Failure, Kind};
use crate::{config, port};

/// Threads of a gateway: it waits for others most of the time.
const WORKERS: usize = 2;

/// The role's verbs.
#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Encrypt and decrypt for callers, until told to stop
    Run(Run),
    /// Let somebody call
    #[command(subcommand)]
    Caller(Caller),
    /// Print the description of the interface (`OpenAPI`)
    Description,
}

/// Who may call.
#[derive(Debug, Subcommand)]
pub enum Caller {
    /// Add a caller, and print its token: it is shown once
    Add(Add),
}

/// `symbolon gateway caller add NAME --config FILE`
#[derive(Debug, Args)]
pub struct Add {
    /// The gateway's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose callers, where the gateway serves several accounts: the account's place in the configuration, from 1
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    account: usize,
    /// The caller's name: permits and the audit log carry it
    name: String,
}

impl Gateway {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Run(run) => serve(&run, context),
            Self::Caller(Caller::Add(add)) => add.run(),
            Self::Description => context.output().text(&symbolon_gateway::description()),
        }
    }
}

fn serve(run: &Run, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&run.configured.config)?;
    run.begin(context)?;
    runtime(WORKERS)?.block_on(async {
        let clients = config.accounts.iter().map(|account| client(&account.profile, context));
        let clients = clients.collect::<Result<Vec<_>, Failure>>()?;
        let listener = port::bind(&config.listen).await?;
        let role = Role::open(config, clients)?;
        let stop = stop_on_signal()?;
        announce("gateway", &listener)?;
        role.serve(listener, stop).await;
        Ok(())
    })
}

fn client(profile: &std::path::Path, context: &Context) -> Result<Client, Failure> {
    Ok(Client::open(&Profile::load(profile)?, &mut context.unlocking())?)
}

impl Add {
    fn run(&self) -> Result<(), Failure> {
        let config: Config = config::load(&self.config)?;
        let account = self.account.checked_sub(1).and_then(|place| config.accounts.get(place));
        let account =
            account.ok_or_else(|| Failure::new(Kind::NotFound, "the configuration has no such account"))?;
        // The token goes to whoever asked for it and nowhere else: no log, no answer that is kept.
        println!("{}", *callers::add_token(&account.callers, &self.name)?);
        Ok(())
    }
}
