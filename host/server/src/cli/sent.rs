//! What came of sending something that the owner signed to all managers, in words and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use symbolon_client::owner::Report;
use symbolon_trust::TrustedRoot;

use super::failure::with_causes;
use super::lease_view::LetGo;
use super::{Context, Failure, Kind};

/// A document that was sent.
#[derive(Debug, Serialize)]
pub struct Sent<T> {
    #[serde(flatten)]
    what: T,
    signed_for_by: Vec<String>,
    missing: Vec<Missing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_manager: Option<String>,
    in_force: bool,
    needed: usize,
    took_ms: u64,
    #[serde(flatten)]
    leases: Option<LetGo>,
}

/// A manager that gave no receipt.
#[derive(Debug, Serialize)]
struct Missing {
    manager: String,
    reason: String,
}

impl<T: Serialize + fmt::Display> Sent<T> {
    /// `what` is a sentence about what was signed.
    pub fn new(what: T, report: &Report, root: &TrustedRoot) -> Self {
        let missing = |(manager, reason): (&str, &_)| {
            let (manager, reason) = (manager.to_owned(), with_causes(reason));
            Missing { manager, reason }
        };
        let (in_force, needed) = match report.in_force(root) {
            Ok(quorum) => (true, quorum.signed().len()),
            Err(quorum) => (false, quorum.needed),
        };
        Self {
            what,
            signed_for_by: report.signed().map(str::to_owned).collect(),
            missing: report.missing().map(missing).collect(),
            access_manager: report.access_manager.as_ref().err().map(with_causes),
            in_force,
            needed,
            took_ms: milliseconds(report.took),
            leases: None,
        }
    }

    /// The same with what became of leases below what was switched off.
    pub fn with_leases(self, leases: Option<LetGo>) -> Self {
        Self { leases, ..self }
    }

    /// Answers with it. A document that isn't in force is a failure: it is signed, and waits to be sent again.
    pub fn answer(&self, context: &Context) -> Result<(), Failure> {
        context.output().answer(self)?;
        if self.in_force {
            return Ok(());
        }
        let more = self.needed.saturating_sub(self.signed_for_by.len());
        Err(Failure::new(Kind::Unavailable, format!("not in force yet: {more} more must sign for it"))
            .next("it is signed and kept; when they are back:  symbolon owner push"))
    }
}

impl<T: fmt::Display> fmt::Display for Sent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.signed_for_by.as_slice() {
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        let force = if self.in_force { "in force" } else { "not in force" };
        writeln!(f, "{}. Signed for by {by} ({}): {force}.", self.what, took(self.took_ms))?;
        for Missing { manager, reason } in &self.missing {
            writeln!(f, "  {manager}: {reason}")?;
        }
        self.access_manager.iter().try_for_each(|reason| writeln!(f, "  the access manager: {reason}"))?;
        self.leases.iter().try_for_each(|leases| leases.fmt(f))
    }
}

/// A time as programs read it.
pub fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// The same as people read it.
pub fn took(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}
