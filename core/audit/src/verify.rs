//! Verifying an account's logs: the access manager's tree against its signed checkpoint, each manager's chain against
//! its signed head, and the two against each other.
//!
//! Read the managers' logs first and the access manager's checkpoint after: a permit is logged before it is handed out,
//! so every evaluation that was read then has its permit below the checkpoint.

use crate::{
    checkpoint::VerifiedCheckpoint,
    entry::{Entry, Event},
    evaluation::{Alarm, BrokenChain, EvaluationHead, Record, RecordBody, RecordChain},
    merkle::{Frontier, Hash, TreeHead},
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_fragments::names::{AccountId, Index, KeyId, Thumbprint};
use symbolon_trust::{Operations, Seconds, SignatureError, Signed, TrustedRoot, UnknownMember};

/// How long after a permit's end an evaluation may be dated, in seconds: a second until it is written, and clocks that
/// differ by as much as managers tolerate.
const LATE: u64 = 60;

/// The access manager's log, entry after entry.
#[derive(Clone, Debug, Default)]
pub struct LogReader {
    frontier: Frontier,
    time: Seconds,
    permits: BTreeMap<[u8; 16], Issued>,
    heads: BTreeMap<(Index, u64), Hash>,
}

/// A permit as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Issued {
    holder: Thumbprint,
    key: KeyId,
    version: u64,
    operations: Operations,
    not_after: Seconds,
}

/// What is wrong with the access manager's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Not an entry.
    #[error("entry {0} is malformed")]
    Malformed(u64),
    /// Entries were removed, reordered or put in.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Sequence {
        /// The entry that should come.
        expected: u64,
        /// The entry that comes.
        found: u64,
    },
    /// An entry is dated before the one that precedes it.
    #[error("entry {0} is older than the one before it")]
    Time(u64),
    /// The checkpoint is about more or fewer entries than were read.
    #[error("the checkpoint is signed for {signed} entries, but there are {read}")]
    Size {
        /// Entries that were signed for.
        signed: u64,
        /// Entries that were read.
        read: u64,
    },
    /// The entries are not the ones that were signed for: at least one was edited.
    #[error("the entries are not the ones that the checkpoint was signed for: at least one was edited")]
    Root,
}

/// A log that is the one that its checkpoint was signed for, entry by entry.
#[derive(Clone, Debug)]
pub struct AuditedLog {
    head: TreeHead,
    permits: BTreeMap<[u8; 16], Issued>,
    heads: BTreeMap<(Index, u64), Hash>,
}

impl LogReader {
    /// A reader before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries were read.
    pub const fn entries(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree over what was read so far.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.frontier.size(), root: self.frontier.root() }
    }

    /// Reads the next entry's data.
    pub fn read(&mut self, data: &[u8]) -> Result<Entry, LogError> {
        let expected = self.frontier.size();
        let entry = Entry::from_bytes(data).map_err(|_| LogError::Malformed(expected))?;
        if entry.sequence != expected {
            return Err(LogError::Sequence { expected, found: entry.sequence });
        }
        if entry.time < self.time {
            return Err(LogError::Time(expected));
        }
        self.time = entry.time;
        self.frontier.append(crate::merkle::leaf_hash(data));
        self.remember(&entry);
        Ok(entry)
    }

    /// Compares what was read with what was signed.
    pub fn finish(self, checkpoint: &VerifiedCheckpoint) -> Result<AuditedLog, LogError> {
        let (head, read) = (checkpoint.head(), self.frontier.size());
        if head.size != read {
            return Err(LogError::Size { signed: head.size, read });
        }
        if head.root != self.frontier.root() {
            return Err(LogError::Root);
        }
        Ok(AuditedLog { head, permits: self.permits, heads: self.heads })
    }

    fn remember(&mut self, entry: &Entry) {
        match &entry.event {
            Event::PermitIssued { permit, key, version, operations, not_after, .. } => {
                let (holder, key, not_after) = (entry.actor, key.clone(), *not_after);
                let issued = Issued { holder, key, version: *version, operations: *operations, not_after };
                self.permits.insert(*permit, issued);
            }
            Event::EvaluationHead { index, records, hash } => {
                self.heads.insert((*index, *records), *hash);
            }
            _ => {}
        }
    }
}

/// A manager's log for an account, record after record.
#[derive(Clone, Debug)]
pub struct EvaluationLog {
    index: Index,
    chain: RecordChain,
    /// The hash after each number of records, where the access manager's log may name it.
    hashes: BTreeMap<u64, Hash>,
    uses: Vec<Use>,
    gaps: Vec<Gap>,
    alarms: Vec<(Seconds, Alarm)>,
    evaluations: u64,
}

/// An evaluation record, less what it has in common with its permit.
#[derive(Clone, Debug)]
struct Use {
    record: u64,
    permit: [u8; 16],
    time: Seconds,
    issued: Issued,
}

/// A time for which a manager's log says that it may lack records: it crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The manager.
    pub manager: Index,
    /// The last record before.
    pub since: Seconds,
    /// The first record after.
    pub until: Seconds,
}

/// What is wrong with a manager's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A record doesn't follow.
    #[error(transparent)]
    Chain(#[from] BrokenChain),
    /// The signed head is another account's or manager's, or names another last record.
    #[error("the records are not the ones that the manager signed for")]
    Head,
    /// The roster has no such manager.
    #[error(transparent)]
    Unknown(#[from] UnknownMember),
    /// The manager didn't sign.
    #[error("the manager has not signed the head of its log")]
    Signature(#[from] SignatureError),
}

impl EvaluationLog {
    /// The manager's log, before its first record.
    pub fn new(account: AccountId, index: Index) -> Self {
        Self {
            index,
            chain: RecordChain::new(account, index),
            hashes: BTreeMap::new(),
            uses: Vec::new(),
            gaps: Vec::new(),
            alarms: Vec::new(),
            evaluations: 0,
        }
    }

    /// How many records were read: where the next page starts.
    pub const fn records(&self) -> u64 {
        self.chain.records()
    }

    /// How many inputs were evaluated.
    pub const fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Times for which the log says that it may lack records.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What the manager wants people to look at, and since when.
    pub fn alarms(&self) -> &[(Seconds, Alarm)] {
        &self.alarms
    }

    /// Reads the next record.
    pub fn read(&mut self, record: &Record) -> Result<(), RecordError> {
        self.chain.follow(record)?;
        self.hashes.insert(self.chain.records(), self.chain.last());
        match &record.body {
            RecordBody::Gap { since } => {
                self.gaps.push(Gap { manager: self.index, since: *since, until: record.time });
            }
            RecordBody::Alarm(alarm) => self.alarms.push((record.time, *alarm)),
            RecordBody::Evaluated { permit, holder, key, version, operation, inputs, .. } => {
                self.evaluations += inputs;
                let operations = [*operation].into_iter().collect();
                let (holder, key, not_after) = (*holder, key.clone(), record.time);
                let issued = Issued { holder, key, version: *version, operations, not_after };
                self.uses.push(Use { record: record.sequence, permit: *permit, time: record.time, issued });
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares what was read with what the manager signed for.
    pub fn check_head(&self, signed: &Signed<EvaluationHead>, root: &TrustedRoot) -> Result<(), RecordError> {
        let head = signed.body();
        if *head != self.chain.head(head.time) {
            return Err(RecordError::Head);
        }
        signed.check([&root.member(self.index)?.key], 1)?;
        Ok(())
    }
}

/// Something that the two kinds of logs don't agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The access manager's log lacks the permit: it was left out.
    #[error(
        "manager {manager} evaluated under a permit that the access manager's log lacks (record {record})"
    )]
    PermitMissing {
        /// The manager.
        manager: Index,
        /// Its record.
        record: u64,
    },
    /// The permit in the log is another holder's, key's, version's, or for other operations.
    #[error("manager {manager} evaluated what the permit does not allow (record {record})")]
    OtherThanPermitted {
        /// The manager.
        manager: Index,
        /// Its record.
        record: u64,
    },
    /// The evaluation is later than the permit's end.
    #[error("manager {manager} evaluated after the permit's end (record {record})")]
    AfterPermit {
        /// The manager.
        manager: Index,
        /// Its record.
        record: u64,
    },
    /// The manager's log was rewritten, or cut off, since its head was logged.
    #[error("the log of manager {manager} is not the one whose {records} records it had signed for")]
    Rewritten {
        /// The manager.
        manager: Index,
        /// How many records had been signed for.
        records: u64,
    },
}

impl AuditedLog {
    /// The tree.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// Compares a manager's log with this one. Nothing found means that every evaluation has its permit here, and that
    /// the manager's log still begins with all that it had signed for.
    pub fn reconcile(&self, log: &EvaluationLog) -> Vec<Finding> {
        let heads = (log.index, 0)..=(log.index, u64::MAX);
        let rewritten = self.heads.range(heads).filter(|((_, records), hash)| {
            let same = log.hashes.get(records) == Some(*hash);
            !same && *records > 0
        });
        let rewritten = rewritten
            .map(|((manager, records), _)| Finding::Rewritten { manager: *manager, records: *records });
        rewritten.chain(log.uses.iter().filter_map(|used| self.check_use(log.index, used))).collect()
    }

    fn check_use(&self, manager: Index, used: &Use) -> Option<Finding> {
        let record = used.record;
        let Some(issued) = self.permits.get(&used.permit) else {
            return Some(Finding::PermitMissing { manager, record });
        };
        let same = (issued.holder, &issued.key, issued.version)
            == (used.issued.holder, &used.issued.key, used.issued.version);
        if !same || issued.operations.and(used.issued.operations) != used.issued.operations {
            return Some(Finding::OtherThanPermitted { manager, record });
        }
        (used.time > issued.not_after + LATE).then_some(Finding::AfterPermit { manager, record })
    }
}
