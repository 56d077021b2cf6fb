//! A job: made here, queued at the access manager, answered by a driver, opened here.

use crate::access::{Subject, as_document, document};
use crate::client::Client;
use crate::error::{Denied, Error, Integrity, Invalid, Unavailable};
use crate::permits::HeldPermit;
use std::time::Duration;
use symbolon_protocol::api::{self, Id, JobPost, JobState, Labels, path};
use symbolon_protocol::jobs::{Asked, AskedKey, Asking, MAX_JOB_LIFE, Outcome, Output, Refusal, Scope, Work};
use symbolon_trust::{Grant, Seconds, Signed, WrappedKey};
use tokio::time::Instant;

/// How long the access manager is asked to wait for a result, at most.
const WAIT: Duration = Duration::from_secs(20);
/// How long before the operation's own deadline a client stops waiting, so that it can say what it was waiting for.
const MARGIN: Duration = Duration::from_secs(1);

/// What a job that makes a key takes beside the job itself.
pub(super) struct Making {
    pub grant: Signed<Grant>,
    pub labels: Labels,
    pub expires: Seconds,
}

/// What a job with this key is about.
pub(super) fn scope_of(key: &WrappedKey) -> Scope {
    Scope { account: key.account, store: key.store.clone(), key: key.key.clone(), version: key.version }
}

impl Client {
    /// Has a driver use a key, under a permit, and gives what came out.
    pub(super) async fn have_done(
        &self,
        key: AskedKey<'_>,
        work: Work,
        permit: &HeldPermit,
        scope: Scope,
    ) -> Result<Output, Error> {
        let expires = permit.permit.body().not_after;
        let (grant, permit) = (permit.grant.clone(), Some(permit.permit.clone()));
        let asking = Asking { scope, work, key, grant, permit, expires };
        self.submit(asking, Labels::new()).await
    }

    /// Has a driver make a key.
    pub(super) async fn have_made(
        &self,
        key: AskedKey<'_>,
        scope: Scope,
        making: Making,
    ) -> Result<Output, Error> {
        let Making { grant, labels, expires } = making;
        self.submit(Asking { scope, work: Work::Generate, key, grant, permit: None, expires }, labels).await
    }

    /// Queues a job and waits for its result. What is queued by the root document of yesterday may be for drivers that are
    /// gone; so that document is renewed where the store isn't in it, or has no driver.
    async fn submit(&self, asking: Asking<'_>, labels: Labels) -> Result<Output, Error> {
        let known = self.root().document().key_store(&asking.scope.store).is_some();
        if !known {
            self.refresh_root().await?;
        }
        let signed = asking.sign(&self.inner.holder, &self.root(), &mut crate::random::system());
        let (submission, asked) = signed.map_err(Invalid::Job)?;
        let post = JobPost { submission: as_document(&submission), labels };
        let result = self.result(&asked, &post).await?;
        let signed = document(&result).map_err(|_| Integrity::JobResult(None))?;
        let outcome = match asked.open(&signed, &self.root()) {
            Ok(outcome) => outcome,
            Err(_) if self.refresh_root().await? => {
                asked.open(&signed, &self.root()).map_err(|error| Integrity::JobResult(Some(error)))?
            }
            Err(error) => return Err(Integrity::JobResult(Some(error)).into()),
        };
        match outcome {
            Outcome::Done(output) => Ok(output),
            Outcome::Refused(refusal) => Err(self.explain_refusal(refusal)),
        }
    }

    async fn result(&self, asked: &Asked, post: &JobPost) -> Result<api::Document, Error> {
        let access = self.access();
        let about = Subject { key: Some(&asked.scope().key), ..Subject::default() };
        let explain = |error| access.explain(error, about);
        let until = Instant::now() + self.patience().saturating_sub(MARGIN);
        let path = path::of_account(path::JOBS, access.account());
        let mut job: api::Job = access.post(waiting(&path, until), post).await.map_err(explain)?;
        loop {
            match (job.state, job.result.take()) {
                (JobState::Done, Some(result)) => return Ok(result),
                _ if until <= Instant::now() => break,
                // The access manager counts whole seconds.
                _ if until.duration_since(Instant::now()) < Duration::from_secs(1) => {
                    tokio::time::sleep_until(until).await;
                }
                _ => {}
            }
            let path = path::of_job(path::JOB, access.account(), &Id(*asked.id().as_bytes()));
            job = access.get(waiting(&path, until)).await.map_err(explain)?;
        }
        Err(Unavailable::KeyStore { store: asked.scope().store.clone(), trouble: job.trouble }.into())
    }

    /// What a driver refuses for good, sorted by whose move it is.
    fn explain_refusal(&self, refusal: Refusal) -> Error {
        let holder = self.holder();
        match refusal {
            Refusal::Grant | Refusal::Permit => Denied::Driver { holder, refusal }.into(),
            Refusal::Denied => Denied::Revoked { holder }.into(),
            Refusal::Unsupported | Refusal::Form => Invalid::Driver(refusal).into(),
            Refusal::Holder | Refusal::Store | Refusal::WrappedKey | Refusal::Integrity => {
                Integrity::Driver(refusal).into()
            }
            Refusal::Expired | Refusal::Failed => Unavailable::Driver(refusal).into(),
        }
    }
}

/// The latest that a job may expire that is made at this time.
pub(super) const fn latest(now: Seconds) -> Seconds {
    Seconds(now.0.saturating_add(MAX_JOB_LIFE))
}

fn waiting(path: &str, until: Instant) -> String {
    let wait = until.saturating_duration_since(Instant::now()).min(WAIT);
    format!("{path}?wait={}", wait.as_secs())
}
