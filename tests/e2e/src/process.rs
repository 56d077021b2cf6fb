//! A role as a process: started, watched until it says that it is ready, stopped, killed, started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::command::{as_pid, wait_until_ended};
use crate::{Guardian, PATIENCE};

/// The line by which a role says where it listens ends so.
const READY: &str = " is ready on ";

/// How to start a process, again and again.
#[derive(Clone)]
pub struct Start {
    /// Names the log file and the process in failures.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What its environment has besides the test's own.
    pub environment: Vec<(String, String)>,
}

impl Start {
    /// A command without anything special in its environment.
    pub fn new(name: &str, program: &Path, arguments: &[&str]) -> Self {
        let program = program.to_str().expect("paths of tests are UTF-8").to_owned();
        let command = [program].into_iter().chain(arguments.iter().map(ToString::to_string)).collect();
        Self { name: name.to_owned(), command, environment: Vec::new() }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits until it is ready.
    pub fn ready(&self, guardian: &Guardian) -> Process {
        self.spawn(guardian).when_ready()
    }

    /// Starts it where it is expected to refuse, and waits for its end.
    pub fn refused(&self, guardian: &Guardian) -> (ExitStatus, String) {
        let mut process = self.spawn(guardian);
        if let Ok(address) = process.announced() {
            panic!("{} came up on {address}:\n{}", self.name, process.log());
        }
        let status = process.reap();
        (status, process.log())
    }

    /// Starts it and doesn't wait.
    pub fn spawn(&self, guardian: &Guardian) -> Process {
        let log = guardian.directory().join(format!("{}.log", self.name));
        let errors = File::options().create(true).append(true).open(&log).expect("a log file");
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.command[0]));
        guardian.watch(child.id());
        let ready = watch(child.stdout.take().expect("stdout is piped"), log.clone());
        Process {
            start: self.clone(),
            child: Some(child),
            guardian: guardian.clone(),
            log,
            ready: Mutex::new(ready),
            address: None,
        }
    }
}

/// Copies the process's standard output to its log and sends on each address that it says it is ready on.
fn watch(stdout: ChildStdout, log: PathBuf) -> Receiver<SocketAddr> {
    use std::io::Write;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut log = File::options().append(true).open(log).expect("the log file is there");
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
            if let Some((_, address)) = line.split_once(READY)
                && let Ok(address) = address.trim().parse()
            {
                let _ = sender.send(address);
            }
        }
    });
    receiver
}

/// A running process; dropping it kills it.
pub struct Process {
    start: Start,
    child: Option<Child>,
    guardian: Guardian,
    log: PathBuf,
    /// Locked only so that deployments can be shared between tests.
    ready: Mutex<Receiver<SocketAddr>>,
    address: Option<SocketAddr>,
}

impl Process {
    /// Waits until it is ready. If it ends instead, or says nothing in time, this panics with its log.
    #[must_use]
    pub fn when_ready(mut self) -> Self {
        match self.announced() {
            Ok(address) => self.address = Some(address),
            Err(RecvTimeoutError::Timeout) => panic!("{} is not ready:\n{}", self.start.name, self.log()),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.reap();
                panic!("{} ended ({status}):\n{}", self.start.name, self.log());
            }
        }
        self
    }

    fn announced(&mut self) -> Result<SocketAddr, RecvTimeoutError> {
        self.ready.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("a process that is ready has an address")
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the process runs").id()
    }

    /// All that it and its predecessors of the same name wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end (SIGTERM), and waits until it did.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.reap();
        assert!(status.success(), "{} ended with {status}:\n{}", self.start.name, self.log());
    }

    /// Kills it without warning (SIGKILL).
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.reap();
    }

    /// Stops it from running until [`Process::thaw`] (SIGSTOP), as a machine that hangs.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it run again (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again after [`Process::stop`] or [`Process::kill`], and waits until it is ready.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "{} still runs", self.start.name);
        *self = self.start.clone().ready(&self.guardian);
    }

    /// Whether it has not ended by itself.
    pub fn is_running(&self) -> bool {
        let Some(child) = &self.child else { return false };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        matches!(waitid(WaitId::Pid(as_pid(child.id())), options), Ok(None))
    }

    /// Whether it ends by itself within this time, or has ended before.
    pub fn ends_within(&self, time: Duration) -> bool {
        wait_until_ended(self.pid(), time).is_ok()
    }

    /// Waits until it has ended by itself.
    pub fn wait_for_end(&self) {
        let ended = wait_until_ended(self.pid(), PATIENCE);
        ended.unwrap_or_else(|()| panic!("{} does not end:\n{}", self.start.name, self.log()));
    }

    /// Starts it again after it died by itself, and waits until it is ready.
    pub fn restart_dead(&mut self) {
        self.wait_for_end();
        self.reap();
        self.restart();
    }

    /// How it was started.
    pub fn start(&self) -> &Start {
        &self.start
    }

    fn signal(&self, signal: Signal) {
        kill_process(as_pid(self.pid()), signal).expect("an unreaped process takes signals");
    }

    fn reap(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the process is reaped once");
        let status = wait(&mut child, &self.start.name, &self.log());
        self.address = None;
        self.guardian.forget(child.id());
        status
    }
}

/// Waits without reaping until the end, so that the number stays the process's own, then reaps.
fn wait(child: &mut Child, name: &str, log: &str) -> ExitStatus {
    wait_until_ended(child.id(), PATIENCE).unwrap_or_else(|()| panic!("{name} does not end:\n{log}"));
    child.wait().expect("a child can be waited for")
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            self.guardian.forget(child.id());
            let _ = child.wait();
        }
    }
}
