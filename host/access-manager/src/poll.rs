//! Reading what may change: an answer with its entity tag, 304 where the caller knows it, after a wait for a change.

use crate::{
    answer::Answer,
    call::Call,
    wake::{LONGEST_WAIT, Topic, Watch},
};
use axum::http::{HeaderMap, header::IF_NONE_MATCH};
use std::time::Duration;
use tokio::time::Instant;

/// A request that may wait for a change.
pub(crate) struct Poll<'c> {
    known: Option<String>,
    until: Instant,
    watch: Watch<'c>,
}

impl<'c> Poll<'c> {
    /// What the request knows already, how many seconds it waits for something else, and what has to change for that.
    pub(crate) fn new(call: &'c Call, headers: &HeaderMap, wait: Option<u64>, topic: Topic) -> Self {
        let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).map(str::to_owned);
        let until = Instant::now() + Duration::from_secs(wait.unwrap_or(0)).min(LONGEST_WAIT);
        Self { known, until, watch: call.service.wake.watch(call.id(), topic) }
    }

    /// The answer, if the caller doesn't know it yet or has waited long enough; none: read again.
    pub(crate) async fn take(&mut self, call: &Call, answer: Answer) -> Option<Answer> {
        let Some(known) = self.known.clone().filter(|known| answer.tag() == Some(known)) else {
            return Some(answer);
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let changed = !left.is_zero() && self.watch.changed(left, &call.service.stop).await;
        if changed { None } else { Some(Answer::unchanged(known)) }
    }
}
