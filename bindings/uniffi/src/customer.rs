//! Customer fragments that are kept in Kotlin: in an Android Keystore, on a device, in memory.

use crate::error::CallbackError;
use std::sync::Arc;
use symbolon_client::customer::{Answer, Keeper, KeeperError};
use symbolon_fragments::CustomerFragmentId;
use zeroize::Zeroizing;

/// Whatever evaluates a customer fragment and never shows it.
#[uniffi::export(with_foreign)]
#[async_trait::async_trait]
pub trait CustomerFragment: Send + Sync {
    /// HMAC-SHA256 of the message under the fragment: 32 bytes.
    async fn evaluate(&self, message: Vec<u8>) -> Result<Vec<u8>, CallbackError>;
}

/// A customer fragment of this client.
#[derive(uniffi::Record)]
pub struct CustomerFragmentEntry {
    /// Its id, 16 bytes.
    pub id: Vec<u8>,
    /// What evaluates it.
    pub fragment: Arc<dyn CustomerFragment>,
}

/// The client's view of one.
pub(crate) struct Foreign {
    pub(crate) id: CustomerFragmentId,
    pub(crate) fragment: Arc<dyn CustomerFragment>,
}

impl Keeper for Foreign {
    fn id(&self) -> CustomerFragmentId {
        self.id
    }

    fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let value = self.fragment.evaluate(message.to_vec()).await;
            let value = Zeroizing::new(value.map_err(|threw| KeeperError::Failed(threw.into()))?);
            let bytes = value.as_slice().try_into().map_err(|_| KeeperError::WrongLength(value.len()))?;
            Ok(Zeroizing::new(bytes))
        })
    }
}
