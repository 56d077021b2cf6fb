//! Permits: grant, key state, operator's policy, then a signature for a minute; logged before it is handed out.

use crate::{
    answer::Answer,
    call::{Call, Json},
    failure::Failure,
    holdings::{Holding, Holdings},
    policy::{Action, Circumstances},
    show::facts,
    unit::Unit,
};
use symbolon_audit::Event;
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_protocol::api::{self, Id, PermitRequest, Problem, path};
use symbolon_store::access::{KeyRow, VersionRow, VersionStatus};
use symbolon_trust::{Now, Operation, Operations, PERMIT_LIFETIME, Permit, Seconds, Signed};

/// Longest name of whom a gateway acts for.
const LONGEST_NAME: usize = 255;

/// Issues a permit for one key version.
#[utoipa::path(post, path = path::PERMITS, params(("account" = Id, Path)), request_body = PermitRequest,
    responses((status = 200, body = api::Permit), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn issue(call: Call, body: Json<PermitRequest>) -> Result<Answer, Failure> {
    let key: KeyId = body.body.key.parse().map_err(Failure::malformed)?;
    let operations = operations(&body.body.operations)?;
    check_name(body.body.on_behalf_of.as_deref())?;
    let mut unit = call.begin().await?;
    let outcome = decide(&call, &mut unit, &key, operations, &body.body).await;
    call.finish(unit, |reason| Event::PermitRefused { key, operations, reason }, outcome).await
}

fn operations(asked: &[api::Operation]) -> Result<Operations, Failure> {
    let asked = asked.iter().map(|operation| match operation {
        api::Operation::Encrypt => Ok(Operation::Encrypt),
        api::Operation::Decrypt => Ok(Operation::Decrypt),
        api::Operation::Sign => Ok(Operation::Sign),
        api::Operation::Create | api::Operation::Audit => Err(no_such_permit()),
    });
    let operations: Operations = asked.collect::<Result<_, _>>()?;
    if operations.is_empty() { Err(no_such_permit()) } else { Ok(operations) }
}

fn no_such_permit() -> Failure {
    Failure::malformed("a permit is for some of encrypt, decrypt and sign")
}

fn check_name(name: Option<&str>) -> Result<(), Failure> {
    match name {
        Some(name) if name.is_empty() || name.len() > LONGEST_NAME => {
            Err(Failure::malformed("on_behalf_of has 1 to 255 bytes"))
        }
        _ => Ok(()),
    }
}

async fn decide(
    call: &Call,
    unit: &mut Unit,
    key: &KeyId,
    operations: Operations,
    asked: &PermitRequest,
) -> Result<Answer, Failure> {
    let (account, now) = (std::sync::Arc::clone(&unit.account), call.now()?);
    let permit_role = &account.root().document().roles.permit;
    if !permit_role.keys.contains(&call.service.permit_key.public()) {
        return Err(Failure::NoPermitRole);
    }
    let holder = call.holder.thumbprint();
    let holdings = Holdings::read(&mut unit.rows(), &account, holder, now).await?;
    let holding = holdings.covering(key, operations)?;
    if account.disables(key) {
        return Err(Failure::KeyDisabled(key.clone()));
    }
    let (row, version) = usable(unit, key, asked.version).await?;
    let (time, grant, on_behalf_of) = (now.time(), holding.grant().id, asked.on_behalf_of.as_deref());
    let circumstances = Circumstances { holder, time, grant, on_behalf_of };
    let facts = facts(key, &version, &row.labels)?;
    for operation in operations.iter() {
        call.service.policies.check_key(account.id(), action(operation), &facts, &circumstances)?;
    }
    let permit = permit(call, key, &version, operations, holding, asked, now)?;
    record(unit, &permit).await?;
    if unlocks_chain(&version, operations) {
        let process = asked.process.as_ref().map(|process| &process.0);
        unit.rows().put_lease(key, holder, process, permit.not_after.0).await?;
    }
    Ok(answer(call, permit, holding))
}

/// Whether a permit is one under which tenants' keys are opened: then keys below may be on a lease until it ends.
fn unlocks_chain(version: &VersionRow, operations: Operations) -> bool {
    version.version.purpose == Purpose::Wrap.number() && operations.contains(Operation::Decrypt)
}

const fn action(operation: Operation) -> Action {
    match operation {
        Operation::Encrypt => Action::Encrypt,
        Operation::Decrypt => Action::Decrypt,
        Operation::Create => Action::Create,
        Operation::Audit => Action::Audit,
        Operation::Sign => Action::Sign,
    }
}

/// The version that is asked for, or the newest with a certificate, if it can be used.
async fn usable(unit: &mut Unit, key: &KeyId, asked: Option<u64>) -> Result<(KeyRow, VersionRow), Failure> {
    let row = unit.rows().key(key).await?.ok_or_else(|| Failure::UnknownKey(key.clone()))?;
    let number = asked.unwrap_or(if row.current == 0 { row.newest } else { row.current });
    let version = unit.rows().version(key, number).await?;
    let version = version.ok_or_else(|| Failure::UnknownVersion(key.clone(), number))?;
    match version.status {
        VersionStatus::Active => Ok((row, version)),
        VersionStatus::Pending => Err(Failure::KeyPending(key.clone(), number)),
        VersionStatus::Scheduled | VersionStatus::Destroyed => {
            Err(Failure::KeyDestroyed(key.clone(), number))
        }
    }
}

fn permit(
    call: &Call,
    key: &KeyId,
    version: &VersionRow,
    operations: Operations,
    holding: &Holding,
    asked: &PermitRequest,
    now: Now,
) -> Result<Permit, Failure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(Failure::internal)?;
    let grant = holding.grant();
    Ok(Permit {
        account: call.id(),
        id,
        principal: call.holder.thumbprint(),
        key: key.clone(),
        version: version.version.version,
        operations,
        grant_id: grant.id,
        grant_serial: grant.serial,
        on_behalf_of: asked.on_behalf_of.clone(),
        issued: now.time(),
        not_after: grant.not_after.min(Seconds(now.time().0 + PERMIT_LIFETIME)),
    })
}

async fn record(unit: &mut Unit, permit: &Permit) -> Result<(), Failure> {
    unit.record(Event::PermitIssued {
        permit: permit.id,
        key: permit.key.clone(),
        version: permit.version,
        operations: permit.operations,
        on_behalf_of: permit.on_behalf_of.clone(),
        grant_id: permit.grant_id,
        grant_serial: permit.grant_serial,
        not_after: permit.not_after,
    })
    .await
}

fn answer(call: &Call, permit: Permit, holding: &Holding) -> Answer {
    let (version, not_after) = (permit.version, permit.not_after.0);
    let permit = to_canonical(&Signed::by(permit, [&call.service.permit_key])).into();
    Answer::json(&api::Permit { permit, grant: to_canonical(&holding.signed).into(), version, not_after })
}
