//! Chunk sizes and the arithmetic of lengths: what is where in a ciphertext.

use crate::TAG_LEN;
use core::ops::Range;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Longest message, bytes: 256 TiB keeps the blocks under one key below 2^44 (NIST SP 800-38D's bound for a key is
/// about 2^64 blocks, and the distinguishing advantage stays under 2^-40).
pub const MAX_MESSAGE_LEN: u64 = 1 << 48;

/// How much plaintext a chunk holds: a power of two between 4 KiB and 4 MiB. The header carries the exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSize(u8);

/// A number of bytes that is no chunk size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk size is a power of two between 4 KiB and 4 MiB")]
pub struct WrongChunkSize;

/// More plaintext than one message can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message is at most 256 TiB long")]
pub struct MessageTooLong;

impl ChunkSize {
    /// 64 KiB: large enough for the cipher's full speed, small enough to seek in.
    pub const DEFAULT: Self = Self(16);
    const EXPONENTS: core::ops::RangeInclusive<u8> = 12..=22;

    /// The chunk size of that many bytes.
    pub fn new(bytes: usize) -> Result<Self, WrongChunkSize> {
        let exponent = u8::try_from(bytes.trailing_zeros()).map_err(|_| WrongChunkSize)?;
        if bytes.is_power_of_two() { Self::from_exponent(exponent) } else { Err(WrongChunkSize) }
    }

    fn from_exponent(exponent: u8) -> Result<Self, WrongChunkSize> {
        if Self::EXPONENTS.contains(&exponent) { Ok(Self(exponent)) } else { Err(WrongChunkSize) }
    }

    /// Plaintext bytes in a whole chunk.
    pub const fn plain(self) -> usize {
        1 << self.0
    }

    /// Stored bytes of a whole chunk.
    pub const fn sealed(self) -> usize {
        self.plain() + TAG_LEN
    }

    /// Stored bytes of all chunks of a message of that length.
    pub fn sealed_len(self, message_len: u64) -> Result<u64, MessageTooLong> {
        if message_len > MAX_MESSAGE_LEN {
            return Err(MessageTooLong);
        }
        let chunks = message_len.div_ceil(self.plain() as u64).max(1);
        Ok(message_len + chunks * TAG_LEN as u64)
    }

    /// Most chunks of a message.
    pub(crate) const fn max_chunks(self) -> u64 {
        MAX_MESSAGE_LEN >> self.0
    }
}

impl<C> Encode<C> for ChunkSize {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.u8(self.0).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for ChunkSize {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::from_exponent(d.u8()?).map_err(|_| decode::Error::message("not a chunk size"))
    }
}

/// Where the chunks of a whole ciphertext are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    size: ChunkSize,
    /// Where the first chunk starts.
    start: u64,
    /// Where the ciphertext ends.
    end: u64,
    /// Index of the last chunk.
    last: u64,
}

impl Layout {
    /// The layout of a ciphertext of `end` bytes whose chunks start at `start`; `None` if no ciphertext has that
    /// length: it ends within a tag, or its last chunk would be empty behind another.
    pub(crate) fn new(size: ChunkSize, start: u64, end: u64) -> Option<Self> {
        let body = end.checked_sub(start)?;
        let chunks = body.div_ceil(size.sealed() as u64).max(1);
        let layout = Self { size, start, end, last: chunks - 1 };
        let last = layout.sealed_range(layout.last);
        let shortest = TAG_LEN as u64 + u64::from(chunks > 1);
        (last.end - last.start >= shortest && chunks <= size.max_chunks()).then_some(layout)
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn plain_len(&self) -> u64 {
        self.end - self.start - (self.last + 1) * TAG_LEN as u64
    }

    /// Where the stored bytes of a chunk are. The index is at most that of the last chunk.
    pub(crate) fn sealed_range(&self, index: u64) -> Range<u64> {
        let from = self.start + index * self.size.sealed() as u64;
        from..(from + self.size.sealed() as u64).min(self.end)
    }

    /// The chunk that holds a plaintext offset, and the offset in it; `None` at or behind the end.
    pub(crate) fn locate(&self, offset: u64) -> Option<(u64, usize)> {
        if offset >= self.plain_len() {
            return None;
        }
        let plain = self.size.plain() as u64;
        let skip = usize::try_from(offset % plain).expect("a chunk's length fits");
        Some((offset / plain, skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_powers_of_two_in_bounds() {
        for right in [4096, 65536, 4 << 20] {
            assert_eq!(ChunkSize::new(right).unwrap().plain(), right);
        }
        for wrong in [0, 1, 2048, 4095, 4097, 8 << 20, usize::MAX] {
            assert_eq!(ChunkSize::new(wrong), Err(WrongChunkSize), "{wrong}");
        }
    }

    #[test]
    fn no_ciphertext_ends_within_a_tag() {
        let size = ChunkSize::DEFAULT;
        let whole = size.sealed() as u64;
        for (body, chunks) in [(16, 1), (17, 1), (whole, 1), (whole + 17, 2), (2 * whole, 2)] {
            assert_eq!(Layout::new(size, 100, 100 + body).unwrap().last + 1, chunks, "{body}");
        }
        for body in [0, 1, 15, whole + 1, whole + 15, whole + 16] {
            assert_eq!(Layout::new(size, 100, 100 + body), None, "{body}");
        }
        assert_eq!(Layout::new(size, 100, 99), None);
    }

    proptest! {
        #[test]
        fn lengths_agree_both_ways(length in 0u64..=MAX_MESSAGE_LEN, exponent in 12u8..=22, start in 0u64..1024) {
            let size = ChunkSize::from_exponent(exponent).unwrap();
            let layout = Layout::new(size, start, start + size.sealed_len(length).unwrap()).unwrap();
            prop_assert_eq!(layout.plain_len(), length);
            prop_assert_eq!(layout.sealed_range(layout.last).end, layout.end);
            if let Some(offset) = length.checked_sub(1) {
                prop_assert_eq!(layout.locate(offset).unwrap().0, layout.last);
            }
            prop_assert_eq!(layout.locate(length), None);
        }
    }
}
