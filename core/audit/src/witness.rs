//! A manager as witness: it cosigns a checkpoint only if it extends the last one that it cosigned.

use crate::{
    checkpoint::VerifiedCheckpoint,
    merkle::{Hash, TreeHead, WrongProof},
    note::Line,
};
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_trust::{KeyPair, Now};

/// What a manager remembers, durably, of an account's log: the last tree that it cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Witness {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    head: TreeHead,
}

/// A checkpoint that may be cosigned, once the new state was stored.
#[derive(Clone, Debug)]
pub struct Witnessed<'a> {
    next: Witness,
    checkpoint: &'a VerifiedCheckpoint,
}

/// Why a manager doesn't cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Another account's log.
    #[error("the checkpoint is another account's")]
    Account,
    /// The log was rewritten, or the proof is wrong: an alarm.
    #[error("the checkpoint does not extend the last one that was cosigned")]
    NotConsistent(#[from] WrongProof),
}

impl Witness {
    /// A witness that has seen nothing.
    pub fn new(account: AccountId) -> Self {
        Self { account, head: TreeHead::empty() }
    }

    /// The size of the last tree that was cosigned: where the next proof starts.
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// Checks that a checkpoint extends the last one. The next state is to be stored before it is cosigned.
    pub fn check<'a>(
        &self,
        checkpoint: &'a VerifiedCheckpoint,
        proof: &[Hash],
    ) -> Result<Witnessed<'a>, WitnessError> {
        if checkpoint.account() != self.account {
            return Err(WitnessError::Account);
        }
        checkpoint.head().check_extends(&self.head, proof)?;
        Ok(Witnessed { next: Self { head: checkpoint.head(), ..*self }, checkpoint })
    }
}

impl Witnessed<'_> {
    /// The state to store.
    pub const fn next(&self) -> &Witness {
        &self.next
    }

    /// The cosignature.
    pub fn cosign(&self, index: Index, key: &KeyPair, now: Now) -> Line {
        self.checkpoint.cosign(index, key, now.time())
    }
}
