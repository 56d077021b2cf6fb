//! `cargo xtask test`: all that must hold, cheapest first; cargo's own result lines come last.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::{demo, kotlin, kryoptic, machine, plugins, python, step, tally, wasm};

/// Schedules of faults that the ceremony has to survive before it is called sound.
const FAULT_SCHEDULES: &str = "1000000";

/// What the tests take from the machine, installed at once.
const NEEDS: [&machine::Need; 9] = [
    &machine::C_COMPILER,
    &machine::PYTHON,
    &machine::VENV,
    &machine::FAKETIME,
    &machine::OPENSSL,
    &machine::MAVEN,
    &machine::SOFTHSM,
    &machine::KRYOPTIC,
    &machine::QEMU,
];

pub fn run(words: &[String]) -> Result<(), Failure> {
    if let Some(word) = words.first() {
        return Err(Failure::new(format!(
            "test takes no arguments, and got `{word}`; for one crate: cargo test -p CRATE"
        )));
    }
    machine::provide(&NEEDS)?;
    step::forget_earlier_checkouts()?;
    step::run("format", &mut step::cargo(&["fmt", "--all", "--check"]))?;
    plugins::check_format()?;
    step::run(
        "lints",
        &mut step::cargo(&["clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    plugins::lint()?;
    step::run(
        "docs",
        step::cargo(&["doc", "-q", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    wasm::check()?;
    licences()?;
    step::run("ceremony model", &mut python3(&["docs/models/ceremony.py", "--quick"]))?;
    step::run("programs", &mut step::cargo(&["build", "-q", "--workspace"]))?;
    let mut tests = step::cargo(&["test", "-q", "--workspace", "--no-fail-fast"]);
    // Tests of real processes find them here, and needn't ask cargo, which is busy with them.
    tests.env("SYMBOLON_BINARIES", step::target().join("debug"));
    tests.env("SYMBOLON_PLUGINS", plugins::build()?).env("SYMBOLON_KRYOPTIC", kryoptic::build()?);
    other_languages(&mut tests)?;
    eprintln!("── tests");
    tally::run(&mut tests)
}

/// The packages' own tests, and the demo, in which both take part; in cargo's tests they open what the others wrote.
fn other_languages(tests: &mut Command) -> Result<(), Failure> {
    let python = python::Environment::make(python::Profile::Debug, "requirements-test.txt")?;
    let mut independent = Command::new(python.python());
    independent.arg("tests/vectors/check.py").env("PYTHONDONTWRITEBYTECODE", "1").current_dir(step::root());
    step::run("independent implementation", &mut independent)?;
    python.test()?;
    kotlin::test()?;
    tests.env("SYMBOLON_CROSS_PYTHON", python.cross()).env("SYMBOLON_CROSS_KOTLIN", kotlin::cross()?);
    demo::rehearse(python)
}

/// What checks us from outside of our own code is in another language.
fn python3(words: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(words).current_dir(step::root());
    command
}

/// `cargo deny` is a tool of its own with a database to fetch; tests/arrows checks licences and sources by the same
/// `deny.toml` in any case.
fn licences() -> Result<(), Failure> {
    if !machine::answers("cargo-deny") {
        eprintln!(
            "── cargo-deny is not installed: advisories are not checked; licences and sources are (tests/arrows)"
        );
        return Ok(());
    }
    let mut checks = vec!["deny", "--offline", "check", "licenses", "bans", "sources"];
    if advisories_fetched() {
        checks.push("advisories");
    } else {
        eprintln!(
            "── cargo-deny has no database: advisories are not checked; fetch it with  cargo deny fetch db"
        );
    }
    step::run("cargo-deny", &mut step::cargo(&checks))
}

fn advisories_fetched() -> bool {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    home.and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok())
        .is_some_and(|mut entries| entries.next().is_some())
}

/// `cargo xtask faults [COUNT [SEED]]`.
pub fn faults(words: &[String]) -> Result<(), Failure> {
    let word = |at: usize, otherwise| words.get(at).map_or(otherwise, String::as_str);
    let (schedules, from) = (word(0, FAULT_SCHEDULES), word(1, "0"));
    let mut command = step::cargo(&["run", "-q", "--release", "-p", "symbolon-faults", "--"]);
    step::run("faults", command.args(["--schedules", schedules, "--from", from]))
}
