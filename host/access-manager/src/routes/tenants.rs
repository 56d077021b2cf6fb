//! Tenants: L2 of the key chain.

use super::{
    keys::{cursor, ranges},
    limit,
};
use crate::{
    answer::Answer,
    call::{Call, Json, Query, TenantName, if_match, refused},
    failure::Failure,
    links::{self, Links},
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::Refused;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::{self as keychain, Permit, Place, TenantPlace, Wrap, Wrapped};
use symbolon_protocol::api::{Id, Problem, Tenant, TenantPage, TenantQuery, WrappedKey, path};
use symbolon_store::access::{LinkLevel, LinkRow, Rows};
use symbolon_trust::Operation;

/// What policies are told that a tenant's key is for.
const KIND: &str = "tenant-key";

/// Tenants that the caller is granted, ascending; for owner and managers, all.
#[utoipa::path(get, path = path::TENANTS, params(("account" = Id, Path), TenantQuery),
    responses((status = 200, body = TenantPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<TenantQuery>) -> Result<Answer, Failure> {
    call.party().await?;
    let (limit, now) = (limit(query.limit)?, call.now()?.time());
    let above: Option<KeyId> =
        query.root.as_deref().map(str::parse).transpose().map_err(Failure::malformed)?;
    let ranges = ranges(&call, None, query.cursor.as_deref()).await?;
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let found = links::list(&mut rows, LinkLevel::Tenant, &ranges, above.as_ref(), limit).await?;
    let next = links::next(&found, limit).map(|last| cursor(last.as_str()));
    let links = Links { account: &call.account, now };
    let mut tenants = Vec::with_capacity(found.len());
    for row in &found {
        tenants.push(links.tenant_line(&mut rows, row).await?);
    }
    Ok(Answer::json(&TenantPage { tenants, next }))
}

/// A tenant with all versions of its key.
#[utoipa::path(get, path = path::TENANT,
    params(("account" = Id, Path), ("tenant" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Tenant, headers(("ETag" = String))), (status = 304),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(
    call: Call,
    TenantName(tenant): TenantName,
    headers: HeaderMap,
) -> Result<Answer, Failure> {
    links::may_see(&call, tenant.id()).await?;
    let now = call.now()?.time();
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let row = links::found(&mut rows, tenant.id(), LinkLevel::Tenant).await?;
    let shown = Links { account: &call.account, now }.tenant(&mut rows, &row).await?;
    Ok(Answer::json(&shown).tagged_by_content().unless_known(&headers))
}

/// Makes a tenant: its key, sealed by a root key that the caller may encrypt with.
#[utoipa::path(post, path = path::TENANTS, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = WrappedKey,
    responses((status = 201, body = Tenant, headers(("ETag" = String), ("Location" = String))),
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
    let id = place.tenant.id();
    links::vacant(unit, id).await?;
    links::check_next(place.version, 0)?;
    let version = links::version_row(permit, &wrapped, 1, None);
    let (level, above, created) = (LinkLevel::Tenant, place.root.clone(), version.created);
    let row = LinkRow { link: id.clone(), level, above, newest: 0, created };
    unit.rows().put_link(&row, &version).await?;
    links::record(unit, id, 1, &wrapped).await?;
    let location = path::tenant(&Id(*call.id().as_bytes()), id.as_str());
    Ok(shown(call, unit, id).await?.created(location))
}

/// Stores the next version of a tenant's key; systems made from now on are wrapped by it.
#[utoipa::path(post, path = path::TENANT_VERSIONS,
    params(("account" = Id, Path), ("tenant" = String, Path), ("If-Match" = String, Header)), request_body = WrappedKey,
    responses((status = 200, body = Tenant, headers(("ETag" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn rotate(
    call: Call,
    TenantName(tenant): TenantName,
    headers: HeaderMap,
    body: Json<WrappedKey>,
) -> Result<Answer, Failure> {
    let expected = if_match(&headers)?;
    let mut unit = call.begin().await?;
    let outcome = further(&call, &mut unit, tenant.id(), expected, &body.body).await;
    call.finish(unit, refused(Refused::Link), outcome).await
}

async fn further(
    call: &Call,
    unit: &mut Unit,
    tenant: &KeyId,
    expected: &str,
    body: &WrappedKey,
) -> Result<Answer, Failure> {
    let (wrapped, place) = offered(call, body)?;
    let permit = allowed(call, unit, &place).await?;
    let row = links::found(&mut unit.rows(), tenant, LinkLevel::Tenant).await?;
    if place.tenant.id() != tenant || place.root != row.above {
        return Err(Failure::WrongPlace("it is another tenant's, or under another root key"));
    }
    links::check_match(expected, shown(call, unit, tenant).await?.tag())?;
    links::check_next(place.version, row.newest)?;
    unit.rows().put_link_version(tenant, &links::version_row(permit, &wrapped, place.version, None)).await?;
    links::record(unit, tenant, place.version, &wrapped).await?;
    shown(call, unit, tenant).await
}

fn offered(call: &Call, body: &WrappedKey) -> Result<(Wrapped, TenantPlace), Failure> {
    let wrapped = links::read(call, &body.wrapped)?;
    match wrapped.place().clone() {
        Place::Tenant(place) => Ok((wrapped, place)),
        Place::System(_) | Place::Data(_) => Err(Failure::WrongPlace("it is no tenant's key")),
    }
}

/// The caller may make the tenant and seal under the root key, and the root key is in a state to seal.
async fn allowed(
    call: &Call,
    unit: &mut Unit,
    place: &TenantPlace,
) -> Result<Permit<Wrap, TenantPlace>, Failure> {
    let id = place.tenant.id();
    links::may_store(call, id, place.version, KIND).await?;
    links::granted(call, &place.root, Operation::Encrypt).await?;
    links::wraps(unit, &place.root).await?;
    let (account, now) = (std::sync::Arc::clone(&unit.account), call.now()?.time());
    let links = Links { account: &account, now };
    let root = links.root(&mut unit.rows(), &place.root).await?;
    let state = links.beginning(id);
    let tenant = keychain::Tenant { root, id: place.tenant.clone(), version: place.version, state };
    Ok(tenant.permit()?)
}

async fn shown(call: &Call, unit: &mut Unit, tenant: &KeyId) -> Result<Answer, Failure> {
    let (account, now) = (std::sync::Arc::clone(&unit.account), call.now()?.time());
    let mut rows = unit.rows();
    let row = links::found(&mut rows, tenant, LinkLevel::Tenant).await?;
    let shown = Links { account: &account, now }.tenant(&mut rows, &row).await?;
    Ok(Answer::json(&shown).tagged_by_content())
}
