//! Building for wasm32-unknown-unknown: plugins, and core/ as the proof that it touches no operating system.
//!
//! With rustup's target where it is installed; else with Debian's compiler, which comes with its library's source, so
//! that nothing but the distribution's mirror has to be reachable.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{During, Failure};
use crate::{machine, step};

/// The target.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The standard library, for programs that end where they panic.
pub const STANDARD: &str = "std,panic_abort";

/// What there is without an operating system.
const BARE: &str = "core,alloc";

/// core/ alone.
pub fn check() -> Result<(), Failure> {
    let mut command = cargo(&["build", "-q", "--profile", "proof"], BARE)?;
    for room in rooms()? {
        command.args(["-p", &format!("symbolon-{room}")]);
    }
    step::run("core on wasm32", &mut command)
}

/// Cargo for wasm32, with rustup's target or Debian's compiler. `library` is what the latter has to build of its own.
///
/// `RUSTC_BOOTSTRAP` lets a stable compiler build its own library. Debian's compiler comes without a linker for wasm, rustup's
/// with one.
pub fn cargo(words: &[&str], library: &str) -> Result<Command, Failure> {
    let mut command = step::cargo(words);
    command.args(["--target", TARGET]);
    if target_installed() {
        return Ok(command);
    }
    machine::provide(&[&machine::LIBRARY_SOURCE]).map_err(|failure| {
        Failure::new(format!("{failure}\nor, with rustup:  rustup target add {TARGET}"))
    })?;
    command.arg(format!("-Zbuild-std={library}"));
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker());
    // A folder of its own: another compiler's output would make both build everything anew each time.
    command.env("CARGO_TARGET_DIR", step::target().join("wasm32"));
    Ok(command)
}

fn target_installed() -> bool {
    printed(&["target-libdir", "--target", TARGET]).is_some_and(|folder| folder.is_dir())
}

/// rust-lld lies with the programs of the compiler's own target.
fn linker() -> PathBuf {
    let own = printed(&["target-libdir"]).map(|folder| folder.with_file_name("bin").join("rust-lld"));
    own.filter(|linker| linker.is_file()).unwrap_or_else(|| "rust-lld".into())
}

/// A path that the workspace's compiler knows.
fn printed(what: &[&str]) -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    let output = rustc.arg("--print").args(what).current_dir(step::root()).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn rooms() -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(step::root().join("core")).during("reading core/")?;
    let mut rooms: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    rooms.sort();
    Ok(rooms)
}
