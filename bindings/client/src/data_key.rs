//! Data keys: 256 random bits for the caller's own cipher or for records sealed here, wrapped for keeping.

use crate::client::Client;
use crate::error::{Bug, Error, Integrity};
use symbolon_encoding::Tuple;
use symbolon_envelope::sealed::{self, Lock, SealingKey};
use symbolon_envelope::{Context, HeaderError};
use symbolon_fragments::names::{KeyId, Purpose};
use zeroize::Zeroizing;

/// A data key in hand. It is wiped when it is dropped.
pub struct DataKey {
    key: SealingKey,
    wrapped: Vec<u8>,
}

impl Client {
    /// Makes a data key under a key whose purpose that is.
    pub async fn data_key(&self, key: &KeyId, context: &Context) -> Result<DataKey, Error> {
        let made = SealingKey::new(crate::random::bytes());
        let wrapped = self.encrypt_for(key, Purpose::DataKey, &[(&made.expose()[..], context)]).await?;
        let wrapped = wrapped.into_iter().next().ok_or(Bug::Internal("no ciphertext"))?;
        Ok(DataKey { key: made, wrapped })
    }

    /// Opens a wrapped data key.
    pub async fn open_data_key(&self, wrapped: &[u8], context: &Context) -> Result<DataKey, Error> {
        let opened = self.decrypt_for(Purpose::DataKey, &[(wrapped, context)]).await?;
        let key =
            opened.first().and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok().map(SealingKey::new));
        let key = key.ok_or(Integrity::Header(HeaderError::Malformed))?;
        Ok(DataKey { key, wrapped: wrapped.to_vec() })
    }
}

impl DataKey {
    /// The key, encrypted: to be kept beside what it protects. [`Client::open_data_key`] opens it.
    pub fn wrapped(&self) -> &[u8] {
        &self.wrapped
    }

    /// The key itself, for the caller's own cipher.
    pub fn expose(&self) -> &[u8; 32] {
        self.key.expose()
    }

    /// Seals a record under the key and a context, in memory and without any server (specification §4.6).
    pub fn seal(&self, plaintext: &[u8], context: &Context) -> Result<Vec<u8>, Error> {
        let sealed =
            sealed::seal(Lock::Key(&self.key), &label(context), plaintext, &mut crate::random::system());
        Ok(sealed.map_err(|_| Bug::Internal("a key has no cost"))?)
    }

    /// Opens a record that was sealed under the same key and context.
    pub fn open(&self, sealed: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(sealed::open(Lock::Key(&self.key), &label(context), sealed).map_err(Integrity::Record)?)
    }
}

fn label(context: &Context) -> Tuple {
    Tuple::new("record").bytes(&context.hash())
}
