//! Creating keys and versions, and handing in their certificates.

use super::{grants, hsm_keys, keys::check_labels};
use crate::{
    account::decode,
    answer::{Answer, tag},
    call::{Call, Json, KeyName, Number, refused},
    ceremony,
    failure::Failure,
    policy::{Action, Circumstances, KeyFacts},
    show,
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::{
    api::{CreateKey, Id, Key, Labels, Problem, SignedDocument, path},
    ceremony::Creation,
};
use symbolon_store::access::{NewKey, NewVersion, VersionRow, VersionStatus};
use symbolon_trust::{
    CreateRequest, KeyCertificate, KeyKind, Signed, VerifiedCreate, VerifiedGrant, VerifiedKeyCertificate,
    hash,
};

/// Asks for a key. A dedicated one starts a ceremony: wait for the set, then let each member certify the key.
#[utoipa::path(post, path = path::KEYS, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateKey,
    responses((status = 202, body = Key, headers(("ETag" = String), ("Location" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn key(call: Call, headers: HeaderMap, body: Json<CreateKey>) -> Result<Answer, Failure> {
    ask(&call, &headers, body, None).await
}

/// Asks for a further version of a key; earlier ones go on decrypting.
#[utoipa::path(post, path = path::VERSIONS,
    params(("account" = Id, Path), ("key" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CreateKey,
    responses((status = 202, body = Key, headers(("ETag" = String), ("Location" = String))),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn version(
    call: Call,
    KeyName(key): KeyName,
    headers: HeaderMap,
    body: Json<CreateKey>,
) -> Result<Answer, Failure> {
    ask(&call, &headers, body, Some(key)).await
}

async fn ask(
    call: &Call,
    headers: &HeaderMap,
    body: Json<CreateKey>,
    existing: Option<KeyId>,
) -> Result<Answer, Failure> {
    call.once(headers, body.request, Refused::Create, async |unit| {
        create(call, unit, &body.body, existing).await
    })
    .await
}

async fn create(
    call: &Call,
    unit: &mut Unit,
    body: &CreateKey,
    existing: Option<KeyId>,
) -> Result<Answer, Failure> {
    let creation = Creation { request: decode(&body.request.0)?, grant: decode(&body.grant.0)? };
    let verified = verify(call, unit, &creation)?;
    grants::check_newest(unit, creation.grant.body()).await?;
    let request = verified.request();
    let labels = match &existing {
        Some(_) => unit.rows().key(&request.key).await?.map(|row| row.labels).unwrap_or_default(),
        None => body.labels.clone(),
    };
    policy(call, &verified, creation.grant.body().id, &labels)?;
    if let Some(set) = &request.set
        && !unit.rows().has_set(set).await?
    {
        return Err(Failure::NotFound("there is no such fragment set"));
    }
    match existing {
        Some(key) => further_version(unit, body, &verified, &key).await?,
        None => first_version(unit, body, &verified).await?,
    }
    let (key, version) = (request.key.clone(), request.version);
    unit.record(Event::KeyRequested { key, version, request: Hash(verified.hash()) }).await?;
    if request.set.is_none() {
        ceremony::propose(unit, creation).await?;
    }
    shown(unit, &verified.request().key).await
}

/// The members check the very same: this is so that a refusal comes at once.
fn verify(call: &Call, unit: &Unit, creation: &Creation) -> Result<VerifiedCreate, Failure> {
    let (account, now) = (&unit.account, call.now()?);
    let grant = VerifiedGrant::verify(&creation.grant, account.root(), now)?;
    let verified =
        VerifiedCreate::verify(&creation.request, &grant, account.documents.denials(), account.root(), now)?;
    if verified.holder() == call.holder.thumbprint() {
        Ok(verified)
    } else {
        Err(Failure::Only("the holder who signed the request"))
    }
}

fn policy(call: &Call, verified: &VerifiedCreate, grant: u64, labels: &Labels) -> Result<(), Failure> {
    let request = verified.request();
    let facts = KeyFacts {
        key: &request.key,
        version: request.version,
        purpose: request.purpose.name(),
        kind: show::kind_name(request.kind == KeyKind::Shared),
        customer_fragment: request.customer_fragment,
        labels,
    };
    let (holder, time) = (verified.holder(), call.now()?.time());
    let circumstances = Circumstances { holder, time, grant, on_behalf_of: None };
    Ok(call.service.policies.check_key(call.id(), Action::Create, &facts, &circumstances)?)
}

async fn first_version(unit: &mut Unit, body: &CreateKey, verified: &VerifiedCreate) -> Result<(), Failure> {
    let request = verified.request();
    check_labels(&body.labels)?;
    if request.version != 1 {
        return Err(Failure::malformed("a new key begins with version 1"));
    }
    if unit.rows().link(&request.key).await?.is_some() {
        return Err(Failure::KeyExists(request.key.clone()));
    }
    if let Some(newest) = unit.rows().versions(&request.key).await?.first() {
        return ask_anew(unit, body, verified, newest).await;
    }
    let new = NewKey {
        key: request.key.clone(),
        version: new_version(body, verified),
        labels: body.labels.clone(),
        disabled: unit.account.disables(&request.key),
    };
    Ok(unit.rows().put_key(&new).await?)
}

async fn further_version(
    unit: &mut Unit,
    body: &CreateKey,
    verified: &VerifiedCreate,
    key: &KeyId,
) -> Result<(), Failure> {
    let request = verified.request();
    if request.key != *key || !body.labels.is_empty() {
        return Err(Failure::malformed(
            "the request has to be about the key in the path, and labels are a key's, not a version's",
        ));
    }
    let versions = unit.rows().versions(key).await?;
    let newest = versions.first().ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    if newest.version.store.is_some() {
        return Err(Failure::malformed("the key is in an HSM: its versions are made there, by jobs"));
    }
    if request.purpose.number() != newest.version.purpose {
        return Err(Failure::malformed("a key has one purpose in all its versions"));
    }
    if request.version == newest.version.version {
        return ask_anew(unit, body, verified, newest).await;
    }
    check_successor(request, newest)?;
    Ok(unit.rows().put_version(key, &new_version(body, verified)).await?)
}

fn check_successor(request: &CreateRequest, newest: &VersionRow) -> Result<(), Failure> {
    let due = newest.version.version + 1;
    if request.version != due {
        return Err(Failure::Superseded(format!("the next version of {} is {due}", request.key)));
    }
    Ok(())
}

/// A ceremony that makes a key is never retried: if a member died in it, the holder asks for the same version anew. Only
/// the last request counts, and none once the version has its certificate.
async fn ask_anew(
    unit: &mut Unit,
    body: &CreateKey,
    verified: &VerifiedCreate,
    newest: &VersionRow,
) -> Result<(), Failure> {
    let request = verified.request();
    if newest.version.store.is_some() {
        return Err(Failure::KeyExists(request.key.clone()));
    }
    let earlier: Signed<CreateRequest> = decode(&newest.version.request)?;
    let asked_by = earlier.signatures().iter().map(|(key, _)| key.thumbprint());
    let unfinished = newest.status == VersionStatus::Pending && newest.certificate.is_none();
    let same = newest.version.request_hash == verified.hash();
    if !unfinished || same || request.version != newest.version.version || !asked_by.eq([verified.holder()]) {
        return Err(Failure::KeyExists(request.key.clone()));
    }
    Ok(unit.rows().replace_request(&request.key, &new_version(body, verified)).await?)
}

fn new_version(body: &CreateKey, verified: &VerifiedCreate) -> NewVersion {
    let request = verified.request();
    NewVersion {
        version: request.version,
        store: None,
        set: request.set,
        suite: request.suite.number(),
        shared: request.kind == KeyKind::Shared,
        purpose: request.purpose.number(),
        customer_fragment: request.customer_fragment,
        t: request.t,
        members: request.members.clone(),
        created: request.issued.0,
        request: body.request.0.clone(),
        request_hash: verified.hash(),
    }
}

async fn shown(unit: &mut Unit, key: &KeyId) -> Result<Answer, Failure> {
    let location = path::key(&Id(*unit.account.id().as_bytes()), key.as_str());
    let row = unit.rows().key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    let shown = show::key(key, &row, &unit.rows().versions(key).await?)?;
    Ok(Answer::json(&shown).created(location).accepted().tagged(tag(row.revision)))
}

/// Hands in a key version's certificate, signed by all members, or its wrapped key, signed by a driver; the version can be used
/// from then on.
#[utoipa::path(put, path = path::CERTIFICATE,
    params(("account" = Id, Path), ("key" = String, Path), ("version" = u64, Path)), request_body = SignedDocument,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn certify(
    call: Call,
    KeyName(key): KeyName,
    Number(version): Number,
    body: Json<SignedDocument>,
) -> Result<Answer, Failure> {
    let mut unit = call.begin().await?;
    let outcome = hand_in(&mut unit, &key, version, &body.body.document.0).await;
    call.finish(unit, refused(Refused::Certificate), outcome).await
}

async fn hand_in(unit: &mut Unit, key: &KeyId, version: u64, document: &[u8]) -> Result<Answer, Failure> {
    let row = unit.rows().version(key, version).await?;
    let row = row.ok_or_else(|| Failure::UnknownVersion(key.clone(), version))?;
    if row.version.store.is_some() {
        return hsm_keys::hand_in(unit, key, &row, document).await;
    }
    let signed: Signed<KeyCertificate> = decode(document)?;
    let verified = VerifiedKeyCertificate::verify(signed, unit.account.root())?;
    let certificate = verified.certificate();
    check_certificate(certificate, key, &row)?;
    if row.certificate.is_some() {
        return Ok(Answer::empty());
    }
    unit.rows().put_set(&row.version.request_hash, &certificate.set).await?;
    unit.rows().put_certificate(key, version, &to_canonical(verified.signed()), certificate.imported).await?;
    let event = Event::KeyCertified { key: key.clone(), version, certificate: Hash(hash(certificate)) };
    unit.record(event).await?;
    Ok(Answer::empty())
}

/// What the members certified has to be what the holder asked for.
fn check_certificate(certificate: &KeyCertificate, key: &KeyId, row: &VersionRow) -> Result<(), Failure> {
    let asked = &row.version;
    let facts = [
        ("the key", certificate.key == *key),
        ("the version", certificate.version == asked.version),
        ("the set", asked.set.is_none_or(|set| set == certificate.set)),
        ("the suite", certificate.suite.number() == asked.suite),
        ("dedicated or shared", (certificate.kind == KeyKind::Shared) == asked.shared),
        ("the customer fragment", certificate.customer_fragment == asked.customer_fragment),
        ("the purpose", certificate.purpose.number() == asked.purpose),
        ("the time", certificate.created.0 == asked.created),
    ];
    match facts.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(Failure::OtherCertificate(what)),
        None => Ok(()),
    }
}
