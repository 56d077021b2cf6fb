//! Reading from any place of a message whose ciphertext Kotlin holds.

use crate::error::{CallbackError, ClientError};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};
use symbolon_client::SeekReader;

/// A ciphertext that can be read at any place.
#[uniffi::export(with_foreign)]
pub trait Source: Send + Sync {
    /// Its length, bytes.
    fn size(&self) -> Result<u64, CallbackError>;

    /// So many bytes from there, fewer at the end.
    fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, CallbackError>;
}

/// What a ciphertext is read from.
pub(crate) trait Ciphertext: Read + Seek + Send {}

impl<T: Read + Seek + Send> Ciphertext for T {}

/// The standard traits over a [`Source`].
pub(crate) struct SourceReader {
    source: Arc<dyn Source>,
    position: u64,
}

impl SourceReader {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, position: 0 }
    }
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let asked = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.source.read(self.position, asked).map_err(io::Error::other)?;
        let place =
            buffer.get_mut(..bytes.len()).ok_or_else(|| io::Error::other("more than was asked for"))?;
        place.copy_from_slice(&bytes);
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.source.size().map_err(io::Error::other)?.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// A message that is read from any place.
#[derive(uniffi::Object)]
pub struct SeekableDecryption {
    length: u64,
    reader: Mutex<SeekReader<Box<dyn Ciphertext>>>,
}

impl SeekableDecryption {
    pub(crate) fn new(reader: SeekReader<Box<dyn Ciphertext>>) -> Self {
        Self { length: reader.plain_len(), reader: Mutex::new(reader) }
    }
}

#[uniffi::export]
impl SeekableDecryption {
    /// Length of the plaintext, bytes. It was proven.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Plaintext from a place, at most so many bytes; none at the end.
    pub fn read(&self, position: u64, length: u32) -> Result<Vec<u8>, ClientError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let left = usize::try_from(self.length.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut text = vec![0; left.min(length as usize)];
        let read = reader.seek(SeekFrom::Start(position)).and_then(|_| reader.read(&mut text));
        text.truncate(read.map_err(failure)?);
        Ok(text)
    }
}

/// The failure that an error of the standard traits carries.
fn failure(error: io::Error) -> ClientError {
    use symbolon_client::error::StreamFailure;
    error.downcast::<StreamFailure>().unwrap_or_else(StreamFailure::Read).into()
}
