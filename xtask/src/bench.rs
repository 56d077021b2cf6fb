//! `cargo xtask bench`.

use crate::failure::Failure;
use crate::{kotlin, python, step};

/// Builds the load tools with optimisation and lets them print the table.
pub fn run(words: &[String]) -> Result<(), Failure> {
    let mut bench = step::cargo(&["run", "-q", "--release", "-p", "symbolon-benches", "--"]);
    bench.args(words);
    if wants(words, "kotlin") {
        bench.env("SYMBOLON_KOTLIN_BENCH", kotlin::load_tool()?);
    }
    if wants(words, "python") {
        bench.env("SYMBOLON_PYTHON_BENCH", python::load_tool()?);
    }
    step::run("bench", &mut bench)
}

/// Whether a group is to be measured: it is named, or none is.
fn wants(words: &[String], group: &str) -> bool {
    let is_file = |at: usize| at > 0 && words[at - 1] == "--json";
    let groups = (0..words.len()).filter(|at| !words[*at].starts_with("--") && !is_file(*at));
    let groups: Vec<_> = groups.map(|at| words[at].as_str()).collect();
    groups.is_empty() || groups.contains(&group)
}
