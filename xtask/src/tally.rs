//! Cargo's tests, passed on as they come, and their sum: cargo itself tells it for each of dozens of programs only.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// Runs the tests; the sum is the last line.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let mut cargo = command.stdout(Stdio::piped()).spawn().during("starting cargo test")?;
    let mut tally = Tally::default();
    for line in cargo.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.during("reading what cargo test says")?;
        tally.add(&line);
        println!("{line}");
    }
    let status = cargo.wait().during("waiting for cargo test")?;
    println!("tests: {} passed, {} failed", tally.passed, tally.failed);
    if status.success() { Ok(()) } else { Err(Failure::new("tests failed")) }
}

impl Tally {
    /// Adds up lines such as `test result: ok. 4 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for (number, word) in counts.split("; ").filter_map(|count| count.split_once(' ')) {
            let number: u64 = number.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_add_up_and_others_count_nothing() {
        let mut tally = Tally::default();
        tally.add(
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.90s",
        );
        tally.add("test result: FAILED. 7 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.56s");
        tally.add("running 9 passed tests");
        assert_eq!(tally, Tally { passed: 11, failed: 1 });
    }
}
