//! The harness itself, on processes of a shell: a harness that loses a failure would let every other test pass.

use std::path::Path;
use std::process::Command;

use symbolon_e2e::datastore::{blob, bytes, datastore, query};
use symbolon_e2e::{Crash, Guardian, Start, run, small_disk};

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
    // What the death of the test process does: nothing is dropped, the pipe to the guardian closes.
    guardian.close();
    assert!(!directory.exists());
    process.wait_for_end();
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

#[test]
fn a_wrong_clock_is_the_processs_own() {
    let guardian = Guardian::new();
    let now = symbolon_e2e::unix_time();
    let start = symbolon_e2e::wrong_clock(&shell("clock", "date +%s >&2; exit 1"), "-1d");
    let (_, log) = start.refused(&guardian);
    let yesterday: u64 = log.trim().parse().expect("a time");
    assert!((now - 86_400..now - 86_300).contains(&yesterday), "{now} and {yesterday}");
}

#[test]
fn a_process_dies_in_the_middle_of_the_flush_that_was_chosen() {
    let guardian = Guardian::new();
    let crash = Crash::new(&guardian);
    crash.arm(3);
    let file = guardian.directory().join("file");
    let script =
        format!("exec dd if=/dev/zero of={} bs=1k count=5 oflag=append conv=notrunc,fsync", file.display());
    let flush_once = shell("flushes", &script);
    let (status, _) = crash.under(&flush_once).refused(&guardian);
    assert!(status.success(), "one flush is fewer than three");
    let python = "import os\nf = open('flushed', 'w')\nfor i in range(5):\n    f.write('x'); f.flush(); os.fsync(f.fileno())";
    let thrice =
        shell("thrice", &format!("cd {}; exec python3 -c \"{python}\"", guardian.directory().display()));
    let (status, _) = crash.under(&thrice).refused(&guardian);
    assert_eq!(status.code(), None, "killed");
    assert_eq!(std::fs::read(guardian.directory().join("flushed")).unwrap(), b"xxx");
}

#[test]
fn a_stolen_datastore_can_be_read_and_changed() {
    let guardian = Guardian::new();
    let file = guardian.directory().join("test.db");
    query(&file, "CREATE TABLE t (b BLOB, n INTEGER)", &[]);
    query(&file, "INSERT INTO t VALUES (?, ?)", &[blob(&[0, 255]), 7.into()]);
    let rows = query(&file, "SELECT b, n FROM t", &[]);
    assert_eq!((bytes(&rows[0][0]), rows[0][1].as_u64()), (vec![0, 255], Some(7)));
    assert_eq!(datastore(guardian.directory()), file);
}
