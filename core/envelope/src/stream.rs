//! Chunks in order: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance, CRYPTO 2015, §7) over AES-256-GCM.
//!
//! An [`Encryptor`] or [`Decryptor`] hands out slots, one a chunk, in order; a slot carries its nonce and can be
//! used once, on any thread. So chunks are worked on in parallel, and no nonce is used twice.

use crate::{Aead256, ChunkSize, MessageTooLong, NotAuthentic, TAG_LEN};
use alloc::sync::Arc;
use alloc::vec::Vec;
use zeroize::Zeroize;

/// A plaintext chunk that doesn't fill its slot: all but the last are whole, and the last is empty only if the
/// message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of a wrong length")]
pub struct WrongLength;

/// Why chunks are not a message. Nothing of the chunk at fault is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// It ends before its last chunk does.
    #[error("truncated: the file is shorter than what was written")]
    Truncated,
    /// Bytes follow its last chunk.
    #[error("extended: bytes follow the end of what was written")]
    Extended,
    /// The chunk was changed, or cut short, or came from elsewhere: cryptography can't tell these apart.
    #[error("chunk {chunk} is not authentic")]
    NotAuthentic {
        /// The chunk's index, from 0.
        chunk: u64,
    },
}

/// Hands out the slots of a message that is written.
pub struct Encryptor<A> {
    aead: Arc<A>,
    size: ChunkSize,
    index: u64,
}

/// The right to seal one chunk.
pub struct SealSlot<A> {
    aead: Arc<A>,
    size: ChunkSize,
    at: Place,
}

/// Hands out the slots of a message that is read from its start to its end.
pub struct Decryptor<A> {
    aead: Arc<A>,
    size: ChunkSize,
    index: u64,
}

/// The place of one chunk, at which it can be opened.
pub struct OpenSlot<A> {
    aead: Arc<A>,
    size: ChunkSize,
    at: Place,
}

#[derive(Clone, Copy)]
struct Place {
    index: u64,
    last: bool,
}

impl Place {
    /// `000000 ‖ index (8 bytes, big-endian) ‖ 00 or, on the last chunk, 01`
    fn nonce(self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.index.to_be_bytes());
        nonce[11] = u8::from(self.last);
        nonce
    }

    fn admits(self, plain: usize, size: ChunkSize) -> bool {
        let shortest = if self.last { usize::from(self.index > 0) } else { size.plain() };
        (shortest..=size.plain()).contains(&plain)
    }

    fn other(self) -> Self {
        Self { last: !self.last, ..self }
    }
}

impl<A: Aead256> Encryptor<A> {
    pub(crate) fn new(aead: A, size: ChunkSize) -> Self {
        Self { aead: Arc::new(aead), size, index: 0 }
    }

    /// Plaintext bytes that a slot takes.
    pub fn chunk_size(&self) -> ChunkSize {
        self.size
    }

    /// The next slot, for a whole chunk that others follow.
    #[expect(clippy::should_implement_trait, reason = "it fails where an iterator would end")]
    pub fn next(&mut self) -> Result<SealSlot<A>, MessageTooLong> {
        if self.index + 1 >= self.size.max_chunks() {
            return Err(MessageTooLong);
        }
        let slot = self.slot(false);
        self.index += 1;
        Ok(slot)
    }

    /// The slot of the last chunk.
    pub fn last(self) -> SealSlot<A> {
        self.slot(true)
    }

    fn slot(&self, last: bool) -> SealSlot<A> {
        SealSlot { aead: self.aead.clone(), size: self.size, at: Place { index: self.index, last } }
    }
}

impl<A: Aead256> SealSlot<A> {
    /// Seals a chunk where it is, and appends its tag.
    pub fn seal(self, chunk: &mut Vec<u8>) -> Result<(), WrongLength> {
        if !self.at.admits(chunk.len(), self.size) {
            return Err(WrongLength);
        }
        let tag = self.aead.seal(self.at.nonce(), chunk);
        chunk.extend_from_slice(&tag);
        Ok(())
    }
}

impl<A: Aead256> Decryptor<A> {
    pub(crate) fn new(aead: A, size: ChunkSize) -> Self {
        Self { aead: Arc::new(aead), size, index: 0 }
    }

    /// How much a slot takes and gives.
    pub fn chunk_size(&self) -> ChunkSize {
        self.size
    }

    /// The next slot, of a whole chunk that others follow.
    #[expect(clippy::should_implement_trait, reason = "it fails where an iterator would end")]
    pub fn next(&mut self) -> Result<OpenSlot<A>, StreamError> {
        if self.index + 1 >= self.size.max_chunks() {
            return Err(StreamError::Extended);
        }
        let slot = self.slot(self.index, false);
        self.index += 1;
        Ok(slot)
    }

    /// The slot of the last chunk. A message whose last chunk wasn't opened was not read whole.
    pub fn last(self) -> OpenSlot<A> {
        self.slot(self.index, true)
    }

    pub(crate) fn slot(&self, index: u64, last: bool) -> OpenSlot<A> {
        OpenSlot { aead: self.aead.clone(), size: self.size, at: Place { index, last } }
    }
}

impl<A: Aead256> OpenSlot<A> {
    /// Opens a stored chunk into `text`, replacing what is there. On an error `text` is wiped and empty.
    pub fn open(self, sealed: &[u8], text: &mut Vec<u8>) -> Result<(), StreamError> {
        let opened = self.check_len(sealed.len()).and_then(|()| self.open_as_placed(sealed, text));
        if opened.is_err() {
            text.zeroize();
        }
        opened
    }

    fn check_len(&self, sealed: usize) -> Result<(), StreamError> {
        match sealed.checked_sub(TAG_LEN) {
            Some(plain) if self.at.admits(plain, self.size) => Ok(()),
            Some(plain) if plain > self.size.plain() => Err(StreamError::Extended),
            _ => Err(StreamError::Truncated),
        }
    }

    /// What is authentic in the other role tells that the end was moved; anything else tells nothing.
    fn open_as_placed(&self, sealed: &[u8], text: &mut Vec<u8>) -> Result<(), StreamError> {
        if self.open_at(self.at, sealed, text).is_ok() {
            return Ok(());
        }
        match self.open_at(self.at.other(), sealed, text) {
            Ok(()) if self.at.last => Err(StreamError::Truncated),
            Ok(()) => Err(StreamError::Extended),
            Err(NotAuthentic) => Err(StreamError::NotAuthentic { chunk: self.at.index }),
        }
    }

    fn open_at(&self, at: Place, sealed: &[u8], text: &mut Vec<u8>) -> Result<(), NotAuthentic> {
        let (sealed, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(NotAuthentic)?;
        text.resize(sealed.len(), 0);
        self.aead.open(at.nonce(), sealed, tag, text)
    }
}
