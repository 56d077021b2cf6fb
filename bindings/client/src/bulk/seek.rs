//! A blocking reader that decrypts and seeks.

use super::pipeline::{Chunk, fill};
use crate::aead::AwsLc;
use crate::error::StreamFailure;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use symbolon_envelope::{Decryptor, EndCheck, Preamble, SeekDecryptor};

/// Gives the plaintext of a message from any place. Its length was proven when this was made, so an error later says
/// that the file changed meanwhile or that a chunk within was tampered with.
pub struct SeekReader<R> {
    source: R,
    decryptor: SeekDecryptor<AwsLc>,
    /// Where the preamble starts in the source.
    base: u64,
    /// The chunk in `text`.
    opened: Option<u64>,
    text: Chunk,
    sealed: Vec<u8>,
    position: u64,
}

impl<R: Read + Seek> SeekReader<R> {
    pub(super) fn new(
        preamble: &Preamble,
        decryptor: Decryptor<AwsLc>,
        mut source: R,
    ) -> Result<Self, StreamFailure> {
        let (base, end) = bounds(&mut source, preamble.len() as u64).map_err(StreamFailure::Read)?;
        let check = EndCheck::new(preamble, decryptor, end - base)?;
        let (mut text, mut sealed) = (Chunk::default(), Vec::new());
        read_at(&mut source, base, &check.last_range(), &mut sealed).map_err(StreamFailure::Read)?;
        let decryptor = check.verify(&sealed, &mut text)?;
        Ok(Self { source, decryptor, base, opened: None, text, sealed, position: 0 })
    }

    /// Length of the plaintext, bytes.
    pub fn plain_len(&self) -> u64 {
        self.decryptor.plain_len()
    }

    fn open(&mut self, chunk: u64) -> Result<(), StreamFailure> {
        if self.opened == Some(chunk) {
            return Ok(());
        }
        self.opened = None;
        let range = self.decryptor.sealed_range(chunk);
        read_at(&mut self.source, self.base, &range, &mut self.sealed).map_err(StreamFailure::Read)?;
        self.decryptor.open(chunk, &self.sealed, &mut self.text)?;
        self.opened = Some(chunk);
        Ok(())
    }
}

/// Where the ciphertext starts and ends in a source that stands behind its preamble.
fn bounds(source: &mut impl Seek, preamble_len: u64) -> io::Result<(u64, u64)> {
    let base = source.stream_position()?.checked_sub(preamble_len).ok_or(io::ErrorKind::InvalidInput)?;
    Ok((base, source.seek(SeekFrom::End(0))?.max(base)))
}

fn read_at(
    source: &mut (impl Read + Seek),
    base: u64,
    range: &Range<u64>,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    source.seek(SeekFrom::Start(base + range.start))?;
    let length = usize::try_from(range.end - range.start).map_err(|_| io::ErrorKind::InvalidInput)?;
    fill(source, buffer, length).map(|_| ())
}

impl<R: Read + Seek> Read for SeekReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(at) = self.decryptor.locate(self.position) else { return Ok(0) };
        self.open(at.chunk)?;
        let available = &self.text[at.skip..];
        let taken = buffer.len().min(available.len());
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl<R: Read + Seek> Seek for SeekReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.plain_len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
