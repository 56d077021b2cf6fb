//! A manager's own log: what it evaluated, refused and installed, as a chain of hashes (specification §8.3).
//!
//! Records are written at most a second after what they say. A crash loses at most that second, and the next start
//! says so: a log never has a gap that it doesn't state.

use crate::{
    entry::{Refusal, Refused},
    merkle::Hash,
};
use core::fmt;
use minicbor::{Decode, Encode};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, Thumbprint};
use symbolon_trust::{Document, Installed, Operation, Seconds};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// The record's number, from 0.
    #[n(0)]
    pub sequence: u64,
    /// The hash of the record before; zeros for the first.
    #[n(1)]
    pub previous: Hash,
    /// When it was written.
    #[n(2)]
    pub time: Seconds,
    /// What happened.
    #[n(3)]
    pub body: RecordBody,
}

/// What happened. A closed list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum RecordBody {
    /// The manager began to serve the account.
    #[n(0)]
    Started,
    /// It ended in order: everything was written.
    #[n(1)]
    Stopped,
    /// It had ended without order: what it did since that time may be missing.
    #[n(2)]
    Gap {
        /// The time of the last record.
        #[n(0)]
        since: Seconds,
    },
    /// Inputs were evaluated under a permit.
    #[n(3)]
    Evaluated {
        /// The permit.
        #[cbor(n(0), with = "minicbor::bytes")]
        permit: [u8; 16],
        /// Whose it is.
        #[n(1)]
        holder: Thumbprint,
        /// The key.
        #[n(2)]
        key: KeyId,
        /// Its version.
        #[n(3)]
        version: u64,
        /// What was done.
        #[n(4)]
        operation: Operation,
        /// Which instance answered.
        #[n(5)]
        instance: InstanceId,
        /// How many inputs since the last such record.
        #[n(6)]
        inputs: u64,
    },
    /// Something was refused.
    #[n(4)]
    Refused {
        /// To whom.
        #[n(0)]
        holder: Thumbprint,
        /// What.
        #[n(1)]
        what: Refused,
        /// Why.
        #[n(2)]
        reason: Refusal,
        /// How often since the last such record.
        #[n(3)]
        times: u64,
    },
    /// A document was stored.
    #[n(5)]
    Installed {
        /// Its kind.
        #[n(0)]
        document: Installed,
        /// Its version or serial.
        #[n(1)]
        number: u64,
        /// Its hash.
        #[n(2)]
        hash: Hash,
    },
    /// A key certificate was signed.
    #[n(6)]
    Certified {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// Its version.
        #[n(1)]
        version: u64,
        /// The hash of the certificate.
        #[n(2)]
        certificate: Hash,
    },
    /// An instance settled.
    #[n(7)]
    Settled {
        /// The instance.
        #[n(0)]
        instance: InstanceId,
    },
    /// A key version's fragments were destroyed.
    #[n(8)]
    Destroyed {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// Its version.
        #[n(1)]
        version: u64,
        /// The order's serial.
        #[n(2)]
        order: u64,
    },
    /// Something that people must look at.
    #[n(9)]
    Alarm(#[n(0)] Alarm),
}

/// What people must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Alarm {
    /// A complete certificate of its own that the manager doesn't hold: it was restored from a backup.
    #[n(1)]
    RolledBack,
    /// The audit log was rewritten.
    #[n(2)]
    AuditLogRewritten,
    /// The ceremony log was rewritten.
    #[n(3)]
    CeremonyLogRewritten,
    /// The clock was set back.
    #[n(4)]
    ClockSetBack,
    /// The instance in use is older than it should be.
    #[n(5)]
    EpochTooOld,
    /// Another member signed two things that exclude each other, or dealt wrongly.
    #[n(6)]
    MemberLied,
}

/// How far a manager's log has come: what the next record follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordChain {
    account: AccountId,
    index: Index,
    records: u64,
    last: Hash,
    time: Seconds,
}

/// A record that doesn't follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// Another number than the next.
    #[error("record {expected} is missing: record {found} follows")]
    Sequence {
        /// The number that should follow.
        expected: u64,
        /// The number that follows.
        found: u64,
    },
    /// Another predecessor: a record was edited, removed or put in.
    #[error("record {0} does not follow from the one before it")]
    Previous(u64),
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RolledBack => "it was restored from a backup: it lacks fragments that it had signed for",
            Self::AuditLogRewritten => "the access manager's log is not the one that it cosigned",
            Self::CeremonyLogRewritten => "the ceremony log was rewritten",
            Self::ClockSetBack => "its clock was set back",
            Self::EpochTooOld => "its fragments are older than they should be",
            Self::MemberLied => "another manager lied in a ceremony",
        })
    }
}

impl RecordChain {
    /// The chain of a manager's log for an account, before its first record.
    pub const fn new(account: AccountId, index: Index) -> Self {
        Self { account, index, records: 0, last: Hash([0; 32]), time: Seconds(0) }
    }

    /// The chain where a store left it.
    pub const fn resume(account: AccountId, index: Index, records: u64, last: Hash, time: Seconds) -> Self {
        Self { account, index, records, last, time }
    }

    /// The number of records.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The hash of the last record.
    pub const fn last(&self) -> Hash {
        self.last
    }

    /// Makes the next record. Its time is never before the last one's.
    pub fn append(&mut self, time: Seconds, body: RecordBody) -> Record {
        let time = time.max(self.time);
        let record = Record { sequence: self.records, previous: self.last, time, body };
        self.advance(&record);
        record
    }

    /// Follows a record that somebody else made.
    pub fn follow(&mut self, record: &Record) -> Result<(), BrokenChain> {
        if record.sequence != self.records {
            return Err(BrokenChain::Sequence { expected: self.records, found: record.sequence });
        }
        if record.previous != self.last || record.time < self.time {
            return Err(BrokenChain::Previous(record.sequence));
        }
        self.advance(record);
        Ok(())
    }

    /// The head, for the manager to sign.
    pub const fn head(&self, time: Seconds) -> EvaluationHead {
        EvaluationHead {
            account: self.account,
            index: self.index,
            records: self.records,
            hash: self.last,
            time,
        }
    }

    fn advance(&mut self, record: &Record) {
        self.last = Hash(
            Tuple::new("evaluation-record").value(&self.account).value(&self.index).value(record).sha256(),
        );
        self.records += 1;
        self.time = record.time;
    }
}

/// A manager's word on how far its log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EvaluationHead {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The manager.
    #[n(1)]
    pub index: Index,
    /// The number of records.
    #[n(2)]
    pub records: u64,
    /// The hash of the last one.
    #[n(3)]
    pub hash: Hash,
    /// When the manager signed.
    #[n(4)]
    pub time: Seconds,
}

impl Document for EvaluationHead {
    const LABEL: &'static str = "evaluation-head";
}
