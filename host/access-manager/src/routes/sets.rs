//! Fragment sets and their instances, and the wish to refresh them.

use super::limit;
use crate::{
    answer::Answer,
    call::{Call, Json, Query, SetName},
    ceremony,
    failure::Failure,
    policy::Action,
    show,
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::Refused;
use symbolon_fragments::names::SetId;
use symbolon_protocol::{
    api::{Id, Instance, Problem, RefreshRequest, Refreshed, Set, SetPage, SetQuery, path},
    ceremony::{MAX_SETS, Message},
};
use symbolon_store::access::{Rows, SetRow};

/// Instances of a set that are shown: the newest ones.
const INSTANCES: u32 = 100;

/// Fragment sets, ascending.
#[utoipa::path(get, path = path::SETS, params(("account" = Id, Path), SetQuery),
    responses((status = 200, body = SetPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<SetQuery>) -> Result<Answer, Failure> {
    call.party().await?;
    let limit = limit(query.limit)?;
    let after = query.cursor.map(|cursor| cursor.parse::<Id>()).transpose().map_err(Failure::malformed)?;
    let after = after.map(|id| SetId::new(id.0));
    let mut read = call.service.store.read().await?;
    let rows = Rows::of(&mut read, &call.id()).sets(after.as_ref(), limit).await?;
    let sets = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let next = sets.last().filter(|_| sets.len() == limit as usize).map(|last| last.set.to_string());
    Ok(Answer::json(&SetPage { sets, next }))
}

fn line(row: &SetRow) -> Result<Set, Failure> {
    let newest = &row.newest.instance;
    Ok(Set {
        set: Id(*newest.set.as_bytes()),
        suite: show::suite(newest.suite)?.name().to_owned(),
        keys: row.keys,
        newest: show::instance(&row.newest),
    })
}

/// A fragment set.
#[utoipa::path(get, path = path::SET, params(("account" = Id, Path), ("set" = Id, Path)),
    responses((status = 200, body = Set), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(call: Call, SetName(set): SetName) -> Result<Answer, Failure> {
    call.party().await?;
    let set = SetId::new(set.0);
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let newest =
        rows.instances(&set, 1).await?.pop().ok_or(Failure::NotFound("there is no such fragment set"))?;
    let keys = rows.keys_of_set(&set).await?;
    Ok(Answer::json(&line(&SetRow { newest, keys })?))
}

/// A fragment set's complete instances, newest first.
#[utoipa::path(get, path = path::INSTANCES, params(("account" = Id, Path), ("set" = Id, Path)),
    responses((status = 200, body = Vec<Instance>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn instances(call: Call, SetName(set): SetName) -> Result<Answer, Failure> {
    call.party().await?;
    let mut read = call.service.store.read().await?;
    let rows = Rows::of(&mut read, &call.id()).instances(&SetId::new(set.0), INSTANCES).await?;
    if rows.is_empty() {
        return Err(Failure::NotFound("there is no such fragment set"));
    }
    Ok(Answer::json(&rows.iter().map(show::instance).collect::<Vec<_>>()))
}

/// Asks the managers to refresh sets now. They do it on their own timers too.
#[utoipa::path(post, path = path::REFRESH, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RefreshRequest,
    responses((status = 202, body = Refreshed), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn refresh(
    call: Call,
    headers: HeaderMap,
    body: Json<RefreshRequest>,
) -> Result<Answer, Failure> {
    call.party().await?;
    call.once(&headers, body.request, Refused::Ceremony, async |unit| ask(&call, unit, &body.body.sets).await)
        .await
}

async fn ask(call: &Call, unit: &mut Unit, asked: &[Id]) -> Result<Answer, Failure> {
    call.allowed(Action::Refresh)?;
    if asked.len() > MAX_SETS {
        return Err(Failure::malformed(format_args!("at most {MAX_SETS} sets at a time; name none for all")));
    }
    let mut sets: Vec<SetId> = asked.iter().map(|id| SetId::new(id.0)).collect();
    sets.sort_unstable();
    sets.dedup();
    for set in &sets {
        if !unit.rows().has_set(set).await? {
            return Err(Failure::NotFound("there is no such fragment set"));
        }
    }
    let count = if sets.is_empty() { unit.rows().count_sets().await? } else { sets.len() as u64 };
    let sequence = ceremony::request(unit, Message::Refresh(sets).to_bytes()).await?;
    Ok(Answer::json(&Refreshed { sets: count, sequence }).accepted())
}
