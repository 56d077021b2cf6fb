//! `cargo xtask fuzz [TARGET] [SECONDS]`: the decoders under mutated inputs for as long as one likes.

use crate::failure::Failure;
use crate::step;

pub fn run(words: &[String]) -> Result<(), Failure> {
    let mut command = step::cargo(&["run", "-q", "--release", "-p", "symbolon-fuzz", "--"]);
    step::run("fuzz", command.args(words))
}
