//! Jobs for HSMs, the holder's side: handing one in, waiting for its result. Drivers check everything anew.

use super::hsm_keys;
use crate::{
    answer::Answer,
    call::{Call, JobName, Json, Query, refused},
    clock::wall,
    failure::Failure,
    unit::Unit,
    wake::{LONGEST_WAIT, Topic},
};
use std::time::Duration;
use symbolon_audit::Refused;
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_protocol::{
    api::{self, Id, JobPost, JobState, JobTrouble, JobWait, Problem, path},
    jobs::{JobId, MAX_JOB_LIFE, Submission, Ticket, TicketState, submission},
};
use symbolon_store::access::{JobRow, NewJob, Rows, TicketRow};
use symbolon_trust::{JobBinding, Operation, ProvenHolder, StoreLabel};
use tokio::time::Instant;

/// Hands in a job. The same job, handed in again, is the same job; the answer waits for its result.
#[utoipa::path(post, path = path::JOBS, params(("account" = Id, Path), JobWait), request_body = JobPost,
    responses((status = 200, body = api::Job), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn submit(
    call: Call,
    Query(query): Query<JobWait>,
    body: Json<JobPost>,
) -> Result<Answer, Failure> {
    let submission = submission(&body.body.submission.0).map_err(|_| Failure::Encoding)?;
    let mut unit = call.begin().await?;
    let taken = take(&call, &mut unit, &submission, &body.body).await.map(|()| Answer::empty());
    call.finish(unit, refused(Refused::Job), taken).await?;
    wait(&call, submission.id(), query.wait).await
}

/// A job of the caller, and its result once it has one.
#[utoipa::path(get, path = path::JOB, params(("account" = Id, Path), ("job" = String, Path), JobWait),
    responses((status = 200, body = api::Job), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(
    call: Call,
    JobName(job): JobName,
    Query(query): Query<JobWait>,
) -> Result<Answer, Failure> {
    wait(&call, job, query.wait).await
}

async fn take(call: &Call, unit: &mut Unit, submission: &Submission, post: &JobPost) -> Result<(), Failure> {
    let (id, holder) = (submission.id(), call.holder.thumbprint());
    match unit.rows().job(id.as_bytes()).await? {
        Some(row) if row.job.holder == holder => return Ok(()),
        Some(_) => return Err(no_such_job()),
        None => {}
    }
    check(call, unit, submission)?;
    check_room(call, unit, &submission.request.store).await?;
    match submission.request.operation {
        Operation::Create => hsm_keys::ask(call, unit, submission, post).await?,
        _ => check_key(unit, submission, post).await?,
    }
    put(unit, submission, call, post).await
}

/// What the drivers check too: this is so that a refusal comes at once.
fn check(call: &Call, unit: &Unit, submission: &Submission) -> Result<(), Failure> {
    let (now, root) = (call.now()?, unit.account.root());
    let expected = JobBinding { account: root.account(), request: submission.request.hash() };
    ProvenHolder::by_job(&submission.job, *call.holder.key(), &expected, now)?;
    if submission.job.body().expires > now.time() + MAX_JOB_LIFE {
        return Err(Failure::malformed(format_args!("a job lives at most {MAX_JOB_LIFE} s")));
    }
    let (request, grant) = (&submission.request, submission.grant.body());
    if root.document().key_store(&request.store).is_none() {
        return Err(Failure::NoKeyStore(request.store.clone()));
    }
    let denials = unit.account.documents.denials();
    denials.check_holder(call.holder.thumbprint())?;
    denials.check_grant(grant.id, grant.serial)?;
    denials.check_key(&request.key)?;
    Ok(denials.check_version(&request.key, request.version)?)
}

async fn check_room(call: &Call, unit: &mut Unit, store: &StoreLabel) -> Result<(), Failure> {
    let most = call.service.open_jobs;
    let open = unit.rows().open_jobs(store.as_str(), &call.holder.thumbprint(), wall().0).await?;
    if open.of_holder >= most.of_holder.into() {
        return Err(Failure::TooManyOwnJobs(most.of_holder));
    }
    if open.of_store >= most.of_store.into() {
        return Err(Failure::TooManyJobs(store.clone()));
    }
    Ok(())
}

/// The key has to be there, in that store.
async fn check_key(unit: &mut Unit, submission: &Submission, post: &JobPost) -> Result<(), Failure> {
    let request = &submission.request;
    if !post.labels.is_empty() {
        return Err(Failure::malformed("labels are for a key that is to be made"));
    }
    let row = unit.rows().version(&request.key, request.version).await?;
    let row = row.ok_or_else(|| Failure::UnknownVersion(request.key.clone(), request.version))?;
    if row.version.store.as_deref() != Some(request.store.as_str()) {
        return Err(Failure::OtherKeyStore(request.key.clone(), request.store.clone()));
    }
    Ok(())
}

async fn put(unit: &mut Unit, submission: &Submission, call: &Call, post: &JobPost) -> Result<(), Failure> {
    let store = submission.request.store.to_string();
    let ticket = Ticket::new(submission.job.body().expires);
    let new = NewJob {
        job: *submission.id().as_bytes(),
        store: store.clone(),
        holder: call.holder.thumbprint(),
        expires: ticket.expires.0,
        submission: post.submission.0.clone(),
        ticket: ticket_row(&ticket),
    };
    unit.rows().put_job(&new).await?;
    unit.tell(Topic::Queue(store));
    Ok(())
}

/// A ticket as a row.
pub(super) fn ticket_row(ticket: &Ticket) -> TicketRow {
    TicketRow { ticket: to_canonical(&ticket.state), free_at: ticket.free_at().map(|at| at.0) }
}

/// A row's ticket.
pub(super) fn ticket(row: &JobRow) -> Result<Ticket, Failure> {
    let state: TicketState = from_canonical(&row.job.ticket.ticket).map_err(Failure::internal)?;
    Ok(Ticket { expires: symbolon_trust::Seconds(row.job.expires), state })
}

/// The same to whoever asks for a job that isn't there, or isn't theirs.
pub(super) const fn no_such_job() -> Failure {
    Failure::NotFound("there is no such job, or it is not yours to see")
}

async fn wait(call: &Call, job: JobId, seconds: u64) -> Result<Answer, Failure> {
    let until = Instant::now() + Duration::from_secs(seconds).min(LONGEST_WAIT);
    let mut watch = call.service.wake.watch(call.id(), Topic::Job(job));
    loop {
        let shown = shown(call, job).await?;
        let left = until.saturating_duration_since(Instant::now());
        let over = shown.state == JobState::Done || shown.expires < wall().0 || left.is_zero();
        if over || !watch.changed(left, &call.service.stop).await {
            return Ok(Answer::json(&shown));
        }
    }
}

async fn shown(call: &Call, job: JobId) -> Result<api::Job, Failure> {
    let mut read = call.service.store.read().await?;
    let row = Rows::of(&mut read, &call.id()).job(job.as_bytes()).await?;
    let row = row.filter(|row| row.job.holder == call.holder.thumbprint()).ok_or_else(no_such_job)?;
    let ticket = ticket(&row)?;
    let (state, trouble) = match ticket.state {
        TicketState::Waiting { given_back } => (JobState::Waiting, given_back.map(|(_, _, why)| why.into())),
        TicketState::Leased { .. } => (JobState::Leased, None),
        TicketState::Done => (JobState::Done, None),
    };
    let trouble = trouble.or_else(|| lonely(call, &row.job.store, state));
    Ok(api::Job {
        job: Id(*job.as_bytes()),
        state,
        expires: row.job.expires,
        trouble,
        result: row.result.map(Into::into),
    })
}

/// Whether a job waits because no driver asks.
fn lonely(call: &Call, store: &str, state: JobState) -> Option<JobTrouble> {
    let root = call.account.root();
    let label = store.parse().ok()?;
    let drivers = root.document().key_store(&label)?.active(root).map(|(driver, _)| driver.index);
    let waiting = state == JobState::Waiting && !call.service.drivers.any(call.id(), drivers);
    waiting.then_some(JobTrouble::NoDriver)
}
