//! The append-only Merkle log, its checkpoints and cosignatures, and their verification.
#![no_std]
#![forbid(unsafe_code)]
