//! Frames: a 4-byte big-endian length and a numbered message in canonical CBOR, of a bounded length (specification §6).
//!
//! Messages are encoded straight into the connection's buffer.

use std::io;
use std::marker::PhantomData;

use bytes::{Buf, BufMut, BytesMut};
use minicbor::{Decode, Encode};
use symbolon_protocol::wire::{MAX_FRAME, MalformedMessage, Numbered};
use tokio_util::codec::{Decoder, Encoder};

const PREFIX: usize = 4;
/// The buffer of a longer frame is given back: few frames are, and there are many channels.
const KEPT: usize = 64 * 1024;

/// Why a stream of frames ended.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The transport failed, or ended inside a frame.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The peer announced a frame larger than allowed.
    #[error("a frame of {announced} bytes was announced; {MAX_FRAME} are allowed")]
    Oversized {
        /// Announced length in bytes.
        announced: usize,
    },
    /// A message of ours doesn't fit a frame.
    #[error("a message of {size} bytes doesn't fit a frame")]
    Unsendable {
        /// Encoded length in bytes.
        size: usize,
    },
}

/// A frame as it came.
pub(crate) struct Received<In> {
    /// Its length in bytes.
    pub size: usize,
    /// What it says.
    pub message: Result<Numbered<In>, MalformedMessage>,
}

/// Writes messages `Out`, reads messages `In`.
pub(crate) struct Frames<In, Out>(PhantomData<fn(Out) -> In>);

impl<In, Out> Frames<In, Out> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<In, Out> Decoder for Frames<In, Out>
where
    In: Encode<()> + for<'b> Decode<'b, ()>,
{
    type Item = Received<In>;
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Item>, FrameError> {
        let Some(size) = announced(buffer)? else { return Ok(None) };
        if buffer.len() < PREFIX + size {
            buffer.reserve((PREFIX + size - buffer.len()).min(KEPT)); // what was only announced costs nothing
            return Ok(None);
        }
        let message = Numbered::read(&buffer[PREFIX..PREFIX + size]);
        buffer.advance(PREFIX + size);
        if size > KEPT {
            *buffer = BytesMut::from(&buffer[..]);
        }
        Ok(Some(Received { size, message }))
    }
}

fn announced(buffer: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(prefix) = buffer.first_chunk::<PREFIX>() else { return Ok(None) };
    let announced = u32::from_be_bytes(*prefix) as usize;
    if announced > MAX_FRAME { Err(FrameError::Oversized { announced }) } else { Ok(Some(announced)) }
}

impl<In, Out: Encode<()>> Encoder<Numbered<Out>> for Frames<In, Out> {
    type Error = FrameError;

    fn encode(&mut self, message: Numbered<Out>, buffer: &mut BytesMut) -> Result<(), FrameError> {
        let start = buffer.len();
        buffer.put_u32(0);
        minicbor::encode(&message, Tail(buffer))
            .map_err(|_| io::Error::other("message cannot be encoded"))?;
        let size = buffer.len() - start - PREFIX;
        if size > MAX_FRAME {
            buffer.truncate(start);
            return Err(FrameError::Unsendable { size });
        }
        buffer[start..start + PREFIX].copy_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
        Ok(())
    }
}

/// The end of a buffer, for minicbor to write to.
struct Tail<'a>(&'a mut BytesMut);

impl minicbor::encode::Write for Tail<'_> {
    type Error = std::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Echo = Frames<String, String>;

    fn frame(text: &str) -> BytesMut {
        let mut buffer = BytesMut::new();
        Echo::new().encode(Numbered { id: 7, message: text.into() }, &mut buffer).unwrap();
        buffer
    }

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let whole = frame("hello");
        assert_eq!(&whole[..], b"\0\0\0\x08\x82\x07\x65hello");
        for cut in 0..whole.len() {
            assert!(Echo::new().decode(&mut BytesMut::from(&whole[..cut])).unwrap().is_none());
        }
        let mut two = BytesMut::from(&[&whole[..], &whole[..]].concat()[..]);
        for _ in 0..2 {
            let message = Echo::new().decode(&mut two).unwrap().unwrap().message.unwrap();
            assert_eq!(message, Numbered { id: 7, message: "hello".into() });
        }
        assert!(two.is_empty());
    }

    #[test]
    fn lengths_are_limited_both_ways() {
        let mut announced = BytesMut::from(&[0, 4, 0, 1][..]);
        assert!(matches!(
            Echo::new().decode(&mut announced),
            Err(FrameError::Oversized { announced: 0x4_0001 })
        ));
        let mut buffer = BytesMut::from(&b"before"[..]);
        let large = Numbered { id: 1, message: "x".repeat(MAX_FRAME) };
        let refused = Echo::new().encode(large, &mut buffer);
        assert!(matches!(refused, Err(FrameError::Unsendable { .. })));
        assert_eq!(&buffer[..], b"before");
    }

    #[test]
    fn a_long_frame_leaves_no_long_buffer() {
        let text = "x".repeat(MAX_FRAME - 16);
        let mut buffer = frame(&text);
        buffer.extend_from_slice(b"\0\0");
        let received = Echo::new().decode(&mut buffer).unwrap().unwrap();
        assert_eq!(received.message.unwrap().message, text);
        assert!(received.size > KEPT && buffer.capacity() < KEPT);
        assert_eq!(&buffer[..], b"\0\0");
    }

    #[test]
    fn another_encoding_is_malformed_but_can_be_answered() {
        let mut long_form = BytesMut::from(&b"\0\0\0\x04\x82\x07\x78\x00"[..]);
        let message = Echo::new().decode(&mut long_form).unwrap().unwrap().message;
        assert_eq!(message, Err(MalformedMessage::Body { id: 7 }));
        let mut no_number = BytesMut::from(&b"\0\0\0\x01\xf6"[..]);
        assert_eq!(
            Echo::new().decode(&mut no_number).unwrap().unwrap().message,
            Err(MalformedMessage::Frame)
        );
    }
}
