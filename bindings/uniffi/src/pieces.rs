//! Messages piece by piece. Their key is there already, so nothing here waits for anybody.

use crate::error::ClientError;
use std::sync::{Mutex, PoisonError};
use symbolon_client::error::StreamFailure;
use symbolon_client::{IncrementalDecryption, IncrementalEncryption};
use zeroize::Zeroizing;

/// What is left of a message; gone once it ended or failed.
struct Rest<T>(Mutex<Option<T>>);

impl<T> Rest<T> {
    fn new(message: T) -> Self {
        Self(Mutex::new(Some(message)))
    }

    /// Works on the message, and ends it if that fails.
    fn go_on<R>(&self, work: impl FnOnce(&mut T) -> Result<R, StreamFailure>) -> Result<R, ClientError> {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut message = rest.take().ok_or_else(over)?;
        let result = work(&mut message)?;
        *rest = Some(message);
        Ok(result)
    }

    fn end(&self) -> Result<T, ClientError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(over)
    }
}

fn over() -> ClientError {
    ClientError::invalid("stream-ended", "the stream has ended already")
}

/// A message that is being written.
#[derive(uniffi::Object)]
pub struct Encryption(Rest<IncrementalEncryption>);

impl Encryption {
    pub(crate) fn new(encryption: symbolon_client::Encryption) -> Self {
        Self(Rest::new(encryption.incremental()))
    }
}

#[uniffi::export]
impl Encryption {
    /// Takes plaintext, and gives what of the ciphertext is ready.
    pub fn push(&self, plaintext: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let plaintext = Zeroizing::new(plaintext);
        self.0.go_on(|message| message.push(&plaintext))
    }

    /// Ends the message, and gives the rest of the ciphertext.
    pub fn finish(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.0.end()?.finish()?)
    }
}

/// A message that is being read, from behind its preamble on.
#[derive(uniffi::Object)]
pub struct Decryption(Rest<IncrementalDecryption>);

impl Decryption {
    pub(crate) fn new(decryption: symbolon_client::Decryption) -> Self {
        Self(Rest::new(decryption.incremental()))
    }
}

#[uniffi::export]
impl Decryption {
    /// Takes ciphertext, and gives what of the plaintext is authentic.
    #[expect(clippy::needless_pass_by_value, reason = "what crosses is owned")]
    pub fn push(&self, sealed: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        self.0.go_on(|message| message.push(&sealed).map(|text| text.to_vec()))
    }

    /// Ends the input, and gives the rest of the plaintext. Only now is the message known to be whole.
    pub fn finish(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.0.end()?.finish()?.to_vec())
    }
}

/// How many bytes are missing from what was read of a ciphertext, until its preamble is whole.
#[uniffi::export]
#[expect(clippy::needless_pass_by_value, reason = "what crosses is owned")]
pub fn preamble_missing(head: Vec<u8>) -> Result<u32, ClientError> {
    let missing = symbolon_client::preamble_missing(&head)?;
    Ok(u32::try_from(missing).unwrap_or(u32::MAX))
}
