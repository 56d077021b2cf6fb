//! `symbolon audit`: what the servers did, checked against each other.

use std::fmt;

use clap::Subcommand;
use serde::Serialize;
use symbolon_client::audit::Audit as Found;

use super::failure::with_causes;
use super::{Context, Failure, Kind, date};

/// The noun's verbs.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Audit {
    /// Read all logs and verify that nothing was edited, removed, reordered or left out
    Verify,
}

impl Audit {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Verify => verify(context).await,
        }
    }
}

async fn verify(context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let found = context.noting(&client, Box::pin(client.audit(&mut |_, _| ()))).await?;
    let verified = Verified::new(&found);
    context.output().answer(&verified)?;
    if verified.faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Kind::Integrity, "the logs are not what was signed for")
        .next("keep copies of the servers' datastores as they are, and ask their operators"))
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verified {
    entries: u64,
    evaluations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cosigned: Option<Cosigned>,
    managers: Vec<String>,
    not_compared: Vec<NotCompared>,
    gaps: Vec<Gap>,
    alarms: Vec<Alarm>,
    faults: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Cosigned {
    entries: u64,
    by: Vec<String>,
    newest: u64,
}

#[derive(Debug, Serialize)]
struct NotCompared {
    manager: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Alarm {
    manager: String,
    time: u64,
    what: String,
}

#[derive(Debug, Serialize)]
struct Gap {
    manager: String,
    since: u64,
    until: u64,
}

impl Verified {
    fn new(found: &Found) -> Self {
        let cosigned = found.cosigned.as_ref().map(|checkpoint| Cosigned {
            entries: checkpoint.size,
            by: checkpoint.by.iter().map(|(member, _)| member.to_string()).collect(),
            newest: checkpoint.by.iter().map(|(_, time)| time.0).max().unwrap_or(0),
        });
        let missing = found
            .missing
            .iter()
            .map(|down| NotCompared { manager: down.member.to_string(), reason: with_causes(&down.reason) });
        let gaps = found.gaps.iter().map(|(member, gap)| Gap {
            manager: member.to_string(),
            since: gap.since.0,
            until: gap.until.0,
        });
        let alarms = found.alarms.iter().map(|(member, time, alarm)| Alarm {
            manager: member.to_string(),
            time: time.0,
            what: alarm.to_string(),
        });
        Self {
            entries: found.entries,
            evaluations: found.evaluations,
            cosigned,
            managers: found.managers.iter().map(ToString::to_string).collect(),
            not_compared: missing.collect(),
            gaps: gaps.collect(),
            alarms: alarms.collect(),
            faults: found.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cosigned {
            Some(Cosigned { entries, by, newest }) => {
                let (by, when) = (by.join(", "), date::minute(*newest));
                writeln!(f, "{} entries, the first {entries} cosigned by {by} at {when}.", self.entries)?;
            }
            None => writeln!(f, "{} entries, not cosigned yet.", self.entries)?,
        }
        for fault in &self.faults {
            writeln!(f, "FOUND: {fault}")?;
        }
        for NotCompared { manager, reason } in &self.not_compared {
            writeln!(f, "not compared: {manager}: {reason}")?;
        }
        for Gap { manager, since, until } in &self.gaps {
            let (since, until) = (date::minute(*since), date::minute(*until));
            writeln!(
                f,
                "{manager} crashed: evaluations from {since} to {until} may be missing from its log"
            )?;
        }
        for Alarm { manager, time, what } in &self.alarms {
            writeln!(f, "{manager} says since {}: {what}", date::minute(*time))?;
        }
        if self.faults.is_empty() {
            let managers = self.managers.join(", ");
            writeln!(
                f,
                "No entry edited, removed, reordered or omitted; all {} evaluations of {managers} have their permit.",
                self.evaluations
            )?;
        }
        Ok(())
    }
}
