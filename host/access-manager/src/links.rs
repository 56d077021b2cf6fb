//! The links of key chains: what state they are in by the account's documents, how they are shown, and when a wrapped key
//! is taken. The keys in them are wrapped, and stay so here.

use crate::{
    account::{Account, Standing},
    call::Call,
    failure::Failure,
    policy::{Action, Circumstances, KeyFacts},
    show,
    unit::Unit,
};
use std::collections::BTreeMap;
use symbolon_audit::{Event, Hash};
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_keychain::{
    self as keychain, Destruction, Facts, Permit, Place, Root, State, TenantId, Wrap, Wrapped,
};
use symbolon_protocol::api::{self, Document};
use symbolon_store::{
    Reading,
    access::{KeyRange, LinkLevel, LinkRow, LinkVersionRow, Rows},
};
use symbolon_trust::{Operation, Operations, Seconds};

/// Links as an account's documents make them at a time.
pub(crate) struct Links<'a> {
    pub(crate) account: &'a Account,
    pub(crate) now: Seconds,
}

impl Links<'_> {
    /// The state of a version of a link, without regard to what is above it.
    pub(crate) fn state(&self, link: &KeyId, version: u64) -> State {
        let disabled = self.account.disables(link);
        State::of(Facts { complete: true, disabled, destruction: self.destruction(link, version) })
    }

    /// The state that a new version of a link begins in.
    pub(crate) fn beginning(&self, link: &KeyId) -> State {
        if self.account.disables(link) { State::Disabled } else { State::Active }
    }

    fn destruction(&self, link: &KeyId, version: u64) -> Destruction {
        let ordered = self.account.documents.orders().destructions();
        let about = ordered.filter(|found| found.key == link && found.version == version && !found.cancelled);
        match about.map(|found| found.due).min() {
            Some(due) if due <= self.now => Destruction::Done,
            Some(_) => Destruction::Waiting,
            None => Destruction::None,
        }
    }

    /// A root key and its state.
    pub(crate) async fn root(&self, rows: &mut Rows<'_, impl Reading>, key: &KeyId) -> Result<Root, Failure> {
        let row = rows.key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?;
        Ok(Root { account: self.account.id(), key: key.clone(), state: show::state(&row.state)?.into() })
    }

    /// The newest version of a tenant's key, with the states that decide about it.
    pub(crate) async fn newest_tenant(
        &self,
        rows: &mut Rows<'_, impl Reading>,
        id: &TenantId,
    ) -> Result<keychain::Tenant, Failure> {
        let row = rows.link(id.id()).await?.filter(|row| row.level == LinkLevel::Tenant);
        let row = row.ok_or_else(|| Failure::UnknownLink(id.id().clone()))?;
        let root = self.root(rows, &row.above).await?;
        let state = self.state(&row.link, row.newest);
        Ok(keychain::Tenant { root, id: id.clone(), version: row.newest, state })
    }

    /// A tenant as a line of the list.
    pub(crate) async fn tenant_line(
        &self,
        rows: &mut Rows<'_, impl Reading>,
        row: &LinkRow,
    ) -> Result<api::TenantSummary, Failure> {
        Ok(api::TenantSummary {
            tenant: row.link.to_string(),
            root: row.above.to_string(),
            root_state: self.root(rows, &row.above).await?.state.into(),
            state: self.state(&row.link, row.newest).into(),
            version: row.newest,
            systems: rows.count_links(LinkLevel::System, &row.link).await?,
            created: row.created,
        })
    }

    /// A tenant with all versions of its key.
    pub(crate) async fn tenant(
        &self,
        rows: &mut Rows<'_, impl Reading>,
        row: &LinkRow,
    ) -> Result<api::Tenant, Failure> {
        let version = |found: &LinkVersionRow| {
            let state = self.state(&row.link, found.version);
            api::TenantVersion {
                version: found.version,
                state: state.into(),
                created: found.created,
                wrapped: wrapped(found, state),
            }
        };
        let versions = rows.link_versions(&row.link).await?.iter().map(version).collect();
        Ok(api::Tenant { summary: self.tenant_line(rows, row).await?, versions })
    }

    /// A system as a line of the list.
    pub(crate) fn system_line(&self, row: &LinkRow) -> api::SystemSummary {
        api::SystemSummary {
            system: row.link.to_string(),
            state: self.state(&row.link, row.newest).into(),
            version: row.newest,
            created: row.created,
        }
    }

    /// A system with all versions of its key, and its tenant.
    pub(crate) async fn system(
        &self,
        rows: &mut Rows<'_, impl Reading>,
        row: &LinkRow,
    ) -> Result<api::System, Failure> {
        let version = |found: &LinkVersionRow| {
            let state = self.state(&row.link, found.version);
            api::SystemVersion {
                version: found.version,
                tenant_version: found.above_version.unwrap_or_default(),
                state: state.into(),
                created: found.created,
                wrapped: wrapped(found, state),
            }
        };
        let versions = rows.link_versions(&row.link).await?.iter().map(version).collect();
        let above = rows.link(&row.above).await?.ok_or_else(|| Failure::UnknownLink(row.above.clone()))?;
        let above = self.tenant(rows, &above).await?;
        Ok(api::System { summary: self.system_line(row), versions, above })
    }
}

fn wrapped(version: &LinkVersionRow, state: State) -> Option<Document> {
    version.wrapped.clone().filter(|_| state != State::Destroyed).map(Into::into)
}

/// Links in these ranges of ids, ascending, at most `limit`.
pub(crate) async fn list(
    rows: &mut Rows<'_, impl Reading>,
    level: LinkLevel,
    ranges: &[KeyRange],
    above: Option<&KeyId>,
    limit: u32,
) -> Result<Vec<LinkRow>, Failure> {
    let mut listed: Vec<LinkRow> = Vec::new();
    for range in ranges {
        let left = limit.saturating_sub(u32::try_from(listed.len()).unwrap_or(limit));
        if left == 0 {
            break;
        }
        listed.extend(rows.list_links(level, range, above, left).await?);
    }
    Ok(listed)
}

/// The last id of a full page, behind which the next one begins.
pub(crate) fn next(listed: &[LinkRow], limit: u32) -> Option<&KeyId> {
    listed.last().filter(|_| listed.len() == limit as usize).map(|last| &last.link)
}

/// A link that exists, of this level.
pub(crate) async fn found(
    rows: &mut Rows<'_, impl Reading>,
    link: &KeyId,
    level: LinkLevel,
) -> Result<LinkRow, Failure> {
    let row = rows.link(link).await?.filter(|row| row.level == level);
    row.ok_or_else(|| Failure::UnknownLink(link.clone()))
}

/// Refuses whoever may not know about a link.
pub(crate) async fn may_see(call: &Call, link: &KeyId) -> Result<(), Failure> {
    match call.standing() {
        Standing::Owner | Standing::Member(_) => Ok(()),
        Standing::Other => call.holdings().await?.check_sees(link).map_err(|failure| match failure {
            Failure::UnknownKey(link) => Failure::UnknownLink(link),
            other => other,
        }),
    }
}

/// A wrapped key that was handed in, if it is of this account.
pub(crate) fn read(call: &Call, document: &Document) -> Result<Wrapped, Failure> {
    let wrapped = Wrapped::from_bytes(&document.0)?;
    let account = match wrapped.place() {
        Place::Tenant(place) => place.account,
        Place::System(place) => place.account,
        Place::Data(_) => return Err(Failure::WrongPlace("data keys are kept beside their data, not here")),
    };
    if account == call.id() { Ok(wrapped) } else { Err(Failure::WrongPlace("it belongs to another account")) }
}

/// Refuses whoever has no grant to create the link, or whom the operator's policy forbids it.
pub(crate) async fn may_store(
    call: &Call,
    link: &KeyId,
    version: u64,
    kind: &'static str,
) -> Result<(), Failure> {
    let grant = granted(call, link, Operation::Create).await?;
    let labels = BTreeMap::new();
    let facts = KeyFacts {
        key: link,
        version,
        purpose: kind,
        kind: show::kind_name(false),
        customer_fragment: false,
        labels: &labels,
    };
    let (holder, time) = (call.holder.thumbprint(), call.now()?.time());
    let circumstances = Circumstances { holder, time, grant, on_behalf_of: None };
    Ok(call.service.policies.check_key(call.id(), Action::Create, &facts, &circumstances)?)
}

/// The caller's grant for an operation with a key; its number.
pub(crate) async fn granted(call: &Call, key: &KeyId, operation: Operation) -> Result<u64, Failure> {
    let operations: Operations = [operation].into_iter().collect();
    Ok(call.holdings().await?.covering(key, operations)?.grant().id)
}

/// Refuses an id that a key or link has or had.
pub(crate) async fn vacant(unit: &mut Unit, link: &KeyId) -> Result<(), Failure> {
    if unit.rows().key(link).await?.is_some() || unit.rows().link(link).await?.is_some() {
        return Err(Failure::KeyExists(link.clone()));
    }
    Ok(())
}

/// Refuses a root key that isn't made for wrapping.
pub(crate) async fn wraps(unit: &mut Unit, root: &KeyId) -> Result<(), Failure> {
    let versions = unit.rows().versions(root).await?;
    let newest = versions.first().ok_or_else(|| Failure::UnknownKey(root.clone()))?;
    if newest.version.purpose == Purpose::Wrap.number() {
        return Ok(());
    }
    Err(Failure::malformed("a root key's purpose is wrap: symbolon key create NAME --purpose wrap"))
}

/// Refuses any version but the next.
pub(crate) fn check_next(version: u64, newest: u64) -> Result<(), Failure> {
    if version == newest + 1 {
        return Ok(());
    }
    Err(Failure::Superseded(format!("the next version of the key is {}", newest + 1)))
}

/// Refuses a change of something that is no longer as the caller saw it.
pub(crate) fn check_match(expected: &str, current: Option<&str>) -> Result<(), Failure> {
    match current {
        Some(current) if expected != "*" && expected != current => {
            Err(Failure::PreconditionFailed(current.to_owned()))
        }
        _ => Ok(()),
    }
}

/// A version as it is stored. The permit says that the keys above are in a state for it.
pub(crate) fn version_row<P>(
    _: Permit<Wrap, P>,
    wrapped: &Wrapped,
    version: u64,
    above_version: Option<u64>,
) -> LinkVersionRow {
    let created = crate::clock::wall().0;
    LinkVersionRow { version, above_version, wrapped: Some(wrapped.to_bytes()), created }
}

/// Notes in the audit log that a version was stored.
pub(crate) async fn record(
    unit: &mut Unit,
    link: &KeyId,
    version: u64,
    wrapped: &Wrapped,
) -> Result<(), Failure> {
    use sha2::Digest;
    let hash = Hash(sha2::Sha256::digest(wrapped.to_bytes()).into());
    unit.record(Event::LinkStored { link: link.clone(), version, wrapped: hash }).await
}

/// Erases wrapped keys whose destruction is due. Says whether there were any.
pub(crate) async fn erase_due(unit: &mut Unit, now: symbolon_trust::Now) -> Result<bool, Failure> {
    let account = std::sync::Arc::clone(&unit.account);
    let mut erased = false;
    for due in account.documents.orders().due(now) {
        erased |= unit.rows().erase_link_version(due.key(), due.version()).await?;
    }
    Ok(erased)
}
