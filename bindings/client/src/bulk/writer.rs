//! A blocking writer that encrypts.

use super::IncrementalEncryption;
use crate::error::StreamFailure;
use std::io::{self, Write};

/// Encrypts what is written to it. A message that wasn't finished is truncated, and is refused when it is read.
pub struct EncryptWriter<W> {
    encryption: IncrementalEncryption,
    sink: W,
}

impl<W: Write> EncryptWriter<W> {
    pub(super) fn new(encryption: IncrementalEncryption, sink: W) -> Self {
        Self { encryption, sink }
    }

    /// Ends the message, flushes the sink and gives it back.
    pub fn finish(mut self) -> Result<W, StreamFailure> {
        let rest = self.encryption.finish()?;
        self.sink.write_all(&rest).and_then(|()| self.sink.flush()).map_err(StreamFailure::Write)?;
        Ok(self.sink)
    }
}

impl<W: Write> Write for EncryptWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let sealed = self.encryption.push(plaintext)?;
        self.sink.write_all(&sealed)?;
        Ok(plaintext.len())
    }

    /// Flushes the sink; a chunk that isn't full stays here, because only the last may be short.
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
