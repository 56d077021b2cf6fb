//! Messages as streams: what the `io` objects of `symbolon.open` read from and write to.

use crate::failure::{Fault, raise};
use crate::file::{Sink, Source};
use crate::value;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, MutexGuard, PoisonError};
use symbolon_client::error::StreamFailure;
use symbolon_client::{DecryptReader, Decryption, EncryptWriter, Encryption, SeekReader};
use zeroize::Zeroizing;

/// What one call gives at most, bytes, unless it is asked for all.
const PIECE: usize = 1 << 20;

/// A message that is read.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Reader(Mutex<Option<Reading>>);

enum Reading {
    Seeking(Box<SeekReader<Source>>),
    Straight(Box<DecryptReader<Source>>),
}

impl Reader {
    /// Reads with a key that is there. The end of a message that can be sought in is checked now.
    pub fn new(decryption: Decryption, source: Source, seekable: bool) -> Result<Self, Fault> {
        let reading = if seekable {
            Reading::Seeking(Box::new(decryption.seek(source)?))
        } else {
            Reading::Straight(Box::new(decryption.reader(source)))
        };
        Ok(Self(Mutex::new(Some(reading))))
    }

    /// Does something with the stream while other threads of Python go on. The lock is waited for without the
    /// interpreter: whoever holds it may need that for a file object.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        does: impl FnOnce(&mut Reading) -> io::Result<T> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| lock(&self.0).as_mut().map(does));
        done.ok_or_else(|| closed(py))?.map_err(|error| Fault::from_io(error).raise(py))
    }
}

#[pymethods]
impl Reader {
    /// Up to `size` bytes, fewer at the end of the message.
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.with(py, |reading| {
            let mut text = Zeroizing::new(vec![0; size.min(PIECE)]);
            let filled = reading.fill(&mut text)?;
            text.truncate(filled);
            Ok(text)
        })?;
        Ok(PyBytes::new(py, &text))
    }

    /// All the rest.
    fn read_all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.with(py, |reading| {
            let mut text = Zeroizing::new(Vec::with_capacity(reading.left()));
            reading.read_to_end(&mut text)?;
            Ok(text)
        })?;
        Ok(PyBytes::new(py, &text))
    }

    /// Goes to a place, by the rules of `io`; gives the place.
    fn seek(&self, py: Python<'_>, offset: i64, whence: u8) -> PyResult<u64> {
        self.with(py, |reading| {
            let to = match whence {
                0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?),
                1 => SeekFrom::Current(offset),
                _ => SeekFrom::End(offset),
            };
            match reading {
                Reading::Seeking(reader) => reader.seek(to),
                Reading::Straight(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        })
    }

    /// Whether it can be sought in.
    fn seekable(&self) -> bool {
        matches!(*lock(&self.0), Some(Reading::Seeking(_)))
    }

    /// Forgets key and plaintext.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
    }
}

impl Reading {
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// How much is left to read, where that is known; a buffer of that size doesn't move, and so leaves no copies.
    fn left(&mut self) -> usize {
        let Self::Seeking(reader) = self else { return 0 };
        let position = reader.stream_position().unwrap_or(0);
        usize::try_from(reader.plain_len().saturating_sub(position)).unwrap_or(0).saturating_add(1)
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Seeking(reader) => reader.read(buffer),
            Self::Straight(reader) => reader.read(buffer),
        }
    }
}

/// A message that is written.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Writer(Mutex<Option<EncryptWriter<Sink>>>);

impl Writer {
    /// Writes with a key that is there.
    pub fn new(encryption: Encryption, sink: Sink) -> Self {
        Self(Mutex::new(Some(encryption.writer(sink))))
    }
}

#[pymethods]
impl Writer {
    /// Encrypts all of `data`.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = value::bytes(data, "data")?;
        let written = py.detach(|| {
            let mut writing = lock(&self.0);
            writing.as_mut().map(|writer| io::Write::write_all(writer, &data))
        });
        written.ok_or_else(|| closed(py))?.map_err(|error| of_writing(py, error))?;
        Ok(data.len())
    }

    /// Ends the message; the file gets its name.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let finished = py.detach(|| {
            let writer = lock(&self.0).take()?;
            Some(finish(writer))
        });
        finished.ok_or_else(|| closed(py))?.map_err(|fault| fault.raise(py))
    }

    /// Throws away what was written.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| drop(lock(&self.0).take()));
    }
}

fn finish(writer: EncryptWriter<Sink>) -> Result<(), Fault> {
    match writer.finish()? {
        Sink::File(file) => Ok(file.commit().map_err(symbolon_client::Error::from)?),
        Sink::Object(_) => Ok(()),
    }
}

/// The system's word on a file that is written; anything else as it is for reading.
fn of_writing(py: Python<'_>, error: io::Error) -> PyErr {
    let fault = match error.get_ref() {
        None => StreamFailure::Write(error).into(),
        Some(_) => Fault::from_io(error),
    };
    fault.raise(py)
}

fn closed(py: Python<'_>) -> PyErr {
    raise(py, "Closed", "closed", "the stream is closed")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
