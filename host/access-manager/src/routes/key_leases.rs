//! Leases on keys of key chains: who may have a key unwrapped, and who has let go of it. Every lease follows from a permit
//! that was issued here; what a process says about itself is signed by its holder.

use crate::{
    account::{Standing, decode},
    answer::Answer,
    call::{Call, Json, KeyName, Query, refused},
    failure::Failure,
    poll::Poll,
    unit::Unit,
    wake::Topic,
};
use axum::http::HeaderMap;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{Id, KeyLease, KeyLeases, KeyWait, Problem, SignedDocument, path};
use symbolon_store::{
    Reading,
    access::{LeaseRow, Rows},
};
use symbolon_trust::{Acknowledgement, VerifiedAcknowledgement, VerifiedDeny, hash};

/// Processes that may have a key below this key, tenant or system on a lease; leases that have ended are gone. With
/// `If-None-Match` and `wait`, the answer waits for another acknowledgement.
#[utoipa::path(get, path = path::KEY_LEASES,
    params(("account" = Id, Path), ("key" = String, Path), KeyWait, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = KeyLeases, headers(("ETag" = String))), (status = 304),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    call: Call,
    KeyName(key): KeyName,
    Query(query): Query<KeyWait>,
    headers: HeaderMap,
) -> Result<Answer, Failure> {
    if call.standing() != Standing::Owner {
        return Err(Failure::Only("the owner"));
    }
    let mut poll = Poll::new(&call, &headers, query.wait, Topic::Acknowledgements);
    loop {
        if let Some(answer) = poll.take(&call, leases(&call, &key).await?).await {
            return Ok(answer);
        }
    }
}

async fn leases(call: &Call, key: &KeyId) -> Result<Answer, Failure> {
    let now = call.now()?.time();
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let root = root_of(&mut rows, key).await?;
    let leases = rows.leases(&root, now.0).await?.into_iter().map(shown).collect();
    Ok(Answer::json(&KeyLeases { leases }).tagged_by_content())
}

/// The root key above: leases are known by the permits that it takes.
async fn root_of(rows: &mut Rows<'_, impl Reading>, key: &KeyId) -> Result<KeyId, Failure> {
    let mut root = key.clone();
    while let Some(link) = rows.link(&root).await? {
        root = link.above;
    }
    match rows.key(&root).await? {
        Some(_) => Ok(root),
        None => Err(Failure::UnknownKey(root)),
    }
}

fn shown(row: LeaseRow) -> KeyLease {
    KeyLease {
        holder: Id(*row.holder.as_bytes()),
        process: row.process.map(Id),
        until: row.until,
        acknowledgement: row.acknowledgement.map(Into::into),
    }
}

/// Takes a process's word that it let go of all that the newest deny document takes away.
#[utoipa::path(post, path = path::DENY_ACKNOWLEDGEMENTS, params(("account" = Id, Path)), request_body = SignedDocument,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn acknowledge(call: Call, body: Json<SignedDocument>) -> Result<Answer, Failure> {
    let mut unit = call.begin().await?;
    let outcome = note(&call, &mut unit, &body.body.document.0).await;
    call.finish(unit, refused(Refused::Deny), outcome).await
}

/// Notes it where the process has a lease. Of anybody else nothing is kept.
async fn note(call: &Call, unit: &mut Unit, document: &[u8]) -> Result<Answer, Failure> {
    let signed = decode::<Acknowledgement>(document)?;
    let (holder, said) = (call.holder.thumbprint(), signed.body());
    let newest = unit.account.documents.deny().map(VerifiedDeny::document);
    let newest = newest.ok_or(Failure::NotFound("nothing was denied in this account so far"))?;
    if said.version < newest.version {
        return Err(Failure::Superseded(format!("deny document {} is held", newest.version)));
    }
    VerifiedAcknowledgement::verify(&signed, holder, said.process, newest)?;
    if unit.rows().put_acknowledgement(holder, &said.process, document).await? {
        let (version, process) = (said.version, Hash(said.process));
        unit.record(Event::Acknowledged { version, process, hash: Hash(hash(said)) }).await?;
        unit.tell(Topic::Acknowledgements);
    }
    Ok(Answer::empty())
}
