//! `symbolon driver`: what reaches an HSM, on a machine beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::error::FileError;
use symbolon_driver::{Config, Driver as Role, Keys, PluginKeyStore, enrol, read_account};
use symbolon_encoding::to_canonical;
use symbolon_trust::{Enrolment, Signed};

use super::role::{Configured, Run, runtime, stop_on_signal};
use super::{Context, Failure};
use crate::{config, identity, process, sealing};

/// The role's verbs.
#[derive(Debug, Subcommand)]
pub enum Driver {
    /// Make this driver's keys where they are missing, ask the HSM for its check value, and write both down for the owner
    Enrol(Enrol),
    /// Take jobs and have the HSM do them, until told to stop; opens no port
    Run(Run),
}

/// `symbolon driver enrol`
#[derive(Debug, Args)]
pub struct Enrol {
    #[command(flatten)]
    configured: Configured,
    /// Have the HSM make the key store's master key first, if it has none
    #[arg(long)]
    create_master_key: bool,
    /// Where to write the enrolment [default: driver.enrolment beside the configuration]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Driver {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Enrol(verb) => verb.run(context),
            Self::Run(run) => serve(&run, context),
        }
    }
}

impl Enrol {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let config: Config = config::load(&self.configured.config)?;
        let beside = self.configured.config.parent().unwrap_or(Path::new(""));
        let output = self.output.unwrap_or_else(|| beside.join("driver.enrolment"));
        let key = sealing::unlock_or_make(&config.sealing, context.passphrases())?;
        let keys = Keys {
            identity: identity::load_or_make(&config.identity, Some(&key))?,
            jobs: identity::load_or_make_job_key(&config.job_key, &key)?,
        };
        let account = read_account(&config.account)?.account();
        let enrolment = runtime(1)?.block_on(async {
            let key_store = PluginKeyStore::load(&config.plugin, account).await?;
            if self.create_master_key {
                key_store.create_master().await?;
            }
            Ok::<_, Failure>(enrol(account, config.store.clone(), &keys, &key_store).await?)
        })?;
        std::fs::write(&output, to_canonical(&enrolment)).map_err(|cause| FileError::io(&output, cause))?;
        context.output().answer(&Enrolled::new(&enrolment, &output))
    }
}

fn serve(run: &Run, context: &Context) -> Result<(), Failure> {
    let config: Config = config::load(&run.configured.config)?;
    run.start(context)?;
    let account = read_account(&config.account)?.account();
    let runtime = runtime(2)?;
    // Before memory is locked: the host of plugins reserves addresses.
    let key_store = runtime.block_on(PluginKeyStore::load(&config.plugin, account))?;
    Run::protect();
    let key = sealing::unlock(&config.sealing, context.passphrases())?;
    let keys = Keys {
        identity: identity::load(&config.identity, Some(&key))?,
        jobs: identity::load_job_key(&config.job_key, &key)?,
    };
    runtime.block_on(async {
        let role = Role::open(&config, keys, key_store).await?;
        let stop = stop_on_signal()?;
        let ready = || {
            if let Err(error) = process::announce_store(config.store.as_str()) {
                tracing::warn!(%error, "nobody is told that the driver is ready");
            }
        };
        Ok(role.run(stop, ready).await?)
    })
}

/// What the operator reads out to the owner.
#[derive(Debug, Serialize)]
struct Enrolled {
    account: String,
    store: String,
    fingerprint: String,
    check_value: String,
    enrolment: PathBuf,
}

impl Enrolled {
    fn new(signed: &Signed<Enrolment>, file: &Path) -> Self {
        let enrolment = signed.body();
        Self {
            account: enrolment.account.to_string(),
            store: enrolment.store.to_string(),
            fingerprint: enrolment.key.thumbprint().to_string(),
            check_value: hex::encode(&enrolment.check_value),
            enrolment: file.to_owned(),
        }
    }
}

impl fmt::Display for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, store, fingerprint, check_value, enrolment } = self;
        writeln!(f, "a driver for the key store {store} of account {account}")?;
        writeln!(f, "  fingerprint  {fingerprint}")?;
        writeln!(f, "  check value  {check_value}")?;
        writeln!(f, "  enrolment    {}", enrolment.display())?;
        write!(
            f,
            "read the fingerprint out to the owner, who signs the driver in:\n  \
             symbolon root add-driver NAME {} --fingerprint {fingerprint}",
            enrolment.display()
        )
    }
}
