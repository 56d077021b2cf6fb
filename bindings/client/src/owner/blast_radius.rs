//! What would no longer be readable if a root key were off, and whom that would meet. Nothing is signed for it or changed.

use super::courier::Courier;
use super::folder::Owner;
use super::leases::Lease;
use crate::access::Subject;
use crate::error::Error;
use std::collections::BTreeSet;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, path};
use symbolon_trust::{Grant, Seconds};

/// Items that are asked for at a time.
const PAGE: &str = "1000";

/// All that hangs below a key.
#[derive(Clone, Debug)]
pub struct BlastRadius {
    /// The key.
    pub key: api::KeySummary,
    /// Tenants whose keys it seals.
    pub tenants: Vec<api::TenantSummary>,
    /// Systems of these tenants.
    pub systems: Vec<api::SystemSummary>,
    /// Grants that are in force, on the key or on anything below it, as far as the owner's folder knows them.
    pub grants: Vec<Grant>,
    /// Who may have a key below it on a lease just now.
    pub leases: Vec<Lease>,
}

impl Courier {
    /// What switching a key off would meet: tenants, systems and leases by the access manager's word, grants by the owner's
    /// own signatures.
    pub async fn blast_radius(&self, owner: &Owner, key: &KeyId, now: Seconds) -> Result<BlastRadius, Error> {
        let access = self.access();
        let explain = |error| access.explain(error, Subject { key: Some(key), ..Subject::default() });
        let shown: api::Key = access.get(path::key(access.account(), key.as_str())).await.map_err(explain)?;
        let limit = ("limit", Some(PAGE.to_owned()));
        let below_key = [("root", Some(key.to_string())), limit.clone()];
        let tenants = access.all::<api::TenantPage>(path::TENANTS, &below_key).await.map_err(explain)?;
        let names: BTreeSet<&str> = tenants.iter().map(|tenant| tenant.tenant.as_str()).collect();
        let mut systems = access.all::<api::SystemPage>(path::SYSTEMS, &[limit]).await.map_err(explain)?;
        systems.retain(|system| names.contains(tenant_of(&system.system)));
        let links = names.iter().copied().chain(systems.iter().map(|system| system.system.as_str()));
        let ids: Vec<KeyId> = links.filter_map(|id| id.parse().ok()).chain([key.clone()]).collect();
        let grants = grants_on(owner, &ids, now);
        let leases = self.leases(key, None).await?;
        Ok(BlastRadius { key: shown.summary, tenants, systems, grants, leases })
    }
}

/// A system's tenant is the first segment of its name.
fn tenant_of(system: &str) -> &str {
    system.split_once('/').map_or(system, |(tenant, _)| tenant)
}

/// Grants that are neither over nor revoked and that cover any of these.
fn grants_on(owner: &Owner, ids: &[KeyId], now: Seconds) -> Vec<Grant> {
    let denials = owner.denials();
    let in_force = |grant: &&Grant| {
        let symbolon_trust::Principal::Holder(holder) = grant.principal;
        now <= grant.not_after
            && denials.check_grant(grant.id, grant.serial).is_ok()
            && denials.check_holder(holder).is_ok()
    };
    let covers = |grant: &&Grant| grant.keys.iter().any(|keys| ids.iter().any(|id| keys.covers(id)));
    owner.grants().map(symbolon_trust::Signed::body).filter(in_force).filter(covers).cloned().collect()
}
