//! The roles as child processes: started together, watched, stopped together.
//!
//! Each child is the same binary with the role's own configuration file, exactly as an operator starts it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a role may take until it answers. It takes a tenth of a second; a loaded machine may take much longer.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long a role may take to end after it was asked to.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// glibc gives each thread an arena of its own otherwise, of which little is ever used.
const FEW_ARENAS: (&str, &str) = ("MALLOC_ARENA_MAX", "1");

/// One role to start.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name in the deployment, such as `kfm-1`: also its folder's.
    pub name: &'static str,
    /// The noun that starts it.
    pub noun: &'static str,
    /// Its configuration.
    pub config: PathBuf,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A role that runs.
#[derive(Debug)]
pub struct Running {
    role: Role,
    child: Child,
    address: String,
}

/// Why a role didn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refused.
    #[error("{name} can't be started")]
    Spawn {
        /// The role.
        name: &'static str,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// It ended before it was ready.
    #[error("{name} ended before it was ready ({status})")]
    Ended {
        /// The role.
        name: &'static str,
        /// How.
        status: ExitStatus,
        /// The end of its log.
        log: Vec<String>,
    },
    /// It neither got ready nor ended.
    #[error("{0} takes too long to get ready")]
    Slow(&'static str),
}

impl Role {
    /// Starts the role and waits until it answers.
    pub async fn start(self) -> Result<Running, StartError> {
        let name = self.name;
        let mut child = self.spawn().map_err(|error| StartError::Spawn { name, error })?;
        let stdout = child.stdout.take();
        match timeout(READY_WITHIN, ready(stdout)).await {
            Err(_) => Err(StartError::Slow(name)),
            Ok(Some(address)) => Ok(Running { role: self, child, address }),
            Ok(None) => Err(self.ended(child).await),
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .args([self.noun, "run", "--with-parent", "--config"])
            .arg(&self.config)
            .env(FEW_ARENAS.0, FEW_ARENAS.1)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&self.log)?)
            // An interrupt from the terminal is for us: we stop the roles in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn ended(&self, mut child: Child) -> StartError {
        match child.wait().await {
            Ok(status) => StartError::Ended { name: self.name, status, log: last_error(&self.log) },
            Err(error) => StartError::Spawn { name: self.name, error },
        }
    }
}

/// The address of the line by which a role says that it answers; nothing where it ended without it.
async fn ready(stdout: Option<ChildStdout>) -> Option<String> {
    let line = BufReader::new(stdout?).lines().next_line().await.ok()??;
    line.rsplit_once(" is ready on ").map(|(_, address)| address.to_owned())
}

/// The error with which a log ends, and what it advises.
fn last_error(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().rposition(|line| line.starts_with("error: ")).unwrap_or(lines.len());
    lines[start..].iter().map(|line| line.trim_start_matches("error: ").to_owned()).collect()
}

/// Starts all roles at once; the first that fails ends the others.
pub async fn start(roles: Vec<Role>) -> Result<Vec<Running>, StartError> {
    let order: Vec<&str> = roles.iter().map(|role| role.name).collect();
    let mut running = Vec::new();
    for role in roles.into_iter().map(Role::start).collect::<Vec<_>>() {
        running.push(tokio::spawn(role));
    }
    let mut started = Vec::with_capacity(order.len());
    for role in running {
        started.push(role.await.map_err(|_| StartError::Slow("a role"))??);
    }
    Ok(started)
}

impl Running {
    /// The role's name.
    pub fn name(&self) -> &'static str {
        self.role.name
    }

    /// The address that it answers on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The command that starts it again by itself.
    pub fn command(&self) -> String {
        format!("symbolon {} run --config {}", self.role.noun, self.role.config.display())
    }

    /// Waits for its end.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to end, and ends it if it doesn't.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        if let Some(pid) = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _gone_already = kill_process(pid, Signal::TERM);
        }
        if let Ok(ended) = timeout(ENDED_WITHIN, self.child.wait()).await {
            return ended;
        }
        self.child.start_kill()?;
        self.child.wait().await
    }
}

/// Stops all of them, at the same time.
pub async fn stop(fleet: Vec<Running>) {
    let mut stopping: JoinSet<_> = fleet.into_iter().map(Running::stop).collect();
    while stopping.join_next().await.is_some() {}
}
