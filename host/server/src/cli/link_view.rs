//! How tenants and systems look. Their keys are never shown, not even wrapped.

use std::fmt;

use serde::Serialize;
use symbolon_protocol::api::{self, KeyState, SystemSummary, TenantSummary};

use super::date;
use super::key_view::state_word;
use super::output::Table;

/// Tenants as the access manager lists them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Tenants(pub Vec<TenantSummary>);

/// Systems as the access manager lists them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Systems(pub Vec<SystemSummary>);

/// A tenant.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ShownTenant(pub api::Tenant);

/// A system and what is above it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ShownSystem(pub api::System);

impl fmt::Display for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "no tenants yet. Make one:  symbolon tenant create acme --root KEY");
        }
        let mut table = Table::new(["tenant", "version", "state", "root key", "systems", "created"]);
        for tenant in &self.0 {
            table.row([
                tenant.tenant.clone(),
                format!("v{}", tenant.version),
                below(tenant.state, "root key", tenant.root_state),
                tenant.root.clone(),
                tenant.systems.to_string(),
                date::day(tenant.created),
            ]);
        }
        table.fmt(f)
    }
}

impl fmt::Display for Systems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "no systems yet. Make one:  symbolon system create acme/ceph-eu");
        }
        let mut table = Table::new(["system", "version", "state", "created"]);
        for system in &self.0 {
            table.row([
                system.system.clone(),
                format!("v{}", system.version),
                state_word(system.state).to_owned(),
                date::day(system.created),
            ]);
        }
        table.fmt(f)
    }
}

impl fmt::Display for ShownTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = &self.0.summary;
        let state = below(summary.state, "root key", summary.root_state);
        writeln!(f, "{} v{}  {state}", summary.tenant, summary.version)?;
        writeln!(f, "  root key  {} ({})", summary.root, state_word(summary.root_state))?;
        for version in &self.0.versions {
            let (state, created) = (state_word(version.state), date::minute(version.created));
            writeln!(f, "  v{}  {state}  made {created}", version.version)?;
        }
        writeln!(f, "  systems  {}", summary.systems)
    }
}

impl fmt::Display for ShownSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (summary, above) = (&self.0.summary, &self.0.above.summary);
        let tenant = below(above.state, "root key", above.root_state);
        let state = match above.state {
            KeyState::Active => below(summary.state, "root key", above.root_state),
            off => below(summary.state, "tenant", off),
        };
        writeln!(f, "{} v{}  {state}", summary.system, summary.version)?;
        writeln!(f, "  tenant    {} v{} ({tenant})", above.tenant, above.version)?;
        writeln!(f, "  root key  {} ({})", above.root, state_word(above.root_state))?;
        for version in &self.0.versions {
            let (state, created) = (state_word(version.state), date::minute(version.created));
            writeln!(
                f,
                "  v{}  {state}  wrapped by tenant v{}  made {created}",
                version.version, version.tenant_version
            )?;
        }
        Ok(())
    }
}

/// A state; where it is active itself, that of what is above it, which decides too.
fn below(own: KeyState, above: &str, state: KeyState) -> String {
    match (own, state) {
        (KeyState::Active, KeyState::Active) => state_word(own).to_owned(),
        (KeyState::Active, off) => format!("off: its {above} is {}", state_word(off)),
        (off, _) => state_word(off).to_owned(),
    }
}
