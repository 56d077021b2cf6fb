//! Messages of any length, in constant memory: the chunks of a stream sealed and opened with a key that is there
//! already. No network here; the client makes an [`Encryption`] or a [`Decryption`], which then goes its own way.

mod file;
mod incremental;
mod pipeline;
mod reader;
mod seek;
mod writer;

pub use file::{FileOptions, OutputFile};
pub use incremental::{IncrementalDecryption, IncrementalEncryption};
pub use reader::DecryptReader;
pub use seek::SeekReader;
pub use writer::EncryptWriter;

use crate::aead::AwsLc;
use crate::error::{Error, StreamFailure};
use pipeline::{Chunk, Stage};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::{mem, thread};
use symbolon_envelope::{
    Decryptor, Encryptor, Header, OpenSlot, PREFIX_LEN, Preamble, SealSlot, preamble_len,
};
use symbolon_fragments::Derived;

/// Told how many bytes have been written; `Break` ends the work with [`StreamFailure::Cancelled`].
pub type Progress<'a> = dyn FnMut(u64) -> ControlFlow<()> + Send + 'a;

/// More threads than this wait for the disk rather than for the cipher.
const MAX_THREADS: usize = 8;

/// A message that is to be written: its header is made and its key derived, for it alone.
pub struct Encryption {
    preamble: Vec<u8>,
    encryptor: Encryptor<AwsLc>,
}

/// A message that is to be read: its key is derived, and the commitment was right.
pub struct Decryption {
    preamble: Preamble,
    decryptor: Decryptor<AwsLc>,
}

impl Encryption {
    pub(crate) fn new(header: &Header, derived: Derived) -> Self {
        let (preamble, encryptor) = Preamble::write(header, derived);
        Self { preamble, encryptor }
    }

    /// Encrypts an input until its end, on several threads. Returns the length of the ciphertext.
    pub fn run(
        self,
        input: impl Read + Send,
        mut output: impl Write + Send,
        progress: &mut Progress<'_>,
    ) -> Result<u64, StreamFailure> {
        output.write_all(&self.preamble).map_err(StreamFailure::Write)?;
        let written = pipeline::run(Sealing(self.encryptor), input, &mut output, threads(), progress)?;
        output.flush().map_err(StreamFailure::Write)?;
        Ok(written + self.preamble.len() as u64)
    }

    /// A writer that encrypts what is written to it. [`EncryptWriter::finish`] ends the message.
    pub fn writer<W: Write>(self, sink: W) -> EncryptWriter<W> {
        EncryptWriter::new(self.incremental(), sink)
    }

    /// The message piece by piece, for callers with their own way of waiting.
    pub fn incremental(self) -> IncrementalEncryption {
        IncrementalEncryption::new(self.preamble, self.encryptor)
    }
}

impl Decryption {
    pub(crate) fn new(preamble: Preamble, decryptor: Decryptor<AwsLc>) -> Self {
        Self { preamble, decryptor }
    }

    /// What the ciphertext says about itself, now proven.
    pub fn header(&self) -> &Header {
        self.preamble.header()
    }

    /// Decrypts what follows the preamble until its end, on several threads. Returns the length of the plaintext.
    ///
    /// Every byte that is written is authentic, but only when this returns is the message known to be whole: on an
    /// error, throw away what was written.
    pub fn run(
        self,
        input: impl Read + Send,
        mut output: impl Write + Send,
        progress: &mut Progress<'_>,
    ) -> Result<u64, StreamFailure> {
        let written = pipeline::run(Opening(self.decryptor), input, &mut output, threads(), progress)?;
        output.flush().map_err(StreamFailure::Write)?;
        Ok(written)
    }

    /// A reader of the plaintext; `source` stands behind the preamble.
    pub fn reader<R: Read>(self, source: R) -> DecryptReader<R> {
        DecryptReader::new(self.decryptor, source)
    }

    /// A reader of the plaintext that seeks. The end of the message is checked first.
    pub fn seek<R: Read + io::Seek>(self, source: R) -> Result<SeekReader<R>, StreamFailure> {
        SeekReader::new(&self.preamble, self.decryptor, source)
    }

    /// The message piece by piece, for callers with their own way of waiting.
    pub fn incremental(self) -> IncrementalDecryption {
        IncrementalDecryption::new(self.decryptor)
    }
}

/// How many more bytes are to be read, at least, until the preamble of a ciphertext that starts like this is whole; 0
/// when it is, and `Preamble::parse` takes it.
pub fn preamble_missing(head: &[u8]) -> Result<usize, Error> {
    let whole = match head.first_chunk::<PREFIX_LEN>() {
        Some(prefix) => preamble_len(prefix)?,
        None => PREFIX_LEN,
    };
    Ok(whole.saturating_sub(head.len()))
}

/// Reads the preamble of a ciphertext, and no byte more.
pub fn read_preamble(source: &mut impl Read) -> Result<Preamble, StreamFailure> {
    let mut bytes = Vec::new();
    pipeline::fill(source, &mut bytes, PREFIX_LEN).map_err(StreamFailure::Read)?;
    let Some(prefix) = bytes.first_chunk::<PREFIX_LEN>() else {
        return Ok(Preamble::parse(&bytes)?);
    };
    let mut rest = Vec::new();
    let length = preamble_len(prefix)? - PREFIX_LEN;
    pipeline::fill(source, &mut rest, length).map_err(StreamFailure::Read)?;
    bytes.append(&mut rest);
    Ok(Preamble::parse(&bytes)?)
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS))
}

struct Sealing(Encryptor<AwsLc>);

impl Stage for Sealing {
    type Slot = SealSlot<AwsLc>;

    fn chunk_len(&self) -> usize {
        self.0.chunk_size().plain()
    }

    fn next(&mut self) -> Result<Self::Slot, StreamFailure> {
        Ok(self.0.next()?)
    }

    fn last(self) -> Self::Slot {
        self.0.last()
    }

    fn work(slot: Self::Slot, chunk: &mut Chunk, _: &mut Chunk) -> Result<(), StreamFailure> {
        slot.seal(chunk).map_err(|_| StreamFailure::Length)
    }
}

struct Opening(Decryptor<AwsLc>);

impl Stage for Opening {
    type Slot = OpenSlot<AwsLc>;

    fn chunk_len(&self) -> usize {
        self.0.chunk_size().sealed()
    }

    fn next(&mut self) -> Result<Self::Slot, StreamFailure> {
        Ok(self.0.next()?)
    }

    fn last(self) -> Self::Slot {
        self.0.last()
    }

    fn work(slot: Self::Slot, chunk: &mut Chunk, scratch: &mut Chunk) -> Result<(), StreamFailure> {
        slot.open(chunk, scratch)?;
        mem::swap(chunk, scratch);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
