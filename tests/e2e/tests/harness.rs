//! The harness itself, on processes of a shell: a harness that loses a failure would let every other test pass.

use std::path::Path;
use std::process::Command;

use symbolon_e2e::{Guardian, Start, run, small_disk};

fn shell(name: &str, script: &str) -> Start {
    Start::new(name, Path::new("/bin/sh"), &["-c", script])
}

fn server() -> Start {
    let script = "
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print('symbolon test is ready on 127.0.0.1:7', flush=True)
signal.pause()";
    Start::new("server", Path::new("python3"), &["-c", script])
}

#[test]
fn a_process_is_ready_stopped_and_started_again() {
    let guardian = Guardian::new();
    let mut process = server().ready(&guardian);
    assert_eq!(process.address().port(), 7);
    let first = process.pid();
    process.stop();
    process.restart();
    assert_ne!(process.pid(), first);
    process.kill();
}

#[test]
fn a_refusal_gives_exit_code_and_words() {
    let (status, log) = shell("refuses", "echo cannot >&2; exit 3").refused(&Guardian::new());
    assert_eq!(status.code(), Some(3));
    assert_eq!(log, "cannot\n");
}

#[test]
#[should_panic(expected = "ended (exit status: 3):\ncannot")]
fn a_process_that_ends_instead_of_being_ready_fails_the_test_with_its_log() {
    shell("ends", "echo cannot >&2; exit 3").ready(&Guardian::new());
}

#[test]
#[should_panic(expected = "came up on 127.0.0.1:7")]
fn a_process_that_comes_up_instead_of_refusing_fails_the_test() {
    server().refused(&Guardian::new());
}

#[test]
fn a_guardian_takes_processes_and_directory_with_it() {
    let guardian = Guardian::new();
    let directory = guardian.directory().to_owned();
    let process = server().ready(&guardian);
    let proc = format!("/proc/{}/stat", process.pid());
    // What the death of the test process does: nothing is dropped, the pipe to the guardian closes.
    guardian.close();
    assert!(!directory.exists());
    let state = std::fs::read_to_string(proc).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn a_small_disk_is_full_after_its_size() {
    let guardian = Guardian::new();
    let directory = guardian.directory().join("data");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("kept"), "before").unwrap();
    let script = "cat data/kept >&2; head -c 2000000 /dev/zero > data/big || exit 28";
    let start = small_disk(
        &shell("fills", &format!("cd {}; {script}", guardian.directory().display())),
        &directory,
        1 << 20,
    );
    let (status, log) = start.refused(&guardian);
    assert_eq!(status.code(), Some(28), "{log}");
    assert!(log.starts_with("before"), "{log}");
    assert!(!directory.join("big").exists(), "the small disk is the process's own");
}

#[test]
fn a_command_gives_its_output_and_exit_code() {
    let words = run(Command::new("sh").args(["-c", "cat; echo no >&2; exit 5"]), b"through");
    assert_eq!(words.stdout, b"through");
    assert_eq!(words.fails(5), "no\n");
}
