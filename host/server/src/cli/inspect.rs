//! `symbolon inspect`: what a ciphertext says about itself. No key, no profile, no network: so nothing of it is proven.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use symbolon_client::{Header, read_preamble};

use super::transfer::Source;
use super::{Context, Failure, date};

/// `symbolon inspect [FILE]`
#[derive(Debug, Args)]
pub struct Inspect {
    /// The ciphertext [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Inspect {
    /// Prints the header.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let mut source = Source::open(self.file.as_deref())?;
        let preamble = read_preamble(&mut source).map_err(symbolon_client::Error::from)?;
        context.output().answer(&About::of(preamble.header()))
    }
}

/// A header for people and programs.
#[derive(Debug, Serialize)]
pub struct About {
    account: String,
    key: String,
    version: u64,
    suite: &'static str,
    purpose: String,
    writer: String,
    created: u64,
    customer_fragment: Option<String>,
    chunk_bytes: usize,
    context_pairs: u8,
}

impl About {
    /// What this header says.
    pub fn of(header: &Header) -> Self {
        Self {
            account: header.account.to_string(),
            key: header.key.to_string(),
            version: header.version,
            suite: header.suite.name(),
            purpose: header.purpose.to_string(),
            writer: header.writer.to_string(),
            created: header.created,
            customer_fragment: header.cf.map(|id| id.to_string()),
            chunk_bytes: header.chunk.plain(),
            context_pairs: header.context_pairs,
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "key                {} v{}  ({}, for {})",
            self.key, self.version, self.suite, self.purpose
        )?;
        writeln!(f, "written by         {}", self.writer)?;
        writeln!(f, "written at         {}", date::minute(self.created))?;
        writeln!(f, "account            {}", self.account)?;
        writeln!(f, "customer fragment  {}", self.customer_fragment.as_deref().unwrap_or("none"))?;
        writeln!(f, "context            {}", self.pairs())?;
        writeln!(f, "chunks             {} KiB", self.chunk_bytes / 1024)
    }
}

impl About {
    fn pairs(&self) -> String {
        match self.context_pairs {
            0 => "none".to_owned(),
            1 => "1 pair".to_owned(),
            pairs => format!("{pairs} pairs"),
        }
    }
}

/// The header in half a line, for errors.
pub fn in_short(header: &Header) -> String {
    let Header { key, version, writer, created, context_pairs, .. } = header;
    let writer: String = writer.to_string().chars().take(12).collect();
    format!(
        "key {key} v{version}, written by {writer}… {}, {}",
        date::minute(*created),
        counted(*context_pairs)
    )
}

fn counted(pairs: u8) -> String {
    match pairs {
        0 => "no context".to_owned(),
        1 => "1 context pair".to_owned(),
        pairs => format!("{pairs} context pairs"),
    }
}
