//! The header of a ciphertext: which key opens it, and who wrote it when (specification §4.1).

use crate::preamble::{FORMAT_VERSION, MAGIC};
use crate::{ChunkSize, MAX_CONTEXT_PAIRS, PREFIX_LEN};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::{AccountId, KeyId, Purpose, Thumbprint};
use symbolon_fragments::{COMMITMENT_BYTES, CustomerFragmentId, Fields, Input, KeyScope, SuiteId};

/// What a ciphertext says about itself. It is readable by anybody and, once the commitment has been checked, bound
/// to the key: a changed field gives another key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// The suite of the key.
    #[n(0)]
    pub suite: SuiteId,
    /// The account of the key.
    #[n(1)]
    pub account: AccountId,
    /// The key.
    #[n(2)]
    pub key: KeyId,
    /// The key's version, from 1.
    #[n(3)]
    pub version: u64,
    /// What the key is for.
    #[n(4)]
    pub purpose: Purpose,
    /// The holder that encrypted.
    #[n(5)]
    pub writer: Thumbprint,
    /// When it was encrypted, Unix seconds.
    #[n(6)]
    pub created: u64,
    /// Drawn anew for each message.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub r: [u8; 32],
    /// The customer fragment that took part, if the key asks for one.
    #[cbor(n(8), with = "optional_cf")]
    pub cf: Option<CustomerFragmentId>,
    /// How much plaintext a chunk holds.
    #[n(9)]
    pub chunk: ChunkSize,
    /// How many context pairs the message is bound to: a hint for people.
    #[n(10)]
    pub context_pairs: u8,
}

impl Header {
    /// The key version that it names.
    pub fn scope(&self) -> KeyScope {
        KeyScope { account: self.account, suite: self.suite, key: self.key.clone(), version: self.version }
    }

    /// What is particular to this message.
    pub fn fields(&self) -> Fields {
        Fields { purpose: self.purpose, writer: self.writer, created: self.created, r: self.r }
    }

    /// The derivation input that its key comes from.
    pub fn input(&self) -> Input {
        Input::new(&self.scope(), &self.fields())
    }

    /// The header as it is stored, from the magic bytes on and without the commitment: what a key is derived from.
    ///
    /// # Panics
    /// Never: a header has at most 400 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let body = to_canonical(self);
        let length = u16::try_from(body.len()).expect("a header is short");
        let mut out = Vec::with_capacity(PREFIX_LEN + body.len() + COMMITMENT_BYTES);
        out.extend_from_slice(MAGIC);
        out.push(FORMAT_VERSION);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&body);
        out
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, HeaderError> {
        let header: Self = from_canonical(body).map_err(|_| HeaderError::Malformed)?;
        let possible = header.version >= 1 && usize::from(header.context_pairs) <= MAX_CONTEXT_PAIRS;
        if possible { Ok(header) } else { Err(HeaderError::Malformed) }
    }
}

/// A customer fragment's id, or a zero-length byte string where the key asks for none.
mod optional_cf {
    use super::CustomerFragmentId;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    #[expect(clippy::ref_option, reason = "the derive passes the field as it is")]
    pub fn encode<C, W: Write>(
        cf: &Option<CustomerFragmentId>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(cf.as_ref().map_or(&[][..], |id| id.as_bytes())).map(|_| ())
    }

    pub fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Option<CustomerFragmentId>, DecodeError> {
        match d.bytes()? {
            [] => Ok(None),
            id => {
                let id = id.try_into().map_err(|_| DecodeError::message("not a customer fragment's id"))?;
                Ok(Some(CustomerFragmentId::new(id)))
            }
        }
    }
}

/// Why bytes are not the beginning of a ciphertext that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not a Symbolon ciphertext, or a header that no writer makes.
    #[error("malformed header: this is not a Symbolon ciphertext")]
    Malformed,
    /// Written by a newer version of the format.
    #[error("unsupported format version {0}")]
    UnsupportedVersion(u8),
    /// It ends before the header does.
    #[error("truncated: the file ends within its header")]
    Truncated,
}
