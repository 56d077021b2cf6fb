//! Grants.

use super::{after, limit, next};
use crate::{
    account::{Standing, decode},
    answer::Answer,
    call::{Call, Json, Number, Query},
    failure::Failure,
    holdings::Holding,
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::Thumbprint;
use symbolon_protocol::api::{self, Grant, GrantPage, GrantQuery, Id, Problem, SignedDocument, path};
use symbolon_store::access::{GrantRow, Rows};
use symbolon_trust::{GrantError, Now, Operation, Principal, Signed, VerifiedGrant, hash};

/// Grants, ascending: a holder's own; for the owner, anybody's.
#[utoipa::path(get, path = path::GRANTS, params(("account" = Id, Path), GrantQuery),
    responses((status = 200, body = GrantPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<GrantQuery>) -> Result<Answer, Failure> {
    let (limit, after, now) = (limit(query.limit)?, after(query.cursor.as_deref())?, call.now()?);
    let principal = visible(&call, query.principal.map(|id| Thumbprint::new(id.0)))?;
    let mut read = call.service.store.read().await?;
    let rows = Rows::of(&mut read, &call.id()).grants(principal.as_ref(), after, limit).await?;
    let grants = rows.iter().map(|row| line(&call, row, now)).collect::<Result<Vec<_>, _>>()?;
    let next = next(grants.len(), limit, grants.last().map(|grant| grant.id));
    Ok(Answer::json(&GrantPage { grants, next }))
}

/// Whose grants the caller sees; nothing for everybody's.
fn visible(call: &Call, asked: Option<Thumbprint>) -> Result<Option<Thumbprint>, Failure> {
    let own = call.holder.thumbprint();
    match call.standing() {
        Standing::Owner => Ok(asked),
        Standing::Member(_) | Standing::Other if asked.is_none_or(|asked| asked == own) => Ok(Some(own)),
        Standing::Member(_) | Standing::Other => Err(Failure::Only("the owner")),
    }
}

/// A grant.
#[utoipa::path(get, path = path::GRANT, params(("account" = Id, Path), ("id" = u64, Path)),
    responses((status = 200, body = Grant), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(call: Call, Number(id): Number) -> Result<Answer, Failure> {
    let (principal, now) = (visible(&call, None)?, call.now()?);
    let mut read = call.service.store.read().await?;
    let row = Rows::of(&mut read, &call.id()).grant(id).await?;
    let row = row.filter(|row| principal.is_none_or(|own| row.principal == own));
    let row = row.ok_or(Failure::NotFound("there is no such grant, or it is not yours to see"))?;
    Ok(Answer::json(&line(&call, &row, now)?))
}

fn line(call: &Call, row: &GrantRow, now: Now) -> Result<Grant, Failure> {
    let holding = Holding::of(row, &call.account, now)?;
    let grant = holding.grant();
    Ok(Grant {
        id: grant.id,
        serial: grant.serial,
        state: holding.state,
        keys: grant.keys.iter().map(ToString::to_string).collect(),
        principal: Id(*row.principal.as_bytes()),
        operations: grant.operations.iter().map(shown).collect(),
        rate: grant.rate.into(),
        not_before: grant.not_before.0,
        not_after: grant.not_after.0,
        document: row.document.clone().into(),
    })
}

fn shown(operation: Operation) -> api::Operation {
    match operation {
        Operation::Encrypt => api::Operation::Encrypt,
        Operation::Decrypt => api::Operation::Decrypt,
        Operation::Create => api::Operation::Create,
        Operation::Audit => api::Operation::Audit,
        Operation::Sign => api::Operation::Sign,
    }
}

/// Takes a grant; a later serial replaces the earlier.
#[utoipa::path(post, path = path::GRANTS, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SignedDocument,
    responses((status = 201, body = SignedDocument), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn add(
    call: Call,
    headers: HeaderMap,
    body: Json<SignedDocument>,
) -> Result<Answer, Failure> {
    call.once(&headers, body.request, Refused::Grant, async |unit| install(&call, unit, &body.body).await)
        .await
}

async fn install(call: &Call, unit: &mut Unit, body: &SignedDocument) -> Result<Answer, Failure> {
    let signed: Signed<symbolon_trust::Grant> = decode(&body.document.0)?;
    store(unit, &signed, call.now()?).await?;
    Ok(Answer::json(body).created(path::grant(&Id(*unit.account.id().as_bytes()), signed.body().id)))
}

/// Stores a grant in the place of its serial before; the same one again is no change.
pub(crate) async fn store(
    unit: &mut Unit,
    signed: &Signed<symbolon_trust::Grant>,
    now: Now,
) -> Result<(), Failure> {
    match VerifiedGrant::verify(signed, unit.account.root(), now) {
        // One whose time is still to come is signed all the same.
        Ok(_) | Err(GrantError::NotYet { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let grant = signed.body();
    if let Some(held) = unit.rows().grant(grant.id).await? {
        if decode::<symbolon_trust::Grant>(&held.document)?.body() == grant {
            return Ok(());
        }
        if grant.serial <= held.serial {
            return Err(Failure::Superseded(format!("serial {} of grant {} is held", held.serial, grant.id)));
        }
    }
    let Principal::Holder(principal) = grant.principal;
    let row = GrantRow { id: grant.id, serial: grant.serial, principal, document: to_canonical(signed) };
    unit.rows().put_grant(&row, crate::clock::wall().0).await?;
    unit.rights_changed();
    unit.record(Event::GrantInstalled { id: grant.id, serial: grant.serial, hash: Hash(hash(grant)) }).await
}

/// Refuses a grant that a later serial has replaced: its holder still has it, and managers can't know.
pub(super) async fn check_newest(unit: &mut Unit, grant: &symbolon_trust::Grant) -> Result<(), Failure> {
    match unit.rows().grant(grant.id).await? {
        Some(held) if grant.serial < held.serial => {
            Err(Failure::Superseded(format!("serial {} of grant {} is held", held.serial, grant.id)))
        }
        _ => Ok(()),
    }
}
