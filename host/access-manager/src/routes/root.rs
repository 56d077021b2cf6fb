//! Root documents.

use crate::{
    account::decode,
    answer::Answer,
    call::{Call, Json, Query, refused},
    failure::Failure,
    unit::Unit,
};
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_protocol::api::{Id, Problem, SignedDocument, VersionQuery, path};
use symbolon_trust::{RootDocument, Signed, hash};

/// A root document.
#[utoipa::path(get, path = path::ROOT, params(("account" = Id, Path), VersionQuery),
    responses((status = 200, body = SignedDocument), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(call: Call, Query(query): Query<VersionQuery>) -> Result<Answer, Failure> {
    let chain = call.account.root().chain();
    let version = query.version.unwrap_or(chain.len() as u64);
    let place = usize::try_from(version).ok().and_then(|version| version.checked_sub(1));
    let signed =
        place.and_then(|place| chain.get(place)).ok_or(Failure::NotFound("there is no such version yet"))?;
    Ok(Answer::json(&SignedDocument { document: to_canonical(signed).into() }))
}

/// Installs a successor of the root document, signed by the role `root` of both.
#[utoipa::path(put, path = path::ROOT, params(("account" = Id, Path)), request_body = SignedDocument,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put(call: Call, body: Json<SignedDocument>) -> Result<Answer, Failure> {
    let mut unit = call.begin().await?;
    let outcome = install(&mut unit, &body.body.document.0).await;
    call.finish(unit, refused(Refused::Root), outcome).await
}

async fn install(unit: &mut Unit, document: &[u8]) -> Result<Answer, Failure> {
    let signed: Signed<RootDocument> = decode(document)?;
    let root = unit.account.root();
    if root.chain().iter().any(|held| held.body() == signed.body()) {
        return Ok(Answer::empty());
    }
    let (version, held) = (signed.body().version, root.document().version);
    if version <= held {
        return Err(Failure::Superseded(format!(
            "version {held} of the root document is held, not {version}"
        )));
    }
    let next = root.succeed(signed)?;
    unit.rows().put_root(version, &to_canonical(next.signed()), crate::clock::wall().0).await?;
    unit.reload().await?;
    unit.record(Event::RootInstalled { version, hash: Hash(hash(next.document())) }).await?;
    Ok(Answer::empty())
}
