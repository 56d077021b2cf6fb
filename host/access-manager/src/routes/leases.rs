//! Jobs for HSMs, the driver's side: asking for work, keeping it, giving it back, handing in results.

use super::jobs::{no_such_job, ticket, ticket_row};
use crate::{
    account::{Account, Standing, decode},
    answer::Answer,
    call::{Call, JobName, Json},
    clock::wall,
    failure::Failure,
    wake::{LONGEST_WAIT, Topic},
};
use std::time::Duration;
use symbolon_fragments::names::Index;
use symbolon_protocol::{
    api::{
        Id, JobAnswer, JobGiveBack, JobLease, JobPage, JobQuery, JobReceipt, JobRenewal, LeasedJob, Problem,
        path,
    },
    jobs::{Finished, JobId, JobResult, LeaseError, LeaseId, Ticket, TicketState},
};
use symbolon_store::access::{JobRow, Rows};
use symbolon_trust::{Seconds, Signed, StoreLabel};
use tokio::time::Instant;

/// Jobs that a driver may have at once for one question.
const MOST: u32 = 64;

/// How often a waiting driver looks for leases that have ended, which nobody tells of.
const LOOK: Duration = Duration::from_secs(1);

/// A driver that may take jobs.
struct Driver {
    index: Index,
    store: StoreLabel,
}

/// Gives a driver work of its key store, the oldest first; where there is none yet, waits for some.
#[utoipa::path(post, path = path::JOBS_LEASE, params(("account" = Id, Path)), request_body = JobQuery,
    responses((status = 200, body = JobPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn lease(call: Call, body: Json<JobQuery>) -> Result<Answer, Failure> {
    let (driver, query) = (driver(&call)?, body.body);
    if !(1..=MOST).contains(&query.limit) {
        return Err(Failure::malformed(format_args!("limit is 1 to {MOST}")));
    }
    let _attendance = call.service.drivers.attend(call.id(), driver.index, query.process.0)?;
    let until = Instant::now() + Duration::from_secs(query.wait).min(LONGEST_WAIT);
    let mut watch = call.service.wake.watch(call.id(), Topic::Queue(driver.store.to_string()));
    loop {
        let jobs = take(&call, &driver, query.limit).await?;
        let left = until.saturating_duration_since(Instant::now());
        if !jobs.is_empty() || left.is_zero() || call.service.stop.is_cancelled() {
            return page(&call, jobs).await;
        }
        watch.changed(left.min(LOOK), &call.service.stop).await;
    }
}

fn driver(call: &Call) -> Result<Driver, Failure> {
    let root = call.account.root();
    let Standing::Member(index) = call.standing() else { return Err(no_driver()) };
    let store = root.document().store_of(index).ok_or_else(no_driver)?;
    let active = store.active(root).any(|(driver, _)| driver.index == index);
    if active { Ok(Driver { index, store: store.label.clone() }) } else { Err(no_driver()) }
}

const fn no_driver() -> Failure {
    Failure::Only("a driver of a key store, as long as it is not retired,")
}

/// Leases what is free. Without anything free, nothing is written.
async fn take(call: &Call, driver: &Driver, limit: u32) -> Result<Vec<LeasedJob>, Failure> {
    let (id, now) = (call.id(), wall());
    let mut read = call.service.store.read().await?;
    if Rows::of(&mut read, &id).free_jobs(driver.store.as_str(), now.0, 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    drop(read);
    let mut write = call.service.store.write().await?;
    let mut rows = Rows::of(&mut write, &id);
    let mut leased = Vec::new();
    for row in rows.free_jobs(driver.store.as_str(), now.0, limit).await? {
        if let Some((ticket, job)) = lease_one(row, driver.index, now)? {
            rows.put_ticket(&job.job.0, &ticket_row(&ticket)).await?;
            leased.push(job);
        }
    }
    write.commit().await?;
    Ok(leased)
}

fn lease_one(row: JobRow, driver: Index, now: Seconds) -> Result<Option<(Ticket, LeasedJob)>, Failure> {
    let mut lease = [0; 32];
    getrandom::fill(&mut lease).map_err(Failure::internal)?;
    let Some(ticket) = ticket(&row)?.lease(driver, LeaseId(lease), now) else { return Ok(None) };
    let TicketState::Leased { until, .. } = ticket.state else { return Ok(None) };
    let job = LeasedJob {
        job: Id(row.job.job),
        lease: Id(lease),
        until: until.0,
        submission: row.job.submission.into(),
    };
    Ok(Some((ticket, job)))
}

/// What the driver is told with its jobs: how new the account's documents are by now.
async fn page(call: &Call, jobs: Vec<LeasedJob>) -> Result<Answer, Failure> {
    let mut read = call.service.store.read().await?;
    let account: std::sync::Arc<Account> = call.service.account(&mut read, call.id()).await?;
    let versions = account.documents.versions();
    Ok(Answer::json(&JobPage {
        jobs,
        root_version: versions.root,
        deny_version: versions.deny,
        order_serial: versions.order,
    }))
}

/// Gives the driver that has the lease more time.
#[utoipa::path(post, path = path::JOB_LEASE, params(("account" = Id, Path), ("job" = String, Path)),
    request_body = JobRenewal,
    responses((status = 200, body = JobLease), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn renew(
    call: Call,
    JobName(job): JobName,
    body: Json<JobRenewal>,
) -> Result<Answer, Failure> {
    let lease = LeaseId(body.body.lease.0);
    let ticket = change(&call, job, |ticket, now| ticket.renew(lease, now)).await?;
    match ticket.state {
        TicketState::Leased { until, .. } => Ok(Answer::json(&JobLease { until: until.0 })),
        TicketState::Waiting { .. } | TicketState::Done => Err(LeaseError::Lost.into()),
    }
}

/// Takes a job back that the driver can't do just now.
#[utoipa::path(post, path = path::JOB_GIVE_BACK, params(("account" = Id, Path), ("job" = String, Path)),
    request_body = JobGiveBack,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn give_back(
    call: Call,
    JobName(job): JobName,
    body: Json<JobGiveBack>,
) -> Result<Answer, Failure> {
    let (lease, trouble) = (LeaseId(body.body.lease.0), body.body.trouble);
    let trouble = trouble.try_into().map_err(Failure::malformed)?;
    change(&call, job, |ticket, now| ticket.give_back(lease, trouble, now)).await?;
    Ok(Answer::empty())
}

/// Changes a job's ticket, for a driver of the job's store.
async fn change(
    call: &Call,
    job: JobId,
    change: impl FnOnce(&Ticket, Seconds) -> Result<Ticket, LeaseError>,
) -> Result<Ticket, Failure> {
    let (driver, id) = (driver(call)?, call.id());
    let mut write = call.service.store.write().await?;
    let mut rows = Rows::of(&mut write, &id);
    let row = of_store(rows.job(job.as_bytes()).await?, &driver)?;
    let changed = change(&ticket(&row)?, wall())?;
    rows.put_ticket(job.as_bytes(), &ticket_row(&changed)).await?;
    let told = call.service.wake.waker(id, [Topic::Queue(row.job.store), Topic::Job(job)]);
    write.commit().await?;
    drop(told);
    Ok(changed)
}

fn of_store(row: Option<JobRow>, driver: &Driver) -> Result<JobRow, Failure> {
    row.filter(|row| row.job.store == driver.store.as_str()).ok_or_else(no_such_job)
}

/// Takes a result. The first one counts; it is for whoever asked to open it.
#[utoipa::path(post, path = path::JOB_RESULT, params(("account" = Id, Path), ("job" = String, Path)),
    request_body = JobAnswer,
    responses((status = 200, body = JobReceipt), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn finish(
    call: Call,
    JobName(job): JobName,
    body: Json<JobAnswer>,
) -> Result<Answer, Failure> {
    let (driver, id) = (driver(&call)?, call.id());
    check_result(&call, &driver, job, &body.body.result.0)?;
    let mut write = call.service.store.write().await?;
    let mut rows = Rows::of(&mut write, &id);
    let row = of_store(rows.job(job.as_bytes()).await?, &driver)?;
    let counts = match ticket(&row)?.finish(wall())? {
        Finished::Before => row.result.as_ref() == Some(&body.body.result.0),
        Finished::First(done) => {
            rows.put_ticket(job.as_bytes(), &ticket_row(&done)).await?;
            rows.put_result(job.as_bytes(), &body.body.result.0).await?;
            true
        }
    };
    let told = call.service.wake.waker(id, [Topic::Job(job)]);
    write.commit().await?;
    drop(told);
    Ok(Answer::json(&JobReceipt { counts }))
}

/// The driver's own, about this job. What is in it is sealed.
fn check_result(call: &Call, driver: &Driver, job: JobId, result: &[u8]) -> Result<(), Failure> {
    let signed: Signed<JobResult> = decode(result)?;
    let body = signed.body();
    if body.account != call.id() || body.job != job || body.driver != driver.index {
        return Err(Failure::malformed("the result is another job's, or another driver's"));
    }
    let signature = signed.signature_of(call.holder.key());
    let signature = signature.ok_or(Failure::Only("the driver that signed the result"))?;
    Ok(symbolon_trust::verify(call.holder.key(), body, signature)?)
}
