//! Messages between a client and a fragment manager (specification §6): requests, responses, the closed list of errors.
//!
//! Only bytes and their shape live here: who sends them through what, and whether a request is granted, is decided
//! elsewhere. Every message is canonical CBOR; a message of any other encoding is refused.

mod error;
mod message;

pub use error::{Denial, Document, Error, Refusal, Unsuitable};
pub use message::{Inputs, LogPage, Request, Response, Status, WrongInputCount};

use minicbor::{Decode, Encode};
use symbolon_encoding::{DecodeError, from_canonical};

/// Largest frame in bytes, without its length prefix; a hostile peer can make the other side buffer no more. A request to
/// evaluate takes some KiB; what is long is a deny document, which only grows: some 7,000 holders, or 25,000 grants, fit.
pub const MAX_FRAME: usize = 256 * 1024;
/// Longest document in bytes that a frame carries, with its signatures.
pub const MAX_DOCUMENT: usize = MAX_FRAME - 1024;
/// Most inputs in one request: a batched proof covers as many (RFC 9497 composites stay cheap), and they hold a worker
/// for about 3 ms.
pub const MAX_INPUTS: usize = 64;
/// Most requests without a response on one channel; a further one is answered `busy`.
pub const MAX_IN_FLIGHT: usize = 64;

/// A message with the number by which a response finds its request; numbers are the requester's to choose.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Numbered<M> {
    /// The request's number on its channel.
    #[n(0)]
    pub id: u64,
    /// The message.
    #[n(1)]
    pub message: M,
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMessage {
    /// A request or response of unknown shape; its number can be read, so it can be answered.
    #[error("malformed message")]
    Body {
        /// The message's number.
        id: u64,
    },
    /// Not even the number can be read: the peer doesn't speak this protocol.
    #[error("not a numbered message")]
    Frame,
}

impl<M> Numbered<M>
where
    M: Encode<()> + for<'b> Decode<'b, ()>,
{
    /// Reads a message from the content of one frame.
    pub fn read(frame: &[u8]) -> Result<Self, MalformedMessage> {
        from_canonical(frame).map_err(|_: DecodeError| match number_of(frame) {
            Some(id) => MalformedMessage::Body { id },
            None => MalformedMessage::Frame,
        })
    }
}

fn number_of(frame: &[u8]) -> Option<u64> {
    let mut decoder = minicbor::Decoder::new(frame);
    (decoder.array().ok()? == Some(2)).then(|| decoder.u64().ok())?
}
#[cfg(test)]
mod tests;
