//! Keys that HSMs make: what a job to make one does to the account's keys, and handing in the wrapped key.

use super::{grants, keys::check_labels};
use crate::{
    account::decode,
    answer::Answer,
    call::Call,
    failure::Failure,
    policy::{Action, Circumstances, KeyFacts},
    show,
    unit::Unit,
};
use symbolon_audit::{Event, Hash};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::{
    api::{JobPost, Labels},
    jobs::{Request, Subject, Submission},
};
use symbolon_store::access::{NewKey, NewVersion, VersionRow, VersionStatus};
use symbolon_trust::{
    Grant, Job, KeyAlgorithm, Operation, Signed, VerifiedGrant, VerifiedWrappedKey, WrappedKey, hash,
};

/// Notes the key, or the version, that a job asks for; it can be used once its wrapped key was handed in.
pub(super) async fn ask(
    call: &Call,
    unit: &mut Unit,
    submission: &Submission,
    post: &JobPost,
) -> Result<(), Failure> {
    let request = &submission.request;
    let Subject::New(algorithm) = request.subject else {
        return Err(Failure::malformed("a job that makes a key says which kind, and names none"));
    };
    let grant = VerifiedGrant::verify(&submission.grant, unit.account.root(), call.now()?)?;
    check_granted(call, grant.grant(), request)?;
    grants::check_newest(unit, grant.grant()).await?;
    let versions = unit.rows().versions(&request.key).await?;
    let labels = if versions.is_empty() {
        post.labels.clone()
    } else {
        unit.rows().key(&request.key).await?.map(|row| row.labels).unwrap_or_default()
    };
    policy(call, request, algorithm, grant.grant().id, &labels)?;
    let new = new_version(submission, algorithm);
    match versions.first() {
        None => first_version(unit, request, new, &post.labels).await?,
        Some(newest) => further_version(call, unit, request, new, newest, post).await?,
    }
    let (key, version) = (request.key.clone(), request.version);
    unit.record(Event::KeyRequested { key, version, request: Hash(*submission.id().as_bytes()) }).await
}

fn check_granted(call: &Call, grant: &Grant, request: &Request) -> Result<(), Failure> {
    let symbolon_trust::Principal::Holder(holder) = grant.principal;
    if holder == call.holder.thumbprint() && grant.covers(&request.key, Operation::Create) {
        return Ok(());
    }
    let create = [Operation::Create].into_iter().collect();
    Err(Failure::not_granted(call.holder.thumbprint(), &request.key, create))
}

fn policy(
    call: &Call,
    request: &Request,
    algorithm: KeyAlgorithm,
    grant: u64,
    labels: &Labels,
) -> Result<(), Failure> {
    let facts = KeyFacts {
        key: &request.key,
        version: request.version,
        purpose: show::hsm_purpose_name(algorithm),
        kind: show::kind_name(false),
        customer_fragment: false,
        labels,
    };
    let (holder, time) = (call.holder.thumbprint(), call.now()?.time());
    let circumstances = Circumstances { holder, time, grant, on_behalf_of: None };
    Ok(call.service.policies.check_key(call.id(), Action::Create, &facts, &circumstances)?)
}

async fn first_version(
    unit: &mut Unit,
    request: &Request,
    new: NewVersion,
    labels: &Labels,
) -> Result<(), Failure> {
    check_labels(labels)?;
    if request.version != 1 {
        return Err(Failure::malformed("a new key begins with version 1"));
    }
    if unit.rows().link(&request.key).await?.is_some() {
        return Err(Failure::KeyExists(request.key.clone()));
    }
    let disabled = unit.account.disables(&request.key);
    let new = NewKey { key: request.key.clone(), version: new, labels: labels.clone(), disabled };
    Ok(unit.rows().put_key(&new).await?)
}

/// A next version in the same store; or the newest one anew, if its holder asked before and it never came about.
async fn further_version(
    call: &Call,
    unit: &mut Unit,
    request: &Request,
    new: NewVersion,
    newest: &VersionRow,
    post: &JobPost,
) -> Result<(), Failure> {
    let same = newest.version.store.as_deref() == Some(request.store.as_str())
        && newest.version.purpose == new.purpose;
    if !same {
        return Err(Failure::KeyExists(request.key.clone()));
    }
    if request.version == newest.version.version {
        let earlier: Signed<Job> = decode(&newest.version.request)?;
        let own = earlier.signature_of(call.holder.key()).is_some();
        let unfinished = newest.status == VersionStatus::Pending && newest.certificate.is_none();
        if !own || !unfinished {
            return Err(Failure::KeyExists(request.key.clone()));
        }
        return Ok(unit.rows().replace_request(&request.key, &new).await?);
    }
    let due = newest.version.version + 1;
    if request.version != due {
        return Err(Failure::Superseded(format!("the next version of {} is {due}", request.key)));
    }
    if !post.labels.is_empty() {
        return Err(Failure::malformed("labels are a key's, not a version's"));
    }
    Ok(unit.rows().put_version(&request.key, &new).await?)
}

fn new_version(submission: &Submission, algorithm: KeyAlgorithm) -> NewVersion {
    let request = &submission.request;
    NewVersion {
        version: request.version,
        store: Some(request.store.to_string()),
        set: None,
        suite: algorithm.number(),
        shared: false,
        purpose: show::hsm_purpose(algorithm),
        customer_fragment: false,
        t: 0,
        members: Vec::new(),
        created: crate::clock::wall().0,
        request: to_canonical(&submission.job),
        request_hash: *submission.id().as_bytes(),
    }
}

/// Takes the wrapped key of a version that a job asked for.
pub(super) async fn hand_in(
    unit: &mut Unit,
    key: &KeyId,
    row: &VersionRow,
    document: &[u8],
) -> Result<Answer, Failure> {
    let signed: Signed<WrappedKey> = decode(document)?;
    let verified = VerifiedWrappedKey::verify(signed, unit.account.root())?;
    let wrapped = verified.key();
    check_wrapped(wrapped, key, row)?;
    if row.certificate.is_some() {
        return Ok(Answer::empty());
    }
    let version = wrapped.version;
    unit.rows().put_certificate(key, version, &to_canonical(verified.signed()), false).await?;
    let event = Event::KeyCertified { key: key.clone(), version, certificate: Hash(hash(wrapped)) };
    unit.record(event).await?;
    Ok(Answer::empty())
}

/// What the driver made has to be what the holder asked for.
fn check_wrapped(wrapped: &WrappedKey, key: &KeyId, row: &VersionRow) -> Result<(), Failure> {
    let asked = &row.version;
    let facts = [
        ("the key", wrapped.key == *key),
        ("the version", wrapped.version == asked.version),
        ("the key store", asked.store.as_deref() == Some(wrapped.store.as_str())),
        ("the algorithm", wrapped.algorithm.number() == asked.suite),
        ("the job", wrapped.request == asked.request_hash),
    ];
    match facts.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(Failure::OtherCertificate(what)),
        None => Ok(()),
    }
}
