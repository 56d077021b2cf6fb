//! A named, timed program run, and where its build output goes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::failure::{During, Failure};

/// Runs `command` to its end with our terminal; says its name before and its time after.
pub fn run(name: &str, command: &mut Command) -> Result<(), Failure> {
    eprintln!("── {name}");
    let began = Instant::now();
    let status = command.status().during(&format!("{name}: can't start {}", words(command)))?;
    if !status.success() {
        return Err(Failure::new(format!("{name} failed ({status})\n  the command was: {}", words(command))));
    }
    eprintln!("── {name}: {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Cargo in the workspace's root, with the shared build folder.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// On a CI machine, where the build folder outlives the checkout, takes out what earlier checkouts built of this
/// workspace: cargo names it after their folders and would never find it again. Dependencies stay.
pub fn forget_earlier_checkouts() -> Result<(), Failure> {
    if on_ci() && target().exists() {
        run("build folder tidied", &mut cargo(&["clean", "-q", "--workspace"]))?;
    }
    Ok(())
}

/// Whether this is a CI machine, by the variable that they all set.
fn on_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// The build folder: `$CARGO_TARGET_DIR`; on a CI machine (`$CI`) one that outlives the checkout; else `target`.
pub fn target() -> PathBuf {
    if let Some(chosen) = std::env::var_os("CARGO_TARGET_DIR") {
        return PathBuf::from(chosen);
    }
    if on_ci() { cache().join("target") } else { root().join("target") }
}

fn cache() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home_cache, PathBuf::from).join("symbolon")
}

fn home_cache() -> PathBuf {
    std::env::home_dir().unwrap_or_else(std::env::temp_dir).join(".cache")
}

fn words(command: &Command) -> String {
    let program = std::iter::once(command.get_program());
    program.chain(command.get_args()).map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
