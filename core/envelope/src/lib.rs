//! The ciphertext format and the sealing of small secrets (specification §4).
//!
//! What a ciphertext looks like, how its chunks are sealed, opened and found again, and how small secrets
//! (fragments, identities, keystores) are kept at rest. It does no I/O, fetches no key, and derives none: a
//! message's key comes from `symbolon-fragments`, the bytes come and go through the caller's buffers.
//!
//! A ciphertext is written in this order: a [`Header`] is made and encoded, the key is derived from the encoded
//! header, [`Preamble::write`] gives the first bytes and an [`Encryptor`], whose slots seal the chunks. It is read
//! in this order: [`Preamble::parse`], derive, [`Preamble::unlock`] (which checks the commitment and is the only
//! way to a [`Decryptor`]), then the chunks in order, or by [`EndCheck`] in any order.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod aead;
mod chunk;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod header;
mod message;
mod preamble;
pub mod sealed;
mod seek;
mod stream;

pub use aead::{Aead256, Aes256GcmCore, NotAuthentic, TAG_LEN};
pub use chunk::{ChunkSize, MAX_MESSAGE_LEN, MessageTooLong, WrongChunkSize};
pub use context::{Context, ContextError, MAX_CONTEXT_PAIRS};
pub use header::{Header, HeaderError};
pub use message::{open_message, seal_message};
pub use preamble::{MAX_PREAMBLE_LEN, PREFIX_LEN, Preamble, preamble_len};
pub use seek::{EndCheck, Position, SeekDecryptor};
pub use stream::{Decryptor, Encryptor, OpenSlot, SealSlot, StreamError, WrongLength};
pub use symbolon_fragments::CommitmentMismatch;
