//! When to try again: with growing, random pauses, and not so often that a server in trouble drowns in it.

use crate::error::{DownReason, Error, ManagerDown, Unavailable};
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use symbolon_channel::{CallError, DialError};
use symbolon_protocol::api::ProblemType;
use symbolon_protocol::wire;

/// Retries in a row that a budget allows, in tenths of one.
const FULL: i64 = 100;
/// What a retry costs, in tenths.
const PRICE: i64 = 10;
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Tries of an operation that too few managers answered, the first included: they take about as long as a restart.
const TRIES: u32 = 5;

/// Retries that may be made: each takes one, ten successes give one back.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(FULL))
    }
}

impl Budget {
    /// Takes one retry, if one is left.
    pub(crate) fn take(&self) -> bool {
        let taken = |left: i64| (left >= PRICE).then(|| left - PRICE);
        self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// Something went well.
    pub(crate) fn earn(&self) {
        let earned = |left: i64| (left < FULL).then(|| left + 1);
        let _ = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, earned);
    }
}

/// The pause before try number `attempt` (from 1): between half and all of a time that doubles.
pub(crate) fn pause(attempt: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let share = u32::from(u16::from_le_bytes(crate::random::bytes()));
    whole / 2 + whole / 2 * share / u32::from(u16::MAX)
}

/// Does something again while too few managers can be used for reasons that pass by themselves.
pub(crate) async fn persistently<'a, T>(
    budget: &Budget,
    operation: impl Fn() -> BoxFuture<'a, Result<T, Error>>,
) -> Result<T, Error> {
    for attempt in 1..TRIES {
        match operation().await {
            Err(error) if may_pass(&error) && budget.take() => tokio::time::sleep(pause(attempt)).await,
            Err(error) => return Err(error),
            Ok(done) => {
                budget.earn();
                return Ok(done);
            }
        }
    }
    operation().await
}

/// Whether enough of the managers that can't be used may soon be there again: they restart, learn what happened while
/// they were away, or the way to them is being mended.
fn may_pass(error: &Error) -> bool {
    let Error::Unavailable { cause: Unavailable::TooFewManagers { have, need, down }, .. } = error else {
        return false;
    };
    have + down.iter().filter(|ManagerDown { reason, .. }| passes(reason)).count() >= *need
}

fn passes(reason: &DownReason) -> bool {
    match reason {
        DownReason::Dial(error) => matches!(
            error,
            DialError::Unreachable { .. }
                | DialError::TimedOut { .. }
                | DialError::Handshake(_)
                | DialError::Relay(_)
        ),
        DownReason::Relay(problem) => {
            matches!(problem, ProblemType::ManagerUnreachable | ProblemType::Unavailable)
        }
        DownReason::Call(error) => matches!(error, CallError::Closed { .. }),
        DownReason::Refused(error) => matches!(error, wire::Error::Busy),
        DownReason::Behind => true,
        DownReason::Clock { .. } | DownReason::Lied => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::MemberName;
    use symbolon_fragments::names::Index;

    #[test]
    fn a_budget_ends_and_is_earned_back() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 10);
        (0..10).for_each(|_| budget.earn());
        assert!(budget.take() && !budget.take());
    }

    #[test]
    fn a_manager_that_is_behind_may_catch_up_and_a_liar_stays_one() {
        let too_few = |reason| {
            let member = MemberName { index: Index::new(1).expect("not zero"), name: "kfm-1".into() };
            let down = vec![ManagerDown { member, reason }];
            Error::from(Unavailable::TooFewManagers { have: 1, need: 2, down })
        };
        assert!(may_pass(&too_few(DownReason::Behind)));
        assert!(!may_pass(&too_few(DownReason::Lied)));
    }

    #[test]
    fn pauses_grow_and_differ() {
        for attempt in 1..10 {
            let whole = FIRST_PAUSE.saturating_mul(1 << (attempt - 1)).min(LONGEST_PAUSE);
            let pauses: Vec<_> = (0..50).map(|_| pause(attempt)).collect();
            assert!(pauses.iter().all(|pause| (whole / 2..=whole).contains(pause)));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
