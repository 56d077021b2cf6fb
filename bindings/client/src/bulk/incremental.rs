//! A message piece by piece: bytes in, bytes out, no reading and no writing. For asynchronous callers and for the
//! blocking reader and writer.

use super::pipeline::Chunk;
use crate::aead::AwsLc;
use crate::error::StreamFailure;
use symbolon_envelope::{Decryptor, Encryptor, TAG_LEN};
use zeroize::Zeroizing;

/// A message that is written piece by piece.
pub struct IncrementalEncryption {
    /// Bytes that are ready to go out: at first, the preamble.
    ready: Vec<u8>,
    encryptor: Encryptor<AwsLc>,
    chunk: Chunk,
}

impl IncrementalEncryption {
    pub(super) fn new(preamble: Vec<u8>, encryptor: Encryptor<AwsLc>) -> Self {
        let chunk = empty(encryptor.chunk_size().sealed());
        Self { ready: preamble, encryptor, chunk }
    }

    /// Takes plaintext, and gives what of the ciphertext is ready: it may be nothing.
    pub fn push(&mut self, mut plaintext: &[u8]) -> Result<Vec<u8>, StreamFailure> {
        let size = self.encryptor.chunk_size().plain();
        while !plaintext.is_empty() {
            if self.chunk.len() == size {
                self.seal_whole()?;
            }
            let (taken, rest) = plaintext.split_at(plaintext.len().min(size - self.chunk.len()));
            self.chunk.extend_from_slice(taken);
            plaintext = rest;
        }
        Ok(std::mem::take(&mut self.ready))
    }

    /// Ends the message, and gives the rest of the ciphertext.
    pub fn finish(mut self) -> Result<Vec<u8>, StreamFailure> {
        self.encryptor.last().seal(&mut self.chunk).map_err(|_| StreamFailure::Length)?;
        self.ready.extend_from_slice(&self.chunk);
        Ok(self.ready)
    }

    fn seal_whole(&mut self) -> Result<(), StreamFailure> {
        self.encryptor.next()?.seal(&mut self.chunk).map_err(|_| StreamFailure::Length)?;
        self.ready.extend_from_slice(&self.chunk);
        self.chunk.clear();
        Ok(())
    }
}

/// A message that is read piece by piece, from behind its preamble on.
pub struct IncrementalDecryption {
    decryptor: Decryptor<AwsLc>,
    chunk: Vec<u8>,
    text: Chunk,
}

impl IncrementalDecryption {
    pub(super) fn new(decryptor: Decryptor<AwsLc>) -> Self {
        let size = decryptor.chunk_size();
        Self { chunk: Vec::with_capacity(size.sealed()), text: empty(size.plain()), decryptor }
    }

    /// Takes ciphertext, and gives what of the plaintext is authentic: it may be nothing.
    pub fn push(&mut self, mut sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StreamFailure> {
        let size = self.decryptor.chunk_size().sealed();
        let mut ready = Zeroizing::new(Vec::new());
        while !sealed.is_empty() {
            if self.chunk.len() == size {
                self.decryptor.next()?.open(&self.chunk, &mut self.text)?;
                ready.extend_from_slice(&self.text);
                self.chunk.clear();
            }
            let (taken, rest) = sealed.split_at(sealed.len().min(size - self.chunk.len()));
            self.chunk.extend_from_slice(taken);
            sealed = rest;
        }
        Ok(ready)
    }

    /// Ends the input, and gives the rest of the plaintext. Only now is the message known to be whole.
    pub fn finish(mut self) -> Result<Zeroizing<Vec<u8>>, StreamFailure> {
        self.decryptor.last().open(&self.chunk, &mut self.text)?;
        Ok(self.text)
    }
}

/// A buffer that will not move, and so leave copies behind, as it is filled.
fn empty(capacity: usize) -> Chunk {
    Zeroizing::new(Vec::with_capacity(capacity.max(TAG_LEN)))
}
