//! Root keys: sealing and unsealing a small secret, wherever the key is kept. Everything below sees these two only.

use crate::client::Client;
use crate::error::{Bug, Error, Integrity};
use crate::permits::WantedOperation;
use std::time::Instant;
use symbolon_envelope::{Context, Preamble};
use symbolon_fragments::names::{KeyId, Purpose};
use symbolon_keychain::{Difference, UnwrapError};
use symbolon_protocol::jobs::SealedSecret;
use zeroize::Zeroizing;

/// A secret that a root key opened.
pub struct Opened {
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// When the permit ends under which it was opened: at most a minute after. Whoever keeps the secret longer than that
    /// keeps it past what anybody allowed.
    pub until: Instant,
}

impl Client {
    /// Seals a small secret under the newest version of a root key (purpose `wrap`).
    pub async fn seal(
        &self,
        key: &KeyId,
        secret: &Zeroizing<Vec<u8>>,
        context: &Context,
    ) -> Result<Vec<u8>, Error> {
        let in_hsm = async {
            let (permit, place) = self.permitted(key, None, WantedOperation::Encrypt).await?;
            match place.wrapped() {
                Some(wrapped) => self.seal_in_hsm(wrapped, &permit, secret, context).await.map(Some),
                None => Ok(None),
            }
        };
        if let Some(sealed) = self.in_time(in_hsm).await? {
            return Ok(sealed);
        }
        let sealed = self.encrypt_for(key, Purpose::Wrap, &[(secret, context)]).await?;
        sealed.into_iter().next().ok_or_else(|| Bug::Internal("no ciphertext").into())
    }

    /// Opens a small secret that was sealed under a root key.
    pub async fn unseal(&self, key: &KeyId, sealed: &[u8], context: &Context) -> Result<Opened, Error> {
        if let Ok(in_hsm) = SealedSecret::from_bytes(sealed) {
            return self.in_time(self.open_in_hsm(key, in_hsm, context)).await;
        }
        let header = Preamble::parse(sealed).map_err(Integrity::Header)?.header().clone();
        if header.key != *key {
            return Err(Integrity::Wrapped(UnwrapError::Elsewhere(Difference::Root)).into());
        }
        // The permit is taken first: what is opened with a later one is kept no longer than this one lasts.
        let wanted = self.wanted(key, Some(header.version), WantedOperation::Decrypt);
        let until = self.in_time(self.inner.permits.get(&wanted)).await?.ends;
        let opened = self.decrypt_for(Purpose::Wrap, &[(sealed, context)]).await?;
        let secret = opened.into_iter().next().ok_or(Bug::Internal("no plaintext"))?;
        Ok(Opened { secret, until })
    }
}
