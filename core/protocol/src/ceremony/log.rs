//! The access manager's append-only log of an account's ceremonies, as a hash chain (specification §5.1).
//!
//! Nobody's safety depends on the log: a member takes its messages in any order, again, or never. The chain makes a log
//! that was rewritten, or that shows two members different things, evident to both.

use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::AccountId;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Its place, from 1, without gaps.
    #[n(0)]
    pub sequence: u64,
    /// The chain's hash before it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub previous: [u8; 32],
    /// The message, canonically encoded.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub message: Vec<u8>,
}

/// Where a log ends: its last sequence number and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Chain {
    /// The account.
    #[n(0)]
    account: AccountId,
    /// The last entry's place; 0 for an empty log.
    #[n(1)]
    sequence: u64,
    /// The hash there; all zero for an empty log.
    #[cbor(n(2), with = "minicbor::bytes")]
    head: [u8; 32],
}

/// The log does not continue as the reader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Entries are missing, or come again.
    #[error("log entry {found} where {expected} was due")]
    Gap {
        /// The place that was due.
        expected: u64,
        /// The place that came.
        found: u64,
    },
    /// The log has another past than the one that was read.
    #[error("log entry {sequence} continues another log than the one read so far")]
    Forked {
        /// Where it shows.
        sequence: u64,
    },
}

impl Chain {
    /// An empty log.
    pub const fn new(account: AccountId) -> Self {
        Self { account, sequence: 0, head: [0; 32] }
    }

    /// A log that was read or written up to here.
    pub const fn at(account: AccountId, sequence: u64, head: [u8; 32]) -> Self {
        Self { account, sequence, head }
    }

    /// The last entry's place; 0 for an empty log.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The hash of everything up to there.
    pub const fn head(&self) -> &[u8; 32] {
        &self.head
    }

    /// Appends a message.
    pub fn append(&mut self, message: Vec<u8>) -> Entry {
        let entry = Entry { sequence: self.sequence + 1, previous: self.head, message };
        self.step(&entry);
        entry
    }

    /// Reads on: checks that the entry is the next one of this very log.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.sequence + 1;
        if entry.sequence != expected {
            return Err(Broken::Gap { expected, found: entry.sequence });
        }
        if entry.previous != self.head {
            return Err(Broken::Forked { sequence: entry.sequence });
        }
        self.step(entry);
        Ok(())
    }

    fn step(&mut self, entry: &Entry) {
        let message: [u8; 32] = Sha256::digest(&entry.message).into();
        self.head = Tuple::new("ceremony-log")
            .bytes(self.account.as_bytes())
            .uint(entry.sequence)
            .bytes(&entry.previous)
            .bytes(&message)
            .sha256();
        self.sequence = entry.sequence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_followed_entry_by_entry_or_not_at_all() {
        let mut written = Chain::new(AccountId::new([1; 32]));
        let entries = [b"a".to_vec(), b"b".to_vec()].map(|message| written.append(message));
        let mut read = Chain::new(AccountId::new([1; 32]));
        assert_eq!(read.follow(&entries[1]), Err(Broken::Gap { expected: 1, found: 2 }));
        read.follow(&entries[0]).unwrap();
        assert_eq!(read.follow(&entries[0]), Err(Broken::Gap { expected: 2, found: 1 }));
        let mut rewritten = Chain::new(AccountId::new([1; 32]));
        rewritten.append(b"c".to_vec());
        assert_eq!(read.follow(&rewritten.append(b"b".to_vec())), Err(Broken::Forked { sequence: 2 }));
        read.follow(&entries[1]).unwrap();
        assert_eq!(read, written);
    }

    #[test]
    fn the_same_messages_in_another_account_make_another_chain() {
        let [mut one, mut other] = [[1; 32], [2; 32]].map(|id| Chain::new(AccountId::new(id)));
        one.append(b"a".to_vec());
        other.append(b"a".to_vec());
        assert_ne!(one.head(), other.head());
    }
}
