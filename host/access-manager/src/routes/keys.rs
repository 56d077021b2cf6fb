//! Reading keys, and their labels.

use super::limit;
use crate::{
    account::Standing,
    answer::{Answer, tag},
    call::{Call, Json, KeyName, Query, if_match},
    failure::Failure,
    holdings::{below, common, everything},
    policy::{Action, Circumstances},
    poll::Poll,
    show::{self, facts},
    unit::Unit,
    wake::Topic,
};
use axum::http::HeaderMap;
use std::collections::BTreeMap;
use symbolon_audit::{Event, Refused};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{
    Document, Id, Key, KeyPage, KeyPatch, KeyQuery, KeyWait, Labels, Problem, path,
};
use symbolon_store::{
    Reading,
    access::{KeyFilter, KeyRange, ListedKey, Rows},
};
use symbolon_trust::{Operation, Operations};

/// Keys that the caller is granted, ascending; for owner and managers, all.
#[utoipa::path(get, path = path::KEYS, params(("account" = Id, Path), KeyQuery),
    responses((status = 200, body = KeyPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<KeyQuery>) -> Result<Answer, Failure> {
    call.party().await?;
    let limit = limit(query.limit)?;
    let ranges = ranges(&call, query.below.as_deref(), query.cursor.as_deref()).await?;
    let filter = filter(&query)?;
    let mut read = call.service.store.read().await?;
    let listed = collect(&mut Rows::of(&mut read, &call.id()), &ranges, &filter, limit).await?;
    let full = listed.len() == limit as usize;
    let next = listed.last().filter(|_| full).map(|last| cursor(&last.key));
    let keys = listed.iter().map(show::line).collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::json(&KeyPage { keys, next }))
}

/// The cursor behind an id.
pub(super) fn cursor(last: &str) -> String {
    Document(last.as_bytes().to_vec()).to_string()
}

/// The ids that the caller may see, and asks for, and has not been given yet.
pub(super) async fn ranges(
    call: &Call,
    path: Option<&str>,
    cursor: Option<&str>,
) -> Result<Vec<KeyRange>, Failure> {
    let visible = match call.standing() {
        Standing::Owner | Standing::Member(_) => vec![everything()],
        Standing::Other => call.holdings().await?.ranges(),
    };
    let mut asked = match path {
        Some(path) => below(path.parse::<KeyId>().map_err(Failure::malformed)?.as_str()),
        None => everything(),
    };
    if let Some(cursor) = cursor {
        let last: Document = cursor.parse().map_err(Failure::malformed)?;
        let last = String::from_utf8(last.0)
            .map_err(|_| Failure::malformed("cursor is the previous page's `next`"))?;
        asked.from = asked.from.max(format!("{last}\0"));
    }
    Ok(visible.iter().filter_map(|range| common(range, &asked)).collect())
}

fn filter(query: &KeyQuery) -> Result<KeyFilter, Failure> {
    let label = query.label.as_ref().map(|label| label.split_once('=').ok_or_else(label_form));
    let label = label.transpose()?.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(KeyFilter { state: query.state.map(show::state_name), label })
}

fn label_form() -> Failure {
    Failure::malformed("label is written name=value")
}

async fn collect(
    rows: &mut Rows<'_, impl Reading>,
    ranges: &[KeyRange],
    filter: &KeyFilter,
    limit: u32,
) -> Result<Vec<ListedKey>, Failure> {
    let mut listed = Vec::new();
    for range in ranges {
        let left = limit - u32::try_from(listed.len()).unwrap_or(limit);
        if left == 0 {
            break;
        }
        listed.extend(rows.list_keys(range, filter, left).await?);
    }
    Ok(listed)
}

/// A key with all its versions. With `If-None-Match` and `wait`, the answer waits for a change.
#[utoipa::path(get, path = path::KEY,
    params(("account" = Id, Path), ("key" = String, Path), KeyWait, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Key, headers(("ETag" = String))), (status = 304),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(
    call: Call,
    KeyName(key): KeyName,
    Query(query): Query<KeyWait>,
    headers: HeaderMap,
) -> Result<Answer, Failure> {
    may_see(&call, &key).await?;
    let mut poll = Poll::new(&call, &headers, query.wait, Topic::Name(key.to_string()));
    loop {
        if let Some(answer) = poll.take(&call, read(&call, &key).await?).await {
            return Ok(answer);
        }
    }
}

pub(super) async fn may_see(call: &Call, key: &KeyId) -> Result<(), Failure> {
    match call.standing() {
        Standing::Owner | Standing::Member(_) => Ok(()),
        Standing::Other => call.holdings().await?.check_sees(key),
    }
}

async fn read(call: &Call, key: &KeyId) -> Result<Answer, Failure> {
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let row = rows.key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    let shown = show::key(key, &row, &rows.versions(key).await?)?;
    Ok(Answer::json(&shown).tagged(tag(row.revision)))
}

/// Sets and removes labels of a key.
#[utoipa::path(patch, path = path::KEY,
    params(("account" = Id, Path), ("key" = String, Path), ("If-Match" = String, Header)), request_body = KeyPatch,
    responses((status = 200, body = Key, headers(("ETag" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn label(
    call: Call,
    KeyName(key): KeyName,
    headers: HeaderMap,
    body: Json<KeyPatch>,
) -> Result<Answer, Failure> {
    let expected = if_match(&headers)?;
    let mut unit = call.begin().await?;
    let outcome = change(&call, &mut unit, &key, expected, &body.body).await;
    call.finish(unit, crate::call::refused(Refused::Create), outcome).await
}

async fn change(
    call: &Call,
    unit: &mut Unit,
    key: &KeyId,
    expected: &str,
    patch: &KeyPatch,
) -> Result<Answer, Failure> {
    let granted = granted(call, key).await?;
    let row = unit.rows().key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    allowed(call, unit, key, granted, &row.labels).await?;
    let current = tag(row.revision);
    if expected != "*" && expected != current {
        return Err(Failure::PreconditionFailed(current));
    }
    let mut labels = row.labels;
    for (name, value) in &patch.labels {
        match value {
            Some(value) => labels.insert(name.clone(), value.clone()),
            None => labels.remove(name),
        };
        store(unit, key, name, value.as_deref()).await?;
    }
    check_labels(&labels)?;
    unit.rows().refresh_key(key).await?;
    unit.record(Event::LabelsChanged { key: key.clone(), revision: row.revision + 1 }).await?;
    let shown = show::key(
        key,
        &unit.rows().key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?,
        &unit.rows().versions(key).await?,
    )?;
    Ok(Answer::json(&shown).tagged(tag(row.revision + 1)))
}

/// The grant by which the caller changes a key's metadata; the owner needs none.
async fn granted(call: &Call, key: &KeyId) -> Result<Option<u64>, Failure> {
    if call.standing() == Standing::Owner {
        return Ok(None);
    }
    let create: Operations = [Operation::Create].into_iter().collect();
    Ok(Some(call.holdings().await?.covering(key, create)?.grant().id))
}

async fn allowed(
    call: &Call,
    unit: &mut Unit,
    key: &KeyId,
    granted: Option<u64>,
    labels: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let Some(grant) = granted else { return Ok(()) };
    let versions = unit.rows().versions(key).await?;
    let newest = versions.first().ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    let (holder, time) = (call.holder.thumbprint(), call.now()?.time());
    let circumstances = Circumstances { holder, time, grant, on_behalf_of: None };
    let facts = facts(key, newest, labels)?;
    Ok(call.service.policies.check_key(call.id(), Action::Label, &facts, &circumstances)?)
}

async fn store(unit: &mut Unit, key: &KeyId, name: &str, value: Option<&str>) -> Result<(), Failure> {
    match value {
        Some(value) => Ok(unit.rows().put_label(key, name, value).await?),
        None => Ok(unit.rows().remove_label(key, name).await?),
    }
}

/// Refuses too many labels, and such as are too long.
pub(super) fn check_labels(labels: &Labels) -> Result<(), Failure> {
    let fits = |(name, value): (&String, &String)| {
        (1..=63).contains(&name.len()) && !name.contains('=') && value.len() <= 255
    };
    if labels.len() <= 32 && labels.iter().all(fits) {
        return Ok(());
    }
    Err(Failure::malformed(
        "a key has at most 32 labels, names of 1 to 63 bytes without '=', values of at most 255",
    ))
}
