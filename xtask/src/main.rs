//! The project's commands: `cargo xtask test | demo | bench | faults | fuzz | …`.
//!
//! This crate only starts programs and looks at how they end. It depends on none of the project's other crates, so that
//! it is ready in a second; whatever needs them is a binary of its own that is started from here.

mod bench;
mod demo;
mod failure;
mod fuzz;
mod kotlin;
mod kryoptic;
mod machine;
mod plugins;
mod python;
mod step;
mod tally;
mod test;
mod wasm;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                     every test: format, lints, docs, wasm32, licences, model, all of cargo's tests
  demo [--size MIB]        Symbolon protects a real file of 1 GiB, or as many MiB as said, step by step
  bench [--json FILE]      one table of medians and ratios
  faults [COUNT [SEED]]    the ceremony under a million seeded schedules, or as many as said, from a seed on
  fuzz [TARGET] [SECONDS]  mutates the inputs of every decoder, or of one, for 60 seconds each or as said
  plugins                  builds plugins/ for wasm32, and prints where the modules are
  python, kotlin           builds and tests the package of that language
  kryoptic                 builds a PKCS#11 module in software for the tests, and prints where it is";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[String]) -> Result<(), Failure> {
    let (command, rest) = words.split_first().ok_or_else(|| Failure::new(USAGE))?;
    match command.as_str() {
        "test" => test::run(rest),
        "demo" => demo::run(rest),
        "bench" => bench::run(rest),
        "faults" => test::faults(rest),
        "fuzz" => fuzz::run(rest),
        "plugins" => plugins::run(rest),
        "kotlin" => kotlin::run(rest),
        "python" => python::run(rest),
        "kryoptic" => kryoptic::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::new(format!("there is no command `{other}`\n\n{USAGE}"))),
    }
}
