//! Commands that run to their end: `symbolon` as a user runs it, and the tools of the machine.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::PATIENCE;

/// A command that ended: what it was, its exit code, what it wrote.
pub struct Finished {
    line: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Runs a command with `input` on its standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Finished {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let pid = child.id();
    let (ended, watchdog) = channel::<()>();
    let line_of_watchdog = line.clone();
    let watchdog = thread::spawn(move || {
        let slow =
            watchdog.recv_timeout(PATIENCE).is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout);
        if slow {
            eprintln!("takes too long, killed: {line_of_watchdog}");
            let _ = kill_process(as_pid(pid), Signal::KILL);
        }
    });
    let output = thread::scope(|scope| {
        scope.spawn(move || {
            // A command that refuses early closes its end; what it did is in its exit code.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("a child can be waited for")
    });
    drop(ended);
    watchdog.join().expect("the watchdog does not panic");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Finished { line, code: output.status.code(), stdout: output.stdout, stderr }
}

impl Finished {
    /// Its standard output, where it ended well.
    #[track_caller]
    pub fn succeeds(self) -> Vec<u8> {
        assert!(self.code == Some(0), "{self}");
        self.stdout
    }

    /// Its standard output as text, where it ended well.
    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.succeeds()).expect("text is UTF-8")
    }

    /// Its standard output as JSON, where it ended well.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What it wrote to standard error, where it failed with this exit code.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert!(self.code == Some(code), "expected exit code {code}: {self}");
        self.stderr
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "{} ended with {:?}\n{stdout}\n{}", self.line, self.code, self.stderr)
    }
}

pub(crate) fn as_pid(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process number")
}

/// Waits until the process has ended, and leaves it to be reaped.
pub(crate) fn wait_until_ended(pid: u32, within: Duration) -> Result<(), ()> {
    let (sender, ended) = channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = sender.send(waitid(WaitId::Pid(as_pid(pid)), options).map(|_| ()));
    });
    ended.recv_timeout(within).map_err(|_| ())?.map_err(|_| ())
}
