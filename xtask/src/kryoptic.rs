//! `cargo xtask kryoptic`: a PKCS#11 token in software, of crates.io, for the tests.
//!
//! It brings an OpenSSL that is built from its source, some minutes long, and so once: into the build folder, under the
//! lock file of `tests/hsm/kryoptic`.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::{machine, step};

const MODULE: &str = "release/libkryoptic_pkcs11.so";

/// `cargo xtask kryoptic`: prints where the module is.
pub fn run(words: &[String]) -> Result<(), Failure> {
    if !words.is_empty() {
        return Err(Failure::new("kryoptic takes no arguments"));
    }
    machine::provide(&[&machine::C_COMPILER, &machine::KRYOPTIC])?;
    println!("{}", build()?.display());
    Ok(())
}

/// Builds the module, where it isn't built yet; gives its file.
pub fn build() -> Result<PathBuf, Failure> {
    let target = step::target().join("kryoptic");
    let mut command = step::cargo(&["build", "-q", "--release", "--locked"]);
    command.current_dir(step::root().join("tests/hsm/kryoptic")).env("CARGO_TARGET_DIR", &target);
    step::run("kryoptic (10 minutes the first time)", &mut command)?;
    Ok(target.join(MODULE))
}
