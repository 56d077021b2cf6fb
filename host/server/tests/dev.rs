//! `symbolon dev` as a newcomer runs it: up in a moment, small, stopped cleanly, there again with all data.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

/// What all processes may take together when idle, in MiB.
const MEMORY_MIB: f64 = 150.0;

fn symbolon(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
    command.current_dir(folder).env_remove("SYMBOLON_PROFILE").stdin(Stdio::null());
    command
}

/// A running `symbolon dev`; killed when a test forgets it.
struct Dev {
    process: Child,
    answer: Value,
}

impl Dev {
    fn start(folder: &Path) -> Self {
        let mut process =
            symbolon(folder).args(["--json", "dev"]).stdout(Stdio::piped()).spawn().expect("starts");
        let stdout = process.stdout.take().expect("piped");
        let mut answers = serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter();
        let answer = answers.next().expect("it says that it is up").expect("in JSON");
        Self { process, answer }
    }

    fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
        self.process.wait().expect("it ends").code()
    }

    fn roles(&self) -> Vec<Pid> {
        let roles = self.answer["roles"].as_array().expect("roles").iter();
        roles.map(|role| as_pid(role["pid"].as_u64().expect("a process"))).collect()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped_already = self.process.wait();
    }
}

fn as_pid(number: u64) -> Pid {
    Pid::from_raw(i32::try_from(number).expect("small")).expect("not zero")
}

/// Runs a command to its end, with `input`.
fn run(folder: &Path, words: &[&str], input: &[u8]) -> Output {
    let mut command = symbolon(folder);
    let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("piped").write_all(input).expect("reads its input");
    child.wait_with_output().expect("ends")
}

/// Waits until a process that isn't our child has ended: its end of a pipe closes with it.
fn has_ended(pid: Pid) -> bool {
    let running = || {
        let state =
            std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        test_kill_process(pid).is_ok() && !state.contains(") Z ")
    };
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while running() && std::time::Instant::now() < patience {
        std::thread::yield_now();
    }
    !running()
}

#[test]
fn a_deployment_starts_stops_and_starts_again_on_the_same_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path());
    assert_eq!(dev.roles().len(), 5, "three fragment managers, access manager, gateway");
    assert!(dev.answer["memory_mib"].as_f64().is_some_and(|mib| mib < MEMORY_MIB), "{}", dev.answer);
    let created = run(folder.path(), &["key", "create", "notes", "--threshold", "2-of-3"], b"");
    assert!(String::from_utf8_lossy(&created.stdout).contains("never existed whole"), "{created:?}");
    let sealed = run(folder.path(), &["encrypt", "--key", "notes"], b"message").stdout;
    assert_eq!(dev.signal(Signal::INT), Some(0), "an interrupt is how it is meant to end");
    assert!(dev.roles().into_iter().all(has_ended));

    let mut again = Dev::start(folder.path());
    assert_eq!(run(folder.path(), &["decrypt"], &sealed).stdout, b"message");
    assert_eq!(again.signal(Signal::TERM), Some(0));
}

#[test]
fn the_roles_end_with_it_even_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path());
    dev.signal(Signal::KILL);
    assert!(dev.roles().into_iter().all(has_ended));
}

#[test]
fn a_second_one_in_the_same_folder_is_told_why_it_can_not_be() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Dev::start(folder.path());
    let mut second = symbolon(folder.path()).arg("dev").stderr(Stdio::piped()).spawn().unwrap();
    assert!(!second.wait().unwrap().success());
    let mut words = String::new();
    second.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    assert!(words.contains("in use by another process"), "{words}");
}

#[test]
fn a_folder_with_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("symbolon-dev")).unwrap();
    std::fs::write(folder.path().join("symbolon-dev/thesis.tex"), "years of work").unwrap();
    let refused = run(folder.path(), &["dev", "--prepare"], b"");
    assert_eq!(refused.status.code(), Some(5));
    assert_eq!(std::fs::read_dir(folder.path().join("symbolon-dev")).unwrap().count(), 1);
}
