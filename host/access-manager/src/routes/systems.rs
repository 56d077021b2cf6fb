//! Systems: L3 of the key chain.

use super::{
    keys::{cursor, ranges},
    limit,
};
use crate::{
    answer::Answer,
    call::{Call, Json, Query, SystemName, if_match, refused},
    failure::Failure,
    links::{self, Links},
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::Refused;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::{self as keychain, Permit, Place, SystemPlace, Wrap, Wrapped};
use symbolon_protocol::api::{Id, Problem, System, SystemPage, SystemQuery, WrappedKey, path};
use symbolon_store::access::{LinkLevel, LinkRow, Rows};
use symbolon_trust::Operation;

/// What policies are told that a system's key is for.
const KIND: &str = "system-key";

/// Systems that the caller is granted, ascending; for owner and managers, all.
#[utoipa::path(get, path = path::SYSTEMS, params(("account" = Id, Path), SystemQuery),
    responses((status = 200, body = SystemPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<SystemQuery>) -> Result<Answer, Failure> {
    call.party().await?;
    let (limit, now) = (limit(query.limit)?, call.now()?.time());
    let ranges = ranges(&call, query.tenant.as_deref(), query.cursor.as_deref()).await?;
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let found = links::list(&mut rows, LinkLevel::System, &ranges, None, limit).await?;
    let next = links::next(&found, limit).map(|last| cursor(last.as_str()));
    let links = Links { account: &call.account, now };
    let systems = found.iter().map(|row| links.system_line(row)).collect();
    Ok(Answer::json(&SystemPage { systems, next }))
}

/// A system with all versions of its key, and its tenant.
#[utoipa::path(get, path = path::SYSTEM,
    params(("account" = Id, Path), ("system" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = System, headers(("ETag" = String))), (status = 304),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(
    call: Call,
    SystemName(system): SystemName,
    headers: HeaderMap,
) -> Result<Answer, Failure> {
    links::may_see(&call, system.id()).await?;
    let now = call.now()?.time();
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let row = links::found(&mut rows, system.id(), LinkLevel::System).await?;
    let shown = Links { account: &call.account, now }.system(&mut rows, &row).await?;
    Ok(Answer::json(&shown).tagged_by_content().unless_known(&headers))
}

/// Makes a system: its key, wrapped by the newest version of its tenant's key.
#[utoipa::path(post, path = path::SYSTEMS, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = WrappedKey,
    responses((status = 201, body = System, headers(("ETag" = String), ("Location" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    call: Call,
    headers: HeaderMap,
    body: Json<WrappedKey>,
) -> Result<Answer, Failure> {
    call.once(&headers, body.request, Refused::Link, async |unit| first(&call, unit, &body.body).await).await
}

async fn first(call: &Call, unit: &mut Unit, body: &WrappedKey) -> Result<Answer, Failure> {
    let (wrapped, place) = offered(call, body)?;
    let permit = allowed(call, unit, &place).await?;
    let id = place.system.id();
    links::vacant(unit, id).await?;
    links::check_next(place.version, 0)?;
    let version = links::version_row(permit, &wrapped, 1, Some(place.tenant_version));
    let (level, above, created) = (LinkLevel::System, place.system.tenant().id().clone(), version.created);
    let row = LinkRow { link: id.clone(), level, above, newest: 0, created };
    unit.rows().put_link(&row, &version).await?;
    links::record(unit, id, 1, &wrapped).await?;
    let location = path::system(&Id(*call.id().as_bytes()), id.as_str());
    Ok(shown(call, unit, id).await?.created(location))
}

/// Stores the next version of a system's key; data keys made from now on are wrapped by it.
#[utoipa::path(post, path = path::SYSTEM_VERSIONS,
    params(("account" = Id, Path), ("system" = String, Path), ("If-Match" = String, Header)), request_body = WrappedKey,
    responses((status = 200, body = System, headers(("ETag" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn rotate(
    call: Call,
    SystemName(system): SystemName,
    headers: HeaderMap,
    body: Json<WrappedKey>,
) -> Result<Answer, Failure> {
    let expected = if_match(&headers)?;
    let mut unit = call.begin().await?;
    let outcome = further(&call, &mut unit, system.id(), expected, &body.body).await;
    call.finish(unit, refused(Refused::Link), outcome).await
}

async fn further(
    call: &Call,
    unit: &mut Unit,
    system: &KeyId,
    expected: &str,
    body: &WrappedKey,
) -> Result<Answer, Failure> {
    let (wrapped, place) = offered(call, body)?;
    let permit = allowed(call, unit, &place).await?;
    let row = links::found(&mut unit.rows(), system, LinkLevel::System).await?;
    if place.system.id() != system {
        return Err(Failure::WrongPlace("it is another system's"));
    }
    links::check_match(expected, shown(call, unit, system).await?.tag())?;
    links::check_next(place.version, row.newest)?;
    let version = links::version_row(permit, &wrapped, place.version, Some(place.tenant_version));
    unit.rows().put_link_version(system, &version).await?;
    links::record(unit, system, place.version, &wrapped).await?;
    shown(call, unit, system).await
}

fn offered(call: &Call, body: &WrappedKey) -> Result<(Wrapped, SystemPlace), Failure> {
    let wrapped = links::read(call, &body.wrapped)?;
    match wrapped.place().clone() {
        Place::System(place) => Ok((wrapped, place)),
        Place::Tenant(_) | Place::Data(_) => Err(Failure::WrongPlace("it is no system's key")),
    }
}

/// The caller may make the system and open the keys above it, which are in a state for it and in their newest version.
async fn allowed(
    call: &Call,
    unit: &mut Unit,
    place: &SystemPlace,
) -> Result<Permit<Wrap, SystemPlace>, Failure> {
    let id = place.system.id();
    links::may_store(call, id, place.version, KIND).await?;
    let (account, now) = (std::sync::Arc::clone(&unit.account), call.now()?.time());
    let links = Links { account: &account, now };
    let tenant = links.newest_tenant(&mut unit.rows(), &place.system.tenant()).await?;
    links::granted(call, &tenant.root.key, Operation::Decrypt).await?;
    if place.tenant_version != tenant.version {
        return Err(Failure::Superseded(format!("the tenant's key is at version {}", tenant.version)));
    }
    let state = links.beginning(id);
    let system = keychain::System::new(tenant, place.system.clone(), place.version, state);
    Ok(system.map_err(Failure::internal)?.permit()?)
}

async fn shown(call: &Call, unit: &mut Unit, system: &KeyId) -> Result<Answer, Failure> {
    let (account, now) = (std::sync::Arc::clone(&unit.account), call.now()?.time());
    let mut rows = unit.rows();
    let row = links::found(&mut rows, system, LinkLevel::System).await?;
    let shown = Links { account: &account, now }.system(&mut rows, &row).await?;
    Ok(Answer::json(&shown).tagged_by_content())
}
