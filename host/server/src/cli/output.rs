//! What a command says: an answer on stdout, for people or as JSON; notes, progress and errors on stderr.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::failure::{Failure, Kind};

/// Where and how a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// For people, or for programs.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// The answer: its `Display` for people, its fields for programs.
    pub fn answer(self, answer: &(impl Serialize + Display)) -> Result<(), Failure> {
        let text = if self.json { to_json(answer)? } else { answer.to_string() };
        write_line(&text)
    }

    /// An answer that is JSON for people and programs alike.
    pub fn json(self, answer: &impl Serialize) -> Result<(), Failure> {
        write_line(&to_json(answer)?)
    }

    /// An answer that is text for people and programs alike.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        write_line(text)
    }

    /// Something worth knowing beside the answer; not for programs.
    pub fn note(self, note: impl Display) {
        if !self.json {
            eprintln!("{note}");
        }
    }

    /// Whether a program reads the answers.
    pub const fn is_for_programs(self) -> bool {
        self.json
    }

    /// Whether somebody looks on, so that progress may be drawn.
    pub fn is_watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Shows a failure; the process is to end with the code.
    pub fn failed(self, failure: &Failure) -> ExitCode {
        if self.json {
            eprintln!("{}", failure_as_json(failure));
        } else {
            eprintln!("error: {failure}");
            failure.lines().iter().for_each(|line| eprintln!("  {line}"));
        }
        failure.kind().into()
    }
}

fn failure_as_json(failure: &Failure) -> serde_json::Value {
    json!({ "error": {
        "kind": failure.kind().word(),
        "code": failure.code(),
        "message": failure.to_string(),
        "next": failure.lines(),
    } })
}

fn to_json(answer: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(answer).map_err(|error| Failure::new(Kind::Bug, error))
}

/// A reader that has gone, as `head` does, is no failure.
fn write_line(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("writing to stdout", &error))
        }
        _ => Ok(()),
    }
}

/// Rows with a heading, each column as wide as its widest cell.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings and no rows.
    pub fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        (0..columns)
            .map(|column| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect()
    }
}

impl Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(formatter, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}
