//! How a command fails: what kind of failure, the error with its causes, and what to do next.
//!
//! The kinds are the client's; each has one exit code. No secret and no plaintext is ever part of a failure.

mod client;
mod driver;
mod local;
mod owner;
mod role;

pub use client::with_causes;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Whose move it is. The exit code is the kind's and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A fault of ours.
    Bug,
    /// Not allowed: ask the owner.
    Denied,
    /// There is no such thing.
    NotFound,
    /// It isn't what it was: look again.
    Conflict,
    /// Mend the call, the configuration or the passphrase.
    Invalid,
    /// What was read isn't authentic: don't try again.
    Integrity,
    /// Too few answered: try again later.
    Unavailable,
    /// A file or stream on this machine.
    Io,
}

/// The table that `symbolon --help` ends with.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 denied, 4 not found, 5 conflict,
6 invalid, 7 not authentic, 8 unavailable, 9 a local file.";

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Denied => 3,
            Self::NotFound => 4,
            Self::Conflict => 5,
            Self::Invalid => 6,
            Self::Integrity => 7,
            Self::Unavailable => 8,
            Self::Io => 9,
        }
    }

    /// The kind's word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Integrity => "integrity",
            Self::Unavailable => "unavailable",
            Self::Io => "io",
        }
    }
}

impl From<Kind> for ExitCode {
    fn from(kind: Kind) -> Self {
        Self::from(kind.code())
    }
}

/// A command's failure, ready to be shown.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    /// The client's code, where the client failed: `docs/errors.md`.
    code: Option<&'static str>,
    error: Box<dyn Error + Send + Sync>,
    next: Vec<String>,
}

impl Failure {
    /// `error` is an error with its chain of causes, or a sentence.
    pub fn new(kind: Kind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, code: None, error: error.into(), next: Vec::new() }
    }

    /// Adds a line below the error: what else is known, or what to do.
    #[must_use]
    pub fn next(mut self, line: impl Into<String>) -> Self {
        self.next.push(line.into());
        self
    }

    /// What happened, for programs.
    #[must_use]
    pub fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// A file of this machine that couldn't be read or written.
    pub fn io(doing: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(Kind::Io, format!("{doing}: {error}"))
    }

    /// Whose move it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened, in a word that never changes its meaning, where the client failed.
    pub const fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// The lines below the error.
    pub fn lines(&self) -> &[String] {
        &self.next
    }
}

impl fmt::Display for Failure {
    /// The error and its causes on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
