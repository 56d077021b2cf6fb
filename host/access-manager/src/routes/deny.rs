//! The deny document, and what it does to keys.

use crate::{
    account::decode,
    answer::Answer,
    call::{Call, Json, refused},
    failure::Failure,
    unit::Unit,
};
use std::collections::BTreeSet;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{Id, Problem, SignedDocument, path};
use symbolon_trust::{VerifiedDeny, hash};

/// The deny document.
#[utoipa::path(get, path = path::DENY, params(("account" = Id, Path)),
    responses((status = 200, body = SignedDocument), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(call: Call) -> Result<Answer, Failure> {
    call.party().await?;
    let deny =
        call.account.deny.as_ref().ok_or(Failure::NotFound("nothing was denied in this account so far"))?;
    Ok(Answer::json(&SignedDocument { document: to_canonical(deny.signed()).into() }))
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
    let deny = VerifiedDeny::verify(decode(document)?, &unit.account.root)?;
    if let Some(held) = &unit.account.deny {
        deny.check_succession(held)?;
        if deny.document() == held.document() {
            return Ok(Answer::empty());
        }
    }
    let version = deny.document().version;
    unit.rows().put_deny(version, &to_canonical(deny.signed()), crate::clock::wall().0).await?;
    unit.reload().await?;
    unit.record(Event::DenyInstalled { version, hash: Hash(hash(deny.document())) }).await?;
    mark_keys(unit).await?;
    Ok(Answer::empty())
}

/// Brings the stored states of keys in line with what the account denies now.
pub(super) async fn mark_keys(unit: &mut Unit) -> Result<(), Failure> {
    let listed =
        unit.account.deny.iter().flat_map(|deny| &deny.document().keys).map(|disabled| disabled.key.clone());
    let denied: BTreeSet<KeyId> = listed.filter(|key| unit.account.disables(key)).collect();
    let marked = unit.rows().disabled_keys().await?;
    let marked = marked.iter().map(|key| key.parse()).collect::<Result<BTreeSet<KeyId>, _>>();
    let marked = marked.map_err(Failure::internal)?;
    for key in denied.symmetric_difference(&marked) {
        unit.rows().put_disabled(key, denied.contains(key)).await?;
    }
    Ok(())
}
