//! core/ for wasm32-unknown-unknown: the proof that it touches no operating system.
//!
//! With rustup's target where it is installed; else with Debian's compiler, which comes with its library's source, so
//! that nothing but the distribution's mirror has to be reachable.

use std::process::Command;

use crate::failure::{During, Failure};
use crate::{machine, step};

const TARGET: &str = "wasm32-unknown-unknown";

pub fn check() -> Result<(), Failure> {
    let mut command = if target_installed() { with_rustup() } else { with_debian()? };
    for room in rooms()? {
        command.args(["-p", &format!("symbolon-{room}")]);
    }
    step::run("core on wasm32", &mut command)
}

fn with_rustup() -> Command {
    step::cargo(&["build", "-q", "--profile", "proof", "--target", TARGET])
}

/// `RUSTC_BOOTSTRAP` lets a stable compiler build its own library. Only libraries are built, so no linker is needed.
fn with_debian() -> Result<Command, Failure> {
    machine::provide(&[&machine::LIBRARY_SOURCE]).map_err(|failure| {
        Failure::new(format!("{failure}\nor, with rustup:  rustup target add {TARGET}"))
    })?;
    let mut command =
        step::cargo(&["build", "-q", "--profile", "proof", "--target", TARGET, "-Zbuild-std=core,alloc"]);
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    // A folder of its own: another compiler's output would make both build everything anew each time.
    command.env("CARGO_TARGET_DIR", step::target().join("wasm32"));
    Ok(command)
}

fn target_installed() -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(step::root())
        .output();
    printed.is_ok_and(|out| std::path::Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}

fn rooms() -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(step::root().join("core")).during("reading core/")?;
    let mut rooms: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    rooms.sort();
    Ok(rooms)
}
