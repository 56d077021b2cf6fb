//! The append-only Merkle log of an account, its checkpoints and cosignatures, the managers' own evaluation logs, and
//! the verification of both against each other (specification §8).
//!
//! Pure: where entries and nodes are stored, and how they travel, is the affair of the roles.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod checkpoint;
mod entry;
mod evaluation;
mod merkle;
mod note;
mod verify;
mod witness;

pub use checkpoint::{CheckpointError, VerifiedCheckpoint, cosigner, origin, sign_checkpoint};
pub use entry::{Entry, Event, Refusal, Refused};
pub use evaluation::{Alarm, BrokenChain, EvaluationHead, Record, RecordBody, RecordChain};
pub use merkle::{
    Frontier, Hash, MissingNode, NodeId, ProofRequest, TreeHead, WrongFrontier, WrongProof, leaf_hash,
};
pub use note::{Line, Note, SignatureType, WrongNote, verifier_key};
pub use verify::{AuditedLog, EvaluationLog, Finding, Gap, LogError, LogReader, RecordError};
pub use witness::{Witness, WitnessError, Witnessed};
