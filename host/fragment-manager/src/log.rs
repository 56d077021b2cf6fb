//! The evaluation log of one account: what was done and refused, gathered in memory and written within a second.
//!
//! Equal evaluations within a second are one record with their number. If writing fails, the manager stops evaluating
//! for the account until it works again: nothing is evaluated that could not be logged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use symbolon_audit::{Alarm, EvaluationHead, Hash, Record, RecordBody, RecordChain, Refusal, Refused};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, Thumbprint};
use symbolon_protocol::wire::Error;
use symbolon_store::manager::{Chain, RecordRow, Rows};
use symbolon_store::{Datastore, Reading, StoreError, Write};
use symbolon_trust::{Authorised, Operation, Seconds};
use tokio::sync::{Mutex as AsyncMutex, Notify};

/// Kinds of refusals written each second; what goes beyond is counted nowhere, so that a stranger can't fill the disk.
const MOST_REFUSALS: usize = 16;

/// What was gathered since the last writing.
#[derive(Default)]
struct Pending {
    evaluated: BTreeMap<Evaluated, u64>,
    refused: BTreeMap<(Thumbprint, Refused, Refusal), u64>,
    others: Vec<RecordBody>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Evaluated {
    permit: [u8; 16],
    holder: Thumbprint,
    key: KeyId,
    version: u64,
    operation: Operation,
    instance: InstanceId,
}

/// Whether the log can be written.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Health {
    Good = 0,
    Full = 1,
    Failed = 2,
}

/// An account's evaluation log.
pub struct Log {
    pending: Mutex<Pending>,
    chain: AsyncMutex<RecordChain>,
    health: AtomicU8,
    wake: Notify,
}

impl Log {
    /// The log as the datastore has it, with a record that the manager starts, and one of a gap if it had not ended in
    /// order.
    pub(crate) async fn open(
        rows: &mut Rows<'_, Write>,
        account: AccountId,
        index: Index,
        now: Seconds,
    ) -> Result<Self, StoreError> {
        let chain = match rows.chain().await? {
            None => RecordChain::new(account, index),
            Some(Chain { records, last, time }) => {
                RecordChain::resume(account, index, records, Hash(last), Seconds(time))
            }
        };
        let mut bodies = crash_gap(rows, &chain).await?;
        bodies.push(RecordBody::Started);
        let chain = append(rows, chain, bodies, now).await?;
        Ok(Self {
            pending: Mutex::default(),
            chain: AsyncMutex::new(chain),
            health: AtomicU8::new(Health::Good as u8),
            wake: Notify::new(),
        })
    }

    /// Refuses while the log can't be written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.health.load(Ordering::Relaxed) {
            good if good == Health::Good as u8 => Ok(()),
            full if full == Health::Full as u8 => Err(Error::Full),
            _ => Err(Error::Failed),
        }
    }

    /// Inputs were evaluated.
    pub(crate) fn evaluated(
        &self,
        verdict: &Authorised,
        operation: Operation,
        instance: InstanceId,
        inputs: usize,
    ) {
        let evaluated = Evaluated {
            permit: verdict.permit(),
            holder: verdict.holder(),
            key: verdict.key().clone(),
            version: verdict.version(),
            operation,
            instance,
        };
        self.gather(|pending| *pending.evaluated.entry(evaluated).or_default() += inputs as u64);
    }

    /// Something was refused.
    pub(crate) fn refused(&self, holder: Thumbprint, what: Refused, reason: Refusal) {
        self.gather(|pending| {
            let full = pending.refused.len() >= MOST_REFUSALS;
            match pending.refused.get_mut(&(holder, what, reason)) {
                Some(times) => *times += 1,
                None if full => {}
                None => drop(pending.refused.insert((holder, what, reason), 1)),
            }
        });
    }

    /// Something else happened.
    pub fn note(&self, body: RecordBody) {
        self.gather(|pending| pending.others.push(body));
    }

    /// Something that people must look at.
    pub fn alarm(&self, alarm: Alarm) {
        self.note(RecordBody::Alarm(alarm));
    }

    /// Resolves when there is something to write.
    pub(crate) async fn waiting(&self) {
        self.wake.notified().await;
    }

    /// Writes what was gathered, together with the clock's mark. What can't be written is kept.
    pub(crate) async fn flush(
        &self,
        store: &Datastore,
        account: &AccountId,
        clock: Seconds,
        mark: Seconds,
    ) -> Result<(), StoreError> {
        let mut chain = self.chain.lock().await;
        let pending = std::mem::take(&mut *self.pending());
        let result = write(store, account, &chain, pending.bodies(), clock, mark).await;
        let health = match &result {
            Ok(_) => Health::Good,
            Err(StoreError::Full) => Health::Full,
            Err(_) => Health::Failed,
        };
        self.health.store(health as u8, Ordering::Relaxed);
        match result {
            Ok(next) => *chain = next,
            Err(error) => {
                self.pending().put_back(pending);
                return Err(error);
            }
        }
        Ok(())
    }

    /// How far the log has come.
    pub(crate) async fn head(&self, now: Seconds) -> EvaluationHead {
        self.chain.lock().await.head(now)
    }

    fn gather(&self, act: impl FnOnce(&mut Pending)) {
        act(&mut self.pending());
        self.wake.notify_one();
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn bodies(&self) -> Vec<RecordBody> {
        let evaluated = self.evaluated.iter().map(|(evaluated, inputs)| evaluated.body(*inputs));
        let refused = self.refused.iter().map(|((holder, what, reason), times)| RecordBody::Refused {
            holder: *holder,
            what: *what,
            reason: *reason,
            times: *times,
        });
        evaluated.chain(refused).chain(self.others.iter().cloned()).collect()
    }

    fn put_back(&mut self, earlier: Self) {
        for (evaluated, inputs) in earlier.evaluated {
            *self.evaluated.entry(evaluated).or_default() += inputs;
        }
        for (refused, times) in earlier.refused {
            *self.refused.entry(refused).or_default() += times;
        }
        let later = std::mem::replace(&mut self.others, earlier.others);
        self.others.extend(later);
    }
}

impl Evaluated {
    fn body(&self, inputs: u64) -> RecordBody {
        RecordBody::Evaluated {
            permit: self.permit,
            holder: self.holder,
            key: self.key.clone(),
            version: self.version,
            operation: self.operation,
            instance: self.instance,
            inputs,
        }
    }
}

/// A gap, unless the log is new or its last record says that the manager had stopped.
async fn crash_gap(
    rows: &mut Rows<'_, impl Reading>,
    chain: &RecordChain,
) -> Result<Vec<RecordBody>, StoreError> {
    let Some(last) = chain.records().checked_sub(1) else { return Ok(Vec::new()) };
    let rows = rows.records(last, 1).await?;
    let record = rows.first().ok_or(StoreError::Corrupted)?;
    let record: Record =
        symbolon_encoding::from_canonical(&record.record).map_err(|_| StoreError::Corrupted)?;
    Ok(match record.body {
        RecordBody::Stopped => Vec::new(),
        _ => vec![RecordBody::Gap { since: record.time }],
    })
}

async fn write(
    store: &Datastore,
    account: &AccountId,
    chain: &RecordChain,
    bodies: Vec<RecordBody>,
    clock: Seconds,
    mark: Seconds,
) -> Result<RecordChain, StoreError> {
    let mut write = store.write().await?;
    let mut rows = Rows::of(&mut write, account);
    let chain = append(&mut rows, *chain, bodies, clock).await?;
    rows.put_mark(mark.0).await?;
    write.commit().await?;
    Ok(chain)
}

async fn append(
    rows: &mut Rows<'_, Write>,
    mut chain: RecordChain,
    bodies: Vec<RecordBody>,
    time: Seconds,
) -> Result<RecordChain, StoreError> {
    let records: Vec<_> = bodies.into_iter().map(|body| chain.append(time, body)).collect();
    let Some(last) = records.last() else { return Ok(chain) };
    let end = Chain { records: chain.records(), last: chain.last().0, time: last.time.0 };
    let row = |record: &Record| RecordRow { sequence: record.sequence, record: to_canonical(record) };
    rows.append(&records.iter().map(row).collect::<Vec<_>>(), &end).await?;
    Ok(chain)
}
