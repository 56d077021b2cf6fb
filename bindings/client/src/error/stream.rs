//! What can go wrong while the bytes of a message go through.

use std::io;
use symbolon_envelope::{HeaderError, MessageTooLong, StreamError};

/// Why a message was not written or read to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamFailure {
    /// The input can't be read.
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
    /// The output can't be written.
    #[error("the output cannot be written")]
    Write(#[source] io::Error),
    /// The input doesn't start like a ciphertext.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The input isn't, or not wholly, what was written.
    #[error(transparent)]
    Chunks(#[from] StreamError),
    /// The message is too long.
    #[error(transparent)]
    TooLong(#[from] MessageTooLong),
    /// The caller ended it.
    #[error("cancelled")]
    Cancelled,
    /// A chunk didn't fit its slot: a fault of this program.
    #[error("a chunk of a wrong length")]
    Length,
}

/// For the standard traits of readers and writers. The failure can be had back by `downcast`.
impl From<StreamFailure> for io::Error {
    fn from(failure: StreamFailure) -> Self {
        match failure {
            StreamFailure::Read(error) | StreamFailure::Write(error) => error,
            StreamFailure::Cancelled | StreamFailure::Length => Self::other(failure),
            StreamFailure::Header(_) | StreamFailure::Chunks(_) => {
                Self::new(io::ErrorKind::InvalidData, failure)
            }
            StreamFailure::TooLong(_) => Self::new(io::ErrorKind::FileTooLarge, failure),
        }
    }
}
