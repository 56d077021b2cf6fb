//! The Merkle log: reading it, proving it, and the managers' cosignatures.

use super::limit;
use crate::{
    account::{Account, Standing, decode},
    answer::Answer,
    call::{Call, Json, Query, refused},
    failure::Failure,
    journal,
    policy::Action,
    unit::Unit,
};
use symbolon_audit::{EvaluationHead, Event, Line, ProofRequest, Refused, VerifiedCheckpoint};
use symbolon_fragments::names::Index;
use symbolon_protocol::api::{
    Checkpoint, Cosignature, EntryPage, EntryQuery, Id, InclusionProof, Problem, ProofQuery, path,
};
use symbolon_store::{
    Reading,
    access::{CheckpointRow, Rows},
};
use symbolon_trust::{Operation, Signed, verify};

/// How long a checkpoint stays open, in seconds: long enough for all members to cosign the same one.
const OPEN: u64 = 10;

/// Refuses whoever is neither owner nor member nor granted to audit.
async fn auditor(call: &Call) -> Result<(), Failure> {
    match call.standing() {
        Standing::Owner | Standing::Member(_) => Ok(()),
        Standing::Other => {
            call.holdings().await?.anywhere(Operation::Audit)?;
            call.allowed(Action::Audit)
        }
    }
}

/// Entries, in order.
#[utoipa::path(get, path = path::AUDIT_ENTRIES, params(("account" = Id, Path), EntryQuery),
    responses((status = 200, body = EntryPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn entries(call: Call, Query(query): Query<EntryQuery>) -> Result<Answer, Failure> {
    auditor(&call).await?;
    let mut read = call.service.store.read().await?;
    let page = Rows::of(&mut read, &call.id()).leaf_page(query.first, limit(query.limit)?).await?;
    let entries = page.entries.into_iter().map(Into::into).collect();
    Ok(Answer::json(&EntryPage { first: query.first, entries, size: page.size }))
}

/// Checkpoints: one of this moment, the one to cosign, the one that is cosigned best.
#[utoipa::path(get, path = path::AUDIT_CHECKPOINT, params(("account" = Id, Path)),
    responses((status = 200, body = Checkpoint), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn checkpoint(call: Call) -> Result<Answer, Failure> {
    auditor(&call).await?;
    let open = match call.standing() {
        Standing::Member(_) => Some(open_checkpoint(&call).await?),
        Standing::Owner | Standing::Other => None,
    };
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    let (_, note) = journal::checkpoint(&call.service, &mut rows, call.id()).await?;
    let cosigned = cosigned(&mut rows, &call.account).await?;
    Ok(Answer::json(&Checkpoint { note: note.to_string(), open, cosigned }))
}

/// The checkpoint that members are asked to cosign: a new one, if the last is old and the log has grown.
async fn open_checkpoint(call: &Call) -> Result<String, Failure> {
    let mut unit = call.begin().await?;
    let held = unit.rows().open_checkpoint().await?;
    let made = crate::clock::wall().0;
    if let Some(held) = held.filter(|held| held.size == unit.entries() || made < held.made + OPEN) {
        return Ok(held.note);
    }
    let (size, note) = journal::checkpoint(&call.service, &mut unit.rows(), call.id()).await?;
    let row = CheckpointRow { size, note: note.to_string(), made };
    unit.rows().put_checkpoint(&row).await?;
    unit.commit().await?;
    Ok(row.note)
}

async fn cosigned(rows: &mut Rows<'_, impl Reading>, account: &Account) -> Result<Option<String>, Failure> {
    let Some(row) = rows.cosigned_checkpoint().await? else { return Ok(None) };
    let mut checkpoint =
        VerifiedCheckpoint::verify(&row.note, account.root()).map_err(Failure::internal)?.note().clone();
    for line in rows.cosignatures(row.size).await? {
        checkpoint.add(line.parse().map_err(Failure::internal)?);
    }
    Ok(Some(checkpoint.to_string()))
}

/// A proof of inclusion (`leaf`) or of consistency (`from`) in the tree of a size.
#[utoipa::path(get, path = path::AUDIT_PROOF, params(("account" = Id, Path), ProofQuery),
    responses((status = 200, body = InclusionProof), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn proof(call: Call, Query(query): Query<ProofQuery>) -> Result<Answer, Failure> {
    auditor(&call).await?;
    let request = match (query.leaf, query.from) {
        (Some(leaf), None) if leaf < query.size => ProofRequest::inclusion(leaf, query.size),
        (None, Some(from)) if from <= query.size => ProofRequest::consistency(from, query.size),
        _ => return Err(Failure::malformed("name either leaf, below size, or from, at most size")),
    };
    let mut read = call.service.store.read().await?;
    let mut rows = Rows::of(&mut read, &call.id());
    if query.size > rows.leaves().await? {
        return Err(Failure::NotFound("the log is not as long as that"));
    }
    let hashes = journal::prove(&mut rows, &request).await?.into_iter().map(|hash| Id(hash.0)).collect();
    Ok(Answer::json(&InclusionProof { hashes }))
}

/// Takes a manager's cosignature on an open checkpoint, and how far its own log has come.
#[utoipa::path(post, path = path::AUDIT_COSIGNATURES, params(("account" = Id, Path)), request_body = Cosignature,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn cosign(call: Call, body: Json<Cosignature>) -> Result<Answer, Failure> {
    let Standing::Member(index) = call.standing() else {
        return Err(Failure::Only("a member of the roster"));
    };
    let mut unit = call.begin().await?;
    let outcome = take(&mut unit, index, &body.body).await;
    call.finish(unit, refused(Refused::Ceremony), outcome).await
}

async fn take(unit: &mut Unit, index: Index, body: &Cosignature) -> Result<Answer, Failure> {
    let row = unit.rows().checkpoint(body.size).await?;
    let row =
        row.ok_or(Failure::NotFound("no checkpoint of that size is open; read the checkpoint again"))?;
    let mut checkpoint = VerifiedCheckpoint::verify(&row.note, unit.account.root())?;
    let line: Line = body.line.parse()?;
    checkpoint.add_cosignature(unit.account.root(), index, line.clone())?;
    unit.rows().put_cosignature(body.size, index, line.to_string().trim_end()).await?;
    if let Some(head) = &body.head {
        let head: Signed<EvaluationHead> = decode(&head.0)?;
        take_head(unit, index, &head).await?;
    }
    Ok(Answer::empty())
}

async fn take_head(unit: &mut Unit, index: Index, signed: &Signed<EvaluationHead>) -> Result<(), Failure> {
    let head = signed.body();
    let member = unit.account.root().member(index).map_err(Failure::internal)?;
    let signature = signed.signature_of(&member.key).ok_or(Failure::Only("the member whose log it is"))?;
    verify(&member.key, head, signature)?;
    if (head.account, head.index) != (unit.account.id(), index) {
        return Err(Failure::Only("the member whose log it is"));
    }
    let (records, hash) = (head.records, head.hash);
    match unit.rows().evaluation_head(index).await? {
        Some(known) if known == (records, hash.0) => return Ok(()),
        Some((known, _)) if records <= known => {
            return Err(Failure::Superseded(format!(
                "{known} records of your evaluation log were seen already"
            )));
        }
        _ => {}
    }
    unit.rows().put_evaluation_head(index, records, &hash.0).await?;
    unit.record(Event::EvaluationHead { index, records, hash }).await
}
