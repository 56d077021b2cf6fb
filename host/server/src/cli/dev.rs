//! `symbolon dev`: the whole system on this machine, to try it out.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Context, Failure, Kind};
use crate::dev::{self, Deployment, Happening, Layout, PrepareError, StartError};

/// Bytes in a MiB.
const MIB: f64 = (1 << 20) as f64;

/// `symbolon dev`
#[derive(Debug, Args)]
pub struct Dev {
    /// Where everything lies
    #[arg(long, visible_alias = "dir", value_name = "FOLDER", default_value = "symbolon-dev")]
    directory: PathBuf,
    /// Make the files and start nothing
    #[arg(long)]
    prepare: bool,
}

impl Dev {
    /// Runs until told to stop.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let layout = Layout::new(&self.directory);
        let new = dev::prepare(&layout)?;
        if self.prepare {
            return context.output().answer(&Prepared { directory: self.directory, new });
        }
        let mut deployment = Deployment::start(layout).await?;
        context.output().answer(&Up::of(&deployment))?;
        let watched = watch(&mut deployment, context).await;
        deployment.stop().await;
        watched
    }
}

async fn watch(deployment: &mut Deployment, context: &Context) -> Result<(), Failure> {
    loop {
        match deployment.next().await.map_err(|error| Failure::io("watching the roles", &error))? {
            Happening::Stop => return Ok(()),
            Happening::Ended(name, status, command) => {
                let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                context.output().note(format_args!("{name} has ended ({how}). Start it again:  {command}"));
            }
        }
    }
}

/// What `--prepare` answers.
#[derive(Debug, Serialize)]
struct Prepared {
    directory: PathBuf,
    new: bool,
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.new { "A new deployment is" } else { "A deployment was already" };
        write!(f, "{what} in {}. Start it:  symbolon dev --directory {0}", self.directory.display())
    }
}

/// What is said when everything answers.
#[derive(Debug, Serialize)]
struct Up {
    directory: PathBuf,
    milliseconds: u128,
    memory_mib: Option<f64>,
    roles: Vec<Role>,
}

#[derive(Debug, Serialize)]
struct Role {
    name: &'static str,
    address: String,
    pid: Option<u32>,
}

impl Up {
    fn of(deployment: &Deployment) -> Self {
        let role =
            |(name, address, pid): (&'static str, &str, _)| Role { name, address: address.to_owned(), pid };
        #[expect(clippy::cast_precision_loss, reason = "a rounded number of MiB is shown")]
        let mib = |bytes: u64| (bytes as f64 / MIB).round();
        Self {
            directory: deployment.folder().to_owned(),
            milliseconds: deployment.took().as_millis(),
            memory_mib: deployment.memory().map(mib),
            roles: deployment.roles().map(role).collect(),
        }
    }

    /// What has to be said to find the profile from here.
    fn profile(&self) -> String {
        let profile = self.directory.join("profile.toml");
        if profile.as_path() == std::path::Path::new("symbolon-dev/profile.toml") {
            String::new()
        } else {
            format!("--profile {} ", profile.display())
        }
    }
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.memory_mib.map(|mib| format!(", {mib} MiB")).unwrap_or_default();
        let directory = self.directory.display();
        let managers = self.roles.iter().filter(|role| role.name.starts_with("kfm-")).count();
        write!(
            f,
            "Symbolon is up: {managers} fragment managers, access manager, gateway ({} ms{memory}). ",
            self.milliseconds
        )?;
        writeln!(f, "Everything lives in {directory}")?;
        writeln!(f, "Try:  symbolon {}key create notes --threshold 2-of-3", self.profile())?;
        write!(f, "Ctrl-C stops it; the next start finds everything again.")
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Occupied(_) => {
                Self::new(Kind::Conflict, error).next("name another folder:  --directory FOLDER")
            }
            PrepareError::Nameless(_) => {
                Self::new(Kind::Invalid, error).next("name one:  --directory FOLDER")
            }
            PrepareError::File(cause) => cause.into(),
            PrepareError::Identity(cause) => cause.into(),
            PrepareError::Sealing(cause) => cause.into(),
            PrepareError::Secret(cause) => cause.into(),
            PrepareError::Callers(cause) => cause.into(),
            PrepareError::Owner(_) => Self::new(Kind::Bug, error),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Spawn { .. } => Self::new(Kind::Io, error),
            StartError::Slow(_) => Self::new(Kind::Unavailable, error),
            StartError::Ended { name, status, log } => {
                let failure =
                    Self::new(Kind::Unavailable, StartError::Ended { name, status, log: Vec::new() });
                log.into_iter().fold(failure, Self::next)
            }
        }
    }
}
