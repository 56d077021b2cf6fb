//! A blocking reader that decrypts, from the start to the end.

use super::pipeline::{Chunk, fill};
use crate::aead::AwsLc;
use crate::error::StreamFailure;
use std::io::{self, Read};
use symbolon_envelope::Decryptor;

/// Gives the plaintext of a message. Every byte is authentic; that the message is whole is known when `read` has
/// returned 0, and an error tells that it is not.
pub struct DecryptReader<R> {
    source: R,
    /// Gone once the last chunk was opened, or a chunk was refused.
    decryptor: Option<Decryptor<AwsLc>>,
    /// A chunk that was read ahead, to see whether it is the last.
    ahead: Option<Vec<u8>>,
    text: Chunk,
    at: usize,
    refused: bool,
}

impl<R: Read> DecryptReader<R> {
    pub(super) fn new(decryptor: Decryptor<AwsLc>, source: R) -> Self {
        let decryptor = Some(decryptor);
        Self { source, decryptor, ahead: None, text: Chunk::default(), at: 0, refused: false }
    }

    /// Opens the next chunk, if there is one.
    fn advance(&mut self) -> Result<(), StreamFailure> {
        let Some(mut decryptor) = self.decryptor.take() else { return Ok(()) };
        let size = decryptor.chunk_size().sealed();
        let current = match self.ahead.take() {
            Some(chunk) => chunk,
            None => self.fill(size)?,
        };
        let next = if current.len() < size { Vec::new() } else { self.fill(size)? };
        self.at = 0;
        if next.is_empty() {
            decryptor.last().open(&current, &mut self.text)?;
        } else {
            decryptor.next()?.open(&current, &mut self.text)?;
            (self.decryptor, self.ahead) = (Some(decryptor), Some(next));
        }
        Ok(())
    }

    fn fill(&mut self, length: usize) -> Result<Vec<u8>, StreamFailure> {
        let mut chunk = Vec::new();
        fill(&mut self.source, &mut chunk, length).map_err(StreamFailure::Read)?;
        Ok(chunk)
    }
}

impl<R: Read> Read for DecryptReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.refused {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.at == self.text.len() && !buffer.is_empty() {
            self.text.clear();
            self.at = 0;
            self.advance().inspect_err(|_| self.refused = true)?;
        }
        let taken = buffer.len().min(self.text.len() - self.at);
        buffer[..taken].copy_from_slice(&self.text[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}
