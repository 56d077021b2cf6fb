//! How leases look: who may still have a key below a key, and who has let go of it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use symbolon_client::owner::Lease;

use super::date;
use super::output::Table;
use super::sent::milliseconds;

/// Leases below a key.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Leases(Vec<Shown>);

/// What became of leases below a key that was switched off.
#[derive(Debug, Serialize)]
pub struct LetGo {
    leases: Leases,
    /// From the first attempt to send the document to the last acknowledgement that came, or to giving up.
    leases_took_ms: u64,
}

impl LetGo {
    /// The leases, after so long.
    pub fn after(took: Duration, leases: &[Lease]) -> Self {
        Self { leases: Leases::of(leases), leases_took_ms: milliseconds(took) }
    }
}

impl fmt::Display for LetGo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leases.is_empty() { Ok(()) } else { writeln!(f, "{}", self.leases) }
    }
}

/// A lease.
#[derive(Debug, Serialize)]
struct Shown {
    holder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    until: u64,
    acknowledged: bool,
}

impl Leases {
    /// Leases as the access manager told of them.
    pub fn of(leases: &[Lease]) -> Self {
        Self(leases.iter().map(Shown::of).collect())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The leases with what has become of each.
    pub fn table(&self) -> Table {
        let mut table = Table::new(["holder", "process", "lease"]);
        for lease in &self.0 {
            let state = if lease.acknowledged { "acknowledged: let go".into() } else { ends(lease.until) };
            table.row([lease.holder.clone(), short(lease.process.as_deref()), state]);
        }
        table
    }
}

impl Shown {
    fn of(lease: &Lease) -> Self {
        Self {
            holder: lease.holder.to_string(),
            process: lease.process.map(hex::encode),
            until: lease.until.0,
            acknowledged: lease.acknowledged.is_some(),
        }
    }
}

/// Enough of a process's name to tell one from the next.
fn short(process: Option<&str>) -> String {
    process.map_or("-", |name| &name[..8]).to_owned()
}

fn ends(until: u64) -> String {
    format!("ends by itself at {} at the latest", date::second(until))
}

impl fmt::Display for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, gone) = (self.0.len(), self.0.iter().filter(|lease| lease.acknowledged).count());
        let had = format!("{gone} of {all} that had keys below it on a lease have let go of them");
        match gone {
            _ if all == 0 => f.write_str("Nobody has a key below it on a lease."),
            _ if gone == all => write!(f, "{had}."),
            0 => write!(f, "On a lease below it, each until the lease ends:\n{}", self.table()),
            _ => write!(f, "{had}; who has not yet can use them until the lease ends:\n{}", self.table()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(until: u64, acknowledged: bool) -> Shown {
        Shown { holder: "sym1a".into(), process: Some("0123456789".into()), until, acknowledged }
    }

    #[test]
    fn whoever_has_not_let_go_is_named_with_the_end_of_the_lease() {
        assert_eq!(Leases(vec![]).to_string(), "Nobody has a key below it on a lease.");
        let all = Leases(vec![lease(0, true)]).to_string();
        assert_eq!(all, "1 of 1 that had keys below it on a lease have let go of them.");
        let some = Leases(vec![lease(0, true), lease(1_795_516_391, false)]).to_string();
        assert!(some.starts_with("1 of 2 "), "{some}");
        assert!(some.contains("ends by itself at 2026-11-24 10:33:11 UTC at the latest"), "{some}");
    }
}
