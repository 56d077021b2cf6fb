//! The distributed pseudo-random function: suites, derivation inputs, evaluation, proofs, combination.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod names;
