//! The ceremony log: roster members read it and append to it.

use super::limit;
use crate::{
    account::Standing,
    answer::Answer,
    call::{Call, Json, Query, refused},
    ceremony,
    failure::Failure,
    unit::Unit,
    wake::{LONGEST_WAIT, Topic},
};
use std::time::Duration;
use symbolon_audit::Refused;
use symbolon_fragments::names::Index;
use symbolon_protocol::{
    api::{Id, LogEntry, LogHead, LogPage, LogPost, LogQuery, Problem, path},
    ceremony::{Author, MAX_MESSAGE_BYTES, Message},
};
use symbolon_store::access::{LogRow, LogTail, Rows};
use tokio::time::Instant;

/// Bytes of messages in a page, so that it stays well below what clients read of an answer.
const PAGE: u64 = 2 << 20;

/// Bytes of a post: four of the longest messages as base64.
const POST: usize = 6 << 20;

/// Entries behind a place, in order; where there are none yet, waits for one.
#[utoipa::path(get, path = path::CEREMONY_LOG, params(("account" = Id, Path), LogQuery),
    responses((status = 200, body = LogPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn read(call: Call, Query(query): Query<LogQuery>) -> Result<Answer, Failure> {
    member(&call)?;
    let limit = limit(query.limit)?;
    let until = Instant::now() + Duration::from_secs(query.wait).min(LONGEST_WAIT);
    let mut watch = call.service.wake.watch(call.id(), Topic::CeremonyLog);
    loop {
        let page = page(&call, query.after, limit).await?;
        let left = until.saturating_duration_since(Instant::now());
        if !page.entries.is_empty() || left.is_zero() || !watch.changed(left, &call.service.stop).await {
            return Ok(Answer::json(&page));
        }
    }
}

fn member(call: &Call) -> Result<Index, Failure> {
    match call.standing() {
        Standing::Member(index) => Ok(index),
        Standing::Owner | Standing::Other => Err(Failure::Only("a member of the roster")),
    }
}

async fn page(call: &Call, after: u64, limit: u32) -> Result<LogPage, Failure> {
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let entries = rows.log(after, limit, PAGE).await?.into_iter().map(entry).collect();
    Ok(LogPage { entries, head: head(rows.log_tail().await?) })
}

fn entry(row: LogRow) -> LogEntry {
    LogEntry { sequence: row.sequence, hash: Id(row.hash), message: row.message.into() }
}

fn head(tail: LogTail) -> LogHead {
    LogHead { sequence: tail.sequence, hash: Id(tail.hash) }
}

/// Appends messages of the caller, all or none.
#[utoipa::path(post, path = path::CEREMONY_LOG, params(("account" = Id, Path)), request_body = LogPost,
    responses((status = 200, body = LogHead), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(call: Call, body: Json<LogPost, POST>) -> Result<Answer, Failure> {
    let index = member(&call)?;
    let messages: Vec<Vec<u8>> = body.body.messages.into_iter().map(|message| message.0).collect();
    messages.iter().try_for_each(|message| check(message, index))?;
    let observed = ceremony::observe(&call.account, &messages).await?;
    let mut unit = call.begin().await?;
    let outcome = append(&mut unit, messages, observed).await;
    call.finish(unit, refused(Refused::Ceremony), outcome).await
}

/// Nobody posts in another's name; that the signatures are right is the members' to check.
fn check(message: &[u8], caller: Index) -> Result<(), Failure> {
    if message.len() > MAX_MESSAGE_BYTES {
        return Err(Failure::TooLarge(MAX_MESSAGE_BYTES));
    }
    match Message::from_bytes(message).map_err(|_| Failure::Encoding)?.author() {
        Author::Member(author) if author != caller => Err(Failure::Only("the message's author")),
        Author::Member(_) | Author::Anybody => Ok(()),
    }
}

async fn append(
    unit: &mut Unit,
    messages: Vec<Vec<u8>>,
    observed: Vec<ceremony::Observed>,
) -> Result<Answer, Failure> {
    for message in messages {
        ceremony::append(unit, message).await?;
    }
    ceremony::store(unit, observed).await?;
    Ok(Answer::json(&head(unit.rows().log_tail().await?)))
}
