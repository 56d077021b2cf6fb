//! What switching a root key off would meet, for `--dry-run`.

use std::fmt::{self, Display};

use serde::Serialize;
use symbolon_client::owner::{BlastRadius, Owner};
use symbolon_protocol::api::KeySummary;
use symbolon_trust::PERMIT_LIFETIME;

use super::grant;
use super::lease_view::Leases;
use super::link_view::{Systems, Tenants};

/// Everything that would be met.
#[derive(Debug, Serialize)]
pub struct DryRun {
    key: KeySummary,
    tenants: Tenants,
    systems: Systems,
    #[serde(flatten)]
    grants: grant::Listed,
    leases: Leases,
    /// How long a lease lasts at most: so long after the switch, all is unreadable, whoever is cut off.
    leases_end_within_secs: u64,
}

impl DryRun {
    /// For people and programs.
    pub fn of(found: BlastRadius, owner: &Owner) -> Self {
        Self {
            key: found.key,
            tenants: Tenants(found.tenants),
            systems: Systems(found.systems),
            grants: grant::Listed::of(&found.grants, owner),
            leases: Leases::of(&found.leases),
            leases_end_within_secs: PERMIT_LIFETIME,
        }
    }
}

impl Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, tenants, systems, .. } = self;
        let counts = [counted(tenants.0.len(), "tenant"), counted(systems.0.len(), "system")];
        writeln!(f, "{} off would make unreadable: {}", key.key, counts.join(", "))?;
        section(f, "tenants", tenants.0.is_empty(), tenants)?;
        section(f, "systems", systems.0.is_empty(), systems)?;
        section(f, "grants on the key or below it", self.grants.is_empty(), &self.grants)?;
        section(f, "leases, just now", self.leases.is_empty(), &self.leases.table())?;
        writeln!(
            f,
            "\nLeases end within {} s at the latest. Nothing was changed.",
            self.leases_end_within_secs
        )
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, empty: bool, what: &dyn Display) -> fmt::Result {
    if empty { Ok(()) } else { write!(f, "\n{title}\n{what}") }
}
