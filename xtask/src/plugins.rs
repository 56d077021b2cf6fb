//! `cargo xtask plugins`: the plugins of the folder `plugins/`, a workspace of its own, as core modules for wasm32.
//!
//! What makes a component of a module is the project's own code; this only compiles.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::{step, wasm};

/// `cargo xtask plugins`: prints where the modules are.
pub fn run(words: &[String]) -> Result<(), Failure> {
    if !words.is_empty() {
        return Err(Failure::new("plugins takes no arguments"));
    }
    println!("{}", build()?.display());
    Ok(())
}

/// Builds them all; gives the folder where `NAME.wasm` lies.
pub fn build() -> Result<PathBuf, Failure> {
    let mut command = wasm::cargo(&["build", "-q", "--release", "--locked"], wasm::STANDARD)?;
    command.current_dir(folder()).env("CARGO_TARGET_DIR", target());
    step::run("plugins", &mut command)?;
    Ok(target().join(wasm::TARGET).join("release"))
}

/// Format, for which cargo looks into one workspace only.
pub fn check_format() -> Result<(), Failure> {
    step::run("format of plugins", step::cargo(&["fmt", "--all", "--check"]).current_dir(folder()))
}

/// Lints. For the machine that they are compiled on: the compiler for wasm32 may be one that comes without clippy, and
/// nothing in plugins depends on the target. In the profile that `build` uses, so that macros are built the same way.
pub fn lint() -> Result<(), Failure> {
    let words = ["clippy", "-q", "--workspace", "--release", "--locked", "--", "-D", "warnings"];
    let mut command = step::cargo(&words);
    step::run("lints of plugins", command.current_dir(folder()).env("CARGO_TARGET_DIR", target()))
}

fn folder() -> PathBuf {
    step::root().join("plugins")
}

fn target() -> PathBuf {
    step::target().join("plugins")
}
