//! What the command line wrote, opened by a Python program and by a Kotlin program: each combines the fragments on its own side.

use std::process::Command;

use super::stage::Stage;
use super::{MESSAGE, act, expect};
use crate::failure::{During, Failure};
use crate::kotlin;
use crate::python::{Environment, Profile};

/// A whole program; which deployment it talks to, it takes from its environment.
const PYTHON: &str = r#"
import sys
from symbolon import Client

with Client.from_environment() as symbolon:
    with symbolon.open(sys.argv[1], "rb", context={"user": "42"}) as file:
        sys.stdout.buffer.write(file.read())
"#;

/// The SDKs, ready to be used.
pub struct Languages {
    python: Environment,
    kotlin: String,
}

impl Languages {
    /// Builds both, optimised.
    pub fn build() -> Result<Self, Failure> {
        let python = Environment::make(Profile::Release, "requirements-bench.txt")?;
        kotlin::pack()?;
        Ok(Self { python, kotlin: kotlin::opener("release")? })
    }

    /// What the tests have built.
    pub fn of_tests(python: Environment) -> Result<Self, Failure> {
        Ok(Self { python, kotlin: kotlin::opener("debug")? })
    }

    /// The two steps.
    pub fn show(&self, stage: &Stage) -> Result<(), Failure> {
        let sealed = stage.pipe(&["encrypt", "--key", "notes", "--context", "user=42"], MESSAGE)?;
        std::fs::write(stage.path("letter.symbolon"), sealed).during("writing a file")?;
        let mut python = Command::new(self.python.python());
        python.args(["-c", PYTHON, "letter.symbolon"]);
        act("a Python program opens what the command line wrote", || opens(stage, &mut python))?;
        let mut words = self.kotlin.split(' ');
        let mut kotlin = Command::new(words.next().unwrap_or("java"));
        kotlin.args(words).args(["letter.symbolon", "user=42"]);
        act("a Kotlin program opens it too", || opens(stage, &mut kotlin))
    }
}

fn opens(stage: &Stage, program: &mut Command) -> Result<(), Failure> {
    program.current_dir(stage.path("")).env("SYMBOLON_PROFILE", stage.profile());
    let output = program.output().during("starting the program")?;
    let said = String::from_utf8_lossy(&output.stderr);
    expect(output.status.success() && output.stdout == MESSAGE, format!("it doesn't open\n{said}"))
}
