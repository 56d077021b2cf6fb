//! What the access manager does by itself: destructions that are due, old answers, ended leases, tunnels whose grants have ended.

use crate::{clock::wall, failure::Failure, links, relay, service::Service, unit::Unit};
use std::{sync::Arc, time::Duration};
use symbolon_store::access::{forget_answers, forget_jobs, forget_leases};
use tokio::time::{MissedTickBehavior, interval};

/// How often.
const PERIOD: Duration = Duration::from_secs(15);

/// How long an answer is remembered for its `Idempotency-Key`, in seconds: a day.
const REMEMBERED: u64 = 24 * 3600;

/// How long a job is remembered after its time, in seconds: whoever asked may still fetch the result.
const JOB_REMEMBERED: u64 = 60;

/// Keeps house until the server stops.
pub(crate) async fn run(service: &Arc<Service>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while service.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(failure) = once(service).await {
            tracing::warn!(%failure, "housekeeping failed; it goes on in {} s", PERIOD.as_secs());
        }
    }
}

async fn once(service: &Arc<Service>) -> Result<(), Failure> {
    relay::recheck_all(service).await;
    forget(service).await?;
    for account in service.accounts().await? {
        let now = service.clock.now(account)?;
        let mut unit = Unit::begin(service, account, service.own).await?;
        let erased = links::erase_due(&mut unit, now).await?;
        if unit.rows().destroy_due(now.time().0).await? > 0 || erased {
            unit.commit().await?;
        }
    }
    Ok(())
}

async fn forget(service: &Service) -> Result<(), Failure> {
    let mut write = service.store.write().await?;
    forget_answers(&mut write, wall().0.saturating_sub(REMEMBERED)).await?;
    forget_jobs(&mut write, wall().0.saturating_sub(JOB_REMEMBERED)).await?;
    forget_leases(&mut write, wall().0).await?;
    Ok(write.commit().await?)
}
