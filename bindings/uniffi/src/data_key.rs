//! Data keys in hand: records sealed and opened without the network.

use crate::client::context_of;
use crate::error::ClientError;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A data key.
#[derive(uniffi::Object)]
pub struct DataKey(pub(crate) symbolon_client::DataKey);

#[uniffi::export]
impl DataKey {
    /// The key as it may be kept: encrypted.
    pub fn wrapped(&self) -> Vec<u8> {
        self.0.wrapped().to_vec()
    }

    /// The key itself.
    pub fn expose(&self) -> Vec<u8> {
        self.0.expose().to_vec()
    }

    /// Seals a record.
    pub fn seal(&self, plaintext: Vec<u8>, context: HashMap<String, String>) -> Result<Vec<u8>, ClientError> {
        let plaintext = Zeroizing::new(plaintext);
        Ok(context_of(context).and_then(|context| self.0.seal(&plaintext, &context))?)
    }

    /// Opens a record.
    #[expect(clippy::needless_pass_by_value, reason = "what crosses is owned")]
    pub fn open(&self, sealed: Vec<u8>, context: HashMap<String, String>) -> Result<Vec<u8>, ClientError> {
        let opened = context_of(context).and_then(|context| self.0.open(&sealed, &context))?;
        Ok(opened.to_vec())
    }
}
