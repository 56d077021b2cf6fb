//! The ciphertext format and the sealing of small secrets (specification §4).
//!
//! What a ciphertext looks like, how its chunks are sealed, opened and found again, and how small secrets
//! (fragments, identities, keystores) are kept at rest. It does no I/O, fetches no key, and derives none: a
//! message's key comes from `symbolon-fragments`, the bytes come and go through the caller's buffers.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod sealed;
