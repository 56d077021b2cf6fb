//! The bytes before the first chunk: magic, format version, header, commitment (specification §4.1).

use crate::{Aead256, Decryptor, Encryptor, Header, HeaderError};
use alloc::vec::Vec;
use symbolon_fragments::{COMMITMENT_BYTES, Commitment, CommitmentMismatch, Derived};

pub(crate) const MAGIC: &[u8; 8] = b"SYMBOLON";
pub(crate) const FORMAT_VERSION: u8 = 1;
/// Magic, format version, and the header's length, bytes.
pub const PREFIX_LEN: usize = MAGIC.len() + 3;
/// Longest encoding of a header that a reader accepts, bytes; the longest that there is has under 500.
const MAX_HEADER_LEN: usize = 1024;
/// Longest preamble, bytes.
pub const MAX_PREAMBLE_LEN: usize = PREFIX_LEN + MAX_HEADER_LEN + COMMITMENT_BYTES;

/// The first bytes of a ciphertext, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preamble {
    header: Header,
    commitment: Commitment,
    len: usize,
}

/// How long the whole preamble is, from its first bytes: for readers of streams.
pub fn preamble_len(prefix: &[u8; PREFIX_LEN]) -> Result<usize, HeaderError> {
    let (magic, rest) = prefix.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(HeaderError::Malformed);
    }
    if rest[0] != FORMAT_VERSION {
        return Err(HeaderError::UnsupportedVersion(rest[0]));
    }
    match usize::from(u16::from_be_bytes([rest[1], rest[2]])) {
        length @ 1..=MAX_HEADER_LEN => Ok(PREFIX_LEN + length + COMMITMENT_BYTES),
        _ => Err(HeaderError::Malformed),
    }
}

impl Preamble {
    /// Writes the preamble of a new message and makes the encryptor of its chunks.
    pub fn write<A: Aead256>(header: &Header, derived: Derived) -> (Vec<u8>, Encryptor<A>) {
        let (key, commitment) = derived.into_parts();
        let mut out = header.encode();
        out.extend_from_slice(commitment.as_bytes());
        (out, Encryptor::new(A::new(key.as_bytes()), header.chunk))
    }

    /// Reads the preamble at the start of `bytes`, which may go on. It needs no key, and proves nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let Some(prefix) = bytes.first_chunk::<PREFIX_LEN>() else {
            return Err(too_short(bytes));
        };
        let len = preamble_len(prefix)?;
        let whole = bytes.get(..len).ok_or(HeaderError::Truncated)?;
        let (header, commitment) = whole.split_at(len - COMMITMENT_BYTES);
        let commitment = commitment.try_into().map_err(|_| HeaderError::Truncated)?;
        let header = Header::decode(&header[PREFIX_LEN..])?;
        Ok(Self { header, commitment: Commitment::new(commitment), len })
    }

    /// What the ciphertext says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Length of the preamble, bytes: where the first chunk starts.
    #[expect(clippy::len_without_is_empty, reason = "a preamble is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The decryptor of the chunks, if the key, derived anew, is the one that the ciphertext was written with.
    pub fn unlock<A: Aead256>(&self, derived: Derived) -> Result<Decryptor<A>, CommitmentMismatch> {
        let key = derived.open(&self.commitment)?;
        Ok(Decryptor::new(A::new(key.as_bytes()), self.header.chunk))
    }
}

fn too_short(bytes: &[u8]) -> HeaderError {
    let magic = &bytes[..bytes.len().min(MAGIC.len())];
    if MAGIC.starts_with(magic) { HeaderError::Truncated } else { HeaderError::Malformed }
}
