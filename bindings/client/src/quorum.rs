//! One batch of inputs evaluated by `t` members: whom to ask, when to ask another too, which answers count.

use crate::error::{Bug, Denied, DownReason, Error, Integrity, ManagerDown, ServerName, Unavailable};
use crate::error::{Conflict, Invalid};
use crate::managers::{Ask, Evaluated, Manager, Managers, Trouble};
use crate::notice::{Notice, Notices};
use crate::permits::{HeldPermit, WantedOperation};
use crate::versions::Sharing;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use symbolon_fragments::names::{Index, Thumbprint};
use symbolon_fragments::{Combination, CombineError, Fields, Input, Refused};
use symbolon_protocol::wire::{self, Inputs};
use symbolon_trust::{Operation, VerifiedKeyCertificate};

/// Evaluations whose check is worth a thread.
const MANY: usize = 16;

/// How far answers are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To encrypt: every answer is proven, and a wrong one ends the operation.
    Prove,
    /// To decrypt: answers are believed, because the commitment tells.
    Trust,
    /// To decrypt after a mismatch: every answer is proven, and whoever is wrong is named and left out.
    Judge,
}

/// A batch of inputs for one key version.
pub(crate) struct Batch<'a> {
    pub(crate) key: &'a VerifiedKeyCertificate,
    pub(crate) holder: Thumbprint,
    pub(crate) operation: WantedOperation,
    pub(crate) fields: Vec<Fields>,
    pub(crate) inputs: Vec<Input>,
}

/// Why a batch was not evaluated.
pub(crate) enum NotGathered {
    /// So many members don't hold the instance that a newer one must be in use. If there is none, this error says
    /// whom the quorum lacks.
    Stale(Error),
    /// Anything else.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotGathered {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Asks members until `t` have answered.
pub(crate) async fn gather(
    managers: &Managers,
    permit: &HeldPermit,
    sharing: &Sharing,
    batch: &Batch<'_>,
    mode: Mode,
    notices: &Notices,
) -> Result<Combination, NotGathered> {
    let inputs = Inputs::new(batch.fields.clone()).map_err(|_| Bug::Internal("a batch of a wrong size"))?;
    let ask = Ask { key: batch.key, instance: sharing.id(), prove: mode != Mode::Trust, inputs };
    let evaluate = |manager: Arc<Manager>| {
        let ask = &ask;
        async move {
            let result = manager.evaluate(permit, ask).await;
            (manager, result)
        }
    };
    let mut combination = sharing.instance.combination(batch.inputs.clone()).map_err(combine_error)?;
    let mut gathering = Gathering::of(batch, sharing, mode, notices);
    let mut asking = Asking {
        evaluate,
        inputs: batch.fields.len(),
        waiting: managers.ranked(sharing.members()).into(),
        running: FuturesUnordered::new(),
        patience: Duration::ZERO,
    };
    while gathering.have < gathering.need {
        asking.keep_under_way(gathering.need - gathering.have);
        match asking.next().await {
            Next::Answer((manager, result)) => {
                if let Some(evaluated) = gathering.take(&manager, result)? {
                    let accepted;
                    (combination, accepted) = offer(combination, mode, manager.name.index, evaluated).await?;
                    gathering.judge(&manager, accepted)?;
                }
            }
            Next::Slow => asking.ask_another(),
            Next::Nobody => return Err(gathering.too_few()),
        }
    }
    gathering.note_down();
    Ok(combination)
}

/// Offers a member's answer to a combination. Checking the proof of a whole batch takes milliseconds: it has a thread of
/// its own, so that the batches of one call are checked beside each other and nothing else waits for them.
async fn offer(
    mut combination: Combination,
    mode: Mode,
    index: Index,
    evaluated: Evaluated,
) -> Result<(Combination, Result<(), Refused>), Error> {
    let many = evaluated.evaluations.len() >= MANY;
    let offer = move || {
        let accepted = match (mode, &evaluated.proof) {
            (Mode::Trust, _) => combination.accept(index, &evaluated.evaluations),
            (_, Some(proof)) => combination.accept_proven(index, &evaluated.evaluations, proof),
            (_, None) => Err(Refused::Proof),
        };
        (combination, accepted)
    };
    if many {
        tokio::task::spawn_blocking(offer)
            .await
            .map_err(|_| Bug::Internal("a check that was given up").into())
    } else {
        Ok(offer())
    }
}

/// Members that are being asked, and those that still may be, the best first.
struct Asking<E, F> {
    evaluate: E,
    inputs: usize,
    waiting: VecDeque<Arc<Manager>>,
    running: FuturesUnordered<F>,
    patience: Duration,
}

enum Next<T> {
    Answer(T),
    /// Nobody answered in the usual time, and there is another to ask.
    Slow,
    /// Nobody is asked any more.
    Nobody,
}

impl<E: Fn(Arc<Manager>) -> F, F: Future> Asking<E, F> {
    /// Asks until so many answers are under way, as far as there are members.
    fn keep_under_way(&mut self, wanted: usize) {
        while self.running.len() < wanted
            && let Some(manager) = self.waiting.pop_front()
        {
            self.patience = self.patience.max(manager.patience(self.inputs));
            self.running.push((self.evaluate)(manager));
        }
    }

    fn ask_another(&mut self) {
        self.running.extend(self.waiting.pop_front().map(&self.evaluate));
    }

    async fn next(&mut self) -> Next<F::Output> {
        let next = self.running.next();
        let next = if self.waiting.is_empty() {
            next.await
        } else {
            match tokio::time::timeout(self.patience, next).await {
                Ok(next) => next,
                Err(_) => return Next::Slow,
            }
        };
        next.map_or(Next::Nobody, Next::Answer)
    }
}

/// What has come in.
struct Gathering<'a> {
    batch: &'a Batch<'a>,
    mode: Mode,
    notices: &'a Notices,
    need: usize,
    have: usize,
    down: Vec<ManagerDown>,
    /// The first word of a manager that the caller may not.
    said: Option<Error>,
    /// Whether a member doesn't hold the instance.
    behind: bool,
}

impl<'a> Gathering<'a> {
    /// Nothing yet.
    fn of(batch: &'a Batch<'a>, sharing: &Sharing, mode: Mode, notices: &'a Notices) -> Self {
        let need = sharing.instance.threshold();
        Self { batch, mode, notices, need, have: 0, down: Vec::new(), said: None, behind: false }
    }

    /// What a manager's answer contains, if it is one.
    fn take(
        &mut self,
        manager: &Manager,
        result: Result<Evaluated, Trouble>,
    ) -> Result<Option<Evaluated>, NotGathered> {
        match result {
            Ok(evaluated) => return Ok(Some(evaluated)),
            Err(Trouble::Down(reason)) => self.leave_out(manager, reason),
            Err(Trouble::NotHeld) => {
                self.behind = true;
                self.leave_out(manager, DownReason::Behind);
            }
            Err(Trouble::Nonsense) => {
                return Err(Integrity::Protocol(ServerName::Manager(manager.name.clone())).into());
            }
            Err(Trouble::Said(error)) => self.hear(manager, error),
        }
        Ok(None)
    }

    /// Counts an answer, or its giver out.
    fn judge(&mut self, manager: &Manager, accepted: Result<(), Refused>) -> Result<(), NotGathered> {
        if accepted.is_ok() {
            self.have += 1;
            return Ok(());
        }
        manager.distrust();
        if self.mode == Mode::Prove {
            return Err(Integrity::Liar(manager.name.clone()).into());
        }
        self.notices.add(Notice::Lied(manager.name.clone()));
        self.down.push(ManagerDown { member: manager.name.clone(), reason: DownReason::Lied });
        Ok(())
    }

    /// Sorts what a manager says: about the caller, or about itself.
    fn hear(&mut self, manager: &Manager, error: wire::Error) {
        if let wire::Error::NotFresh { created, now } = error {
            manager.set_time(now);
            return self.leave_out(manager, DownReason::Clock { theirs: now, ours: created });
        }
        match self.about_the_caller(manager, error) {
            Ok(said) => drop(self.said.get_or_insert(said)),
            Err(error) => self.leave_out(manager, DownReason::Refused(error)),
        }
    }

    fn about_the_caller(&self, manager: &Manager, error: wire::Error) -> Result<Error, wire::Error> {
        let (key, holder) = (self.batch.key.certificate().key.clone(), self.batch.holder);
        Ok(match error {
            wire::Error::Denied(wire::Denial::Key) => Denied::KeyDisabled { key }.into(),
            wire::Error::Denied(wire::Denial::Grant | wire::Denial::Holder) => {
                Denied::Revoked { holder }.into()
            }
            wire::Error::NotAllowed { operation } => Denied::NotGranted { holder, operation, key }.into(),
            wire::Error::Refused {
                document: wire::Document::Grant,
                reason: wire::Refusal::NotYet { .. } | wire::Refusal::Expired { .. },
            } => Denied::GrantNotInTime { holder }.into(),
            wire::Error::Destroyed | wire::Error::Denied(wire::Denial::Destroyed) => {
                Conflict::KeyDestroyed { key }.into()
            }
            wire::Error::RateExceeded { retry_after_ms } => Error::Unavailable {
                retry_after: Some(Duration::from_millis(retry_after_ms)),
                cause: Unavailable::RateLimited,
            },
            wire::Error::WrongWriter => {
                Denied::NotGranted { holder, operation: Operation::from(self.batch.operation), key }.into()
            }
            wire::Error::WrongPurpose { .. } => {
                Invalid::Manager { member: manager.name.clone(), cause: error }.into()
            }
            about_itself => return Err(about_itself),
        })
    }

    fn leave_out(&mut self, manager: &Manager, reason: DownReason) {
        self.down.push(ManagerDown { member: manager.name.clone(), reason });
    }

    /// The quorum did without these: worth a note.
    fn note_down(&mut self) {
        for down in self.down.drain(..).filter(|down| !matches!(down.reason, DownReason::Lied)) {
            self.notices.add(Notice::Down(down));
        }
    }

    fn too_few(self) -> NotGathered {
        if let Some(said) = self.said {
            return NotGathered::Failed(said);
        }
        let error = Unavailable::TooFewManagers { have: self.have, need: self.need, down: self.down }.into();
        if self.behind { NotGathered::Stale(error) } else { NotGathered::Failed(error) }
    }
}

pub(crate) fn combine_error(error: CombineError) -> Error {
    match error {
        CombineError::Inputs => Bug::Internal("inputs that do not fit the instance").into(),
        CombineError::TooFew { .. } => Bug::Internal("a quorum that is none").into(),
        // With proofs, all parts are right; that they cancel out can't be brought about.
        CombineError::Degenerate => Integrity::Commitment(symbolon_envelope::CommitmentMismatch).into(),
    }
}
