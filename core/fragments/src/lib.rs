//! The distributed pseudo-random function: suites, derivation inputs, evaluation, proofs, combination (specification §3).
//!
//! A key `k` exists as fragments, points on a polynomial of degree `t−1` over the scalar field whose value at zero is
//! `k`. A fragment manager turns an input into its share of the output ([`Evaluator`]); whoever holds `t` such shares
//! combines them ([`Instance`], [`Combination`]) and derives a key of one use ([`Output::derive`]).
//!
//! Generic code is written over [`Suite`]; code that learns the suite when it runs uses the object-safe [`Evaluator`]
//! and the types behind it, or [`SuiteId::visit`]. Who may evaluate, and how fragments are made and moved, are the
//! affairs of other crates.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod combination;
mod customer;
mod derivation;
mod fragment;
mod input;
pub mod names;
mod proof;
mod random;
#[cfg(test)]
mod rfc_tests;
mod sharing;
pub mod suite;
#[cfg(test)]
mod vectors;

pub use combination::{Combination, CombineError, Instance, Output, Proven, Refused};
pub use customer::{CustomerContribution, CustomerFragment, CustomerFragmentId};
pub use derivation::{Binding, COMMITMENT_BYTES, Commitment, CommitmentMismatch, Derived, Key};
pub use fragment::{Batch, EvaluateError, Evaluation, Evaluator, Fragment, WrongFragment, load};
pub use input::{Fields, Input, KeyScope};
pub use proof::{MAX_BATCH, Proof, WrongProof};
pub use random::OldRng;
pub use sharing::{PublicShare, Quorum, Sharing, WrongQuorum, WrongSharing, value_at};
pub use suite::{P256Sha256, Ristretto255Sha512, Suite, SuiteId, SuiteVisitor};
