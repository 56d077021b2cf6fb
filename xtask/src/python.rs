//! The Python package: its wheel, and an environment in which the wheel and the tools of its tests are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{During, Failure};
use crate::{machine, step};

/// An environment with the package in it.
pub struct Environment {
    folder: PathBuf,
    wheel: PathBuf,
}

/// What `maturin` is told of how much the compiler shall do.
#[derive(Clone, Copy)]
pub enum Profile {
    /// As all tests.
    Debug,
    /// For figures, and for users.
    Release,
}

/// `cargo xtask python`: builds the package, and tests it against programs that it builds too.
pub fn run(words: &[String]) -> Result<(), Failure> {
    if !words.is_empty() {
        return Err(Failure::new("python takes no arguments"));
    }
    machine::provide(&[&machine::C_COMPILER, &machine::FAKETIME, &machine::SOFTHSM])?;
    let programs = ["build", "-q", "-p", "symbolon-server", "-p", "symbolon-lying-manager", "--bins"];
    step::run("programs", &mut step::cargo(&programs))?;
    Environment::make(Profile::Debug, "requirements-test.txt")?.test()
}

/// Builds an optimised wheel; gives the command line of its load tool.
pub fn load_tool() -> Result<String, Failure> {
    let environment = Environment::make(Profile::Release, "requirements-bench.txt")?;
    Ok(format!("{} {}", environment.python().display(), package().join("benches/load.py").display()))
}

impl Environment {
    /// Builds the wheel and installs it beside what `requirements` (a file of sdk-python) names.
    pub fn make(profile: Profile, requirements: &str) -> Result<Self, Failure> {
        machine::provide(&[&machine::C_COMPILER, &machine::PYTHON, &machine::VENV])?;
        let stem = requirements.trim_end_matches(".txt");
        let folder = step::target().join("python").join(stem);
        let mut environment = Self { wheel: PathBuf::new(), folder };
        environment.install(&package().join(requirements))?;
        environment.build(profile)?;
        Ok(environment)
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Lints, types and tests of the package, on real servers.
    pub fn test(&self) -> Result<(), Failure> {
        step::run("python: lints", &mut self.tool("ruff", &["check", "-q", "."]))?;
        step::run("python: format", &mut self.tool("ruff", &["format", "-q", "--check", "."]))?;
        step::run("python: types", &mut self.tool("mypy", &[]))?;
        let mut tests = self.tool("pytest", &[]);
        tests.env("SYMBOLON_BINARIES", step::target().join("debug")).env("SYMBOLON_WHEEL", &self.wheel);
        step::run("python: tests", &mut tests)
    }

    /// The program that writes and opens messages for those of the other languages.
    pub fn cross(&self) -> String {
        format!("{} {}", self.python().display(), package().join("tests/cross.py").display())
    }

    /// Makes the environment, unless it is there with the very same requirements.
    fn install(&self, requirements: &Path) -> Result<(), Failure> {
        let wanted = fs::read_to_string(requirements).during("reading the requirements")?;
        let stamp = self.folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let mut venv = Command::new("python3");
        step::run("python: environment", venv.args(["-m", "venv", "--clear"]).arg(&self.folder))?;
        let mut pip = self.pip();
        step::run("python: tools", pip.arg("-r").arg(requirements))?;
        fs::write(&stamp, wanted).during("noting what was installed")
    }

    /// Builds the wheel and installs it, whatever was there.
    fn build(&mut self, profile: Profile) -> Result<(), Failure> {
        let wheels = self.folder.join("wheels");
        let _ = fs::remove_dir_all(&wheels);
        let mut maturin = self.tool("maturin", &["build", "-q", "--compatibility", "linux", "--out"]);
        maturin.arg(&wheels).env("CARGO_TARGET_DIR", step::target());
        if let Profile::Release = profile {
            maturin.arg("--release");
        }
        step::run("python: wheel", &mut maturin)?;
        let made = fs::read_dir(&wheels).during("looking for the wheel")?.next();
        self.wheel = made.ok_or_else(|| Failure::new("maturin made no wheel"))?.during("the wheel")?.path();
        let mut pip = self.pip();
        pip.args(["--force-reinstall", "--no-deps", "--no-index"]).arg(&self.wheel);
        step::run("python: install the wheel", &mut pip)
    }

    fn pip(&self) -> Command {
        self.tool("pip", &["install", "-q", "--disable-pip-version-check"])
    }

    /// A tool of the environment, in the package's folder.
    fn tool(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(name));
        command.args(words).current_dir(package()).env("VIRTUAL_ENV", &self.folder);
        command
    }
}

fn package() -> PathBuf {
    step::root().join("sdk-python")
}
