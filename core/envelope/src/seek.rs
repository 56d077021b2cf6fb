//! Chunks in any order, for readers that seek (specification §4.4).
//!
//! A reader that jumps would not notice a shortened message, so it opens the last chunk before any other: its nonce
//! holds its index and says that it is the last, which proves the length of the whole.

use crate::chunk::Layout;
use crate::{Aead256, Decryptor, Preamble, StreamError};
use alloc::vec::Vec;
use core::ops::Range;

/// A message whose end is still to be checked.
pub struct EndCheck<A> {
    decryptor: Decryptor<A>,
    layout: Layout,
}

/// A message whose length is proven, and whose chunks can be opened in any order.
pub struct SeekDecryptor<A> {
    decryptor: Decryptor<A>,
    layout: Layout,
}

/// Where a plaintext byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Index of its chunk.
    pub chunk: u64,
    /// Its offset in the opened chunk.
    pub skip: usize,
}

impl<A: Aead256> EndCheck<A> {
    /// A reader of a ciphertext that has `total_len` bytes, preamble included.
    pub fn new(preamble: &Preamble, decryptor: Decryptor<A>, total_len: u64) -> Result<Self, StreamError> {
        let layout = Layout::new(decryptor.chunk_size(), preamble.len() as u64, total_len);
        Ok(Self { decryptor, layout: layout.ok_or(StreamError::Truncated)? })
    }

    /// Where the stored bytes of the last chunk are.
    pub fn last_range(&self) -> Range<u64> {
        self.layout.sealed_range(self.layout.last())
    }

    /// Opens the last chunk into `text` and so proves the length.
    pub fn verify(self, sealed: &[u8], text: &mut Vec<u8>) -> Result<SeekDecryptor<A>, StreamError> {
        self.decryptor.slot(self.layout.last(), true).open(sealed, text)?;
        Ok(SeekDecryptor { decryptor: self.decryptor, layout: self.layout })
    }
}

impl<A: Aead256> SeekDecryptor<A> {
    /// Length of the plaintext, bytes.
    pub fn plain_len(&self) -> u64 {
        self.layout.plain_len()
    }

    /// Where the plaintext byte at an offset is; `None` at or behind the end.
    pub fn locate(&self, offset: u64) -> Option<Position> {
        self.layout.locate(offset).map(|(chunk, skip)| Position { chunk, skip })
    }

    /// Where the stored bytes of a chunk that [`SeekDecryptor::locate`] named are.
    pub fn sealed_range(&self, chunk: u64) -> Range<u64> {
        self.layout.sealed_range(chunk)
    }

    /// Opens a chunk into `text`, replacing what is there.
    pub fn open(&self, chunk: u64, sealed: &[u8], text: &mut Vec<u8>) -> Result<(), StreamError> {
        self.decryptor.slot(chunk, chunk == self.layout.last()).open(sealed, text)
    }
}
