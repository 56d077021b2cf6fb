//! Where the binaries under test are: built by the same cargo, in the profile that the tests have.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

static BUILT: Mutex<Option<HashMap<&'static str, PathBuf>>> = Mutex::new(None);

/// The `symbolon` binary, built once a test process.
pub fn symbolon() -> PathBuf {
    build("symbolon-server", "symbolon")
}

/// A binary of the workspace. Where `cargo xtask test` has built it, this only asks cargo where it is.
pub fn build(package: &'static str, name: &'static str) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    built.entry(name).or_insert_with(|| prebuilt(name).unwrap_or_else(|| cargo_build(package, name))).clone()
}

/// Where somebody has just built the binaries, as `cargo xtask test` does, their directory saves asking cargo, which would wait for other builds.
fn prebuilt(name: &str) -> Option<PathBuf> {
    let binary = Path::new(&std::env::var_os("SYMBOLON_BINARIES")?).join(name);
    assert!(binary.is_file(), "SYMBOLON_BINARIES has no {name}");
    Some(binary)
}

fn cargo_build(package: &str, name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--message-format=json", "--package", package, "--bin", name])
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo build --package {package} failed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(executable)
        .unwrap_or_else(|| panic!("cargo names no executable for {name}"))
}

fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    message["executable"].as_str().map(PathBuf::from)
}
