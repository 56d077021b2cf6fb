//! `cargo xtask bench`.

use crate::failure::Failure;
use crate::step;

/// Builds the load tools with optimisation and lets them print the table.
pub fn run(words: &[String]) -> Result<(), Failure> {
    step::run("bench", step::cargo(&["run", "-q", "--release", "-p", "symbolon-benches", "--"]).args(words))
}
