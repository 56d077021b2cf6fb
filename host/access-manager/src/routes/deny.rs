//! The deny document, and what it does to keys.

use crate::{
    account::decode,
    answer::{Answer, tag},
    call::{Call, Json, Query, refused},
    failure::Failure,
    poll::Poll,
    unit::Unit,
    wake::Topic,
};
use axum::http::HeaderMap;
use std::collections::BTreeSet;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{Id, KeyWait, Problem, SignedDocument, path};
use symbolon_trust::{DenyDocument, Signed, hash};

/// The deny document; its entity tag is its version. With `If-None-Match` and `wait`, the answer waits for a newer one:
/// so whoever keeps keys on a lease learns at once that they are off. `"0"` waits for the first.
#[utoipa::path(get, path = path::DENY,
    params(("account" = Id, Path), KeyWait, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = SignedDocument, headers(("ETag" = String))), (status = 304),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(
    call: Call,
    Query(query): Query<KeyWait>,
    headers: HeaderMap,
) -> Result<Answer, Failure> {
    call.party().await?;
    let mut poll = Poll::new(&call, &headers, query.wait, Topic::Documents);
    loop {
        if let Some(answer) = poll.take(&call, newest(&call, &headers).await?).await {
            return Ok(answer);
        }
    }
}

async fn newest(call: &Call, headers: &HeaderMap) -> Result<Answer, Failure> {
    let mut read = call.service.store.read().await?;
    let account = call.service.account(&mut read, call.id()).await?;
    let Some(deny) = account.documents.deny() else {
        let none = Answer::empty().tagged(tag(0)).unless_known(headers);
        let unknown = Failure::NotFound("nothing was denied in this account so far");
        return if none.status() == 304 { Ok(none) } else { Err(unknown) };
    };
    let document = to_canonical(deny.signed()).into();
    Ok(Answer::json(&SignedDocument { document }).tagged(tag(deny.document().version)))
}

/// Installs a deny document; it takes away at once.
#[utoipa::path(put, path = path::DENY, params(("account" = Id, Path)), request_body = SignedDocument,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(call: Call, body: Json<SignedDocument>) -> Result<Answer, Failure> {
    let mut unit = call.begin().await?;
    let outcome = install(&mut unit, &body.body.document.0).await;
    call.finish(unit, refused(Refused::Deny), outcome).await
}

async fn install(unit: &mut Unit, document: &[u8]) -> Result<Answer, Failure> {
    let signed: Signed<DenyDocument> = decode(document)?;
    if unit.account.documents.with_deny(signed.clone())?.is_none() {
        return Ok(Answer::empty());
    }
    let version = signed.body().version;
    unit.rows().put_deny(version, &to_canonical(&signed), crate::clock::wall().0).await?;
    unit.reload().await?;
    unit.record(Event::DenyInstalled { version, hash: Hash(hash(signed.body())) }).await?;
    mark_keys(unit).await?;
    Ok(Answer::empty())
}

/// Brings the stored states of keys in line with what the account denies now.
pub(super) async fn mark_keys(unit: &mut Unit) -> Result<(), Failure> {
    let listed = unit.account.documents.deny().into_iter().flat_map(|deny| &deny.document().keys);
    let listed = listed.map(|disabled| disabled.key.clone());
    let denied: BTreeSet<KeyId> = listed.filter(|key| unit.account.disables(key)).collect();
    let marked = unit.rows().disabled_keys().await?;
    let marked = marked.iter().map(|key| key.parse()).collect::<Result<BTreeSet<KeyId>, _>>();
    let marked = marked.map_err(Failure::internal)?;
    for key in denied.symmetric_difference(&marked) {
        unit.rows().put_disabled(key, denied.contains(key)).await?;
    }
    Ok(())
}
