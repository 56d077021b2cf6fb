//! Another time for a real process: Debian's libfaketime between it and the C library. Nothing in `symbolon` knows.

use std::fs;
use std::path::PathBuf;

use crate::{Cli, Start};

/// The same start with a clock that is off by an offset such as `-1d` or `+2h`; timers run as they do.
pub fn wrong_clock(start: &Start, offset: &str) -> Start {
    variables(offset).into_iter().fold(start.clone(), |start, (name, value)| start.with(name, &value))
}

/// The same person on a machine whose clock is off.
pub fn wrong_clock_of(cli: &Cli, offset: &str) -> Cli {
    variables(offset).into_iter().fold(cli.clone(), |cli, (name, value)| cli.with(name, &value))
}

fn variables(offset: &str) -> [(&'static str, String); 3] {
    let library = library().to_str().expect("Debian's paths are UTF-8").to_owned();
    [
        ("LD_PRELOAD", library),
        ("FAKETIME", offset.to_owned()),
        // Time-outs and long polls are about durations, which a wrong clock leaves alone.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// Debian keeps it in a directory of the machine's architecture. `cargo xtask test` installs it.
fn library() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").expect("/usr/lib can be read");
    directories
        .map(|entry| entry.expect("/usr/lib can be read").path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is not installed: apt-get install faketime")
}
