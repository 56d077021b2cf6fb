//! Keys in HSMs: jobs for the drivers of a key store, through the access manager's queue, which reads and makes none.
//!
//! What a driver answers counts only if the root document lists it in the store and it signed for this very job; nobody but
//! the client that asked can open it.

mod create;
mod job;
mod place;

pub use create::NewHsmKey;
pub(crate) use place::{Place, Places};

use self::job::scope_of;
use crate::chain::Opened;
use crate::client::Client;
use crate::error::{Bug, Error, Integrity, Invalid};
use crate::permits::{HeldPermit, WantedOperation};
use std::sync::Arc;
use symbolon_envelope::{Context, HeaderError};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::jobs::{AskedKey, Output, SealedSecret, SecretBytes, Work};
use symbolon_trust::VerifiedWrappedKey;
use zeroize::Zeroizing;

impl Client {
    /// Signs a message with the newest version of a private key in an HSM. How is the key's algorithm to say: ECDSA gives
    /// `r ‖ s`, Ed25519 its 64 bytes, RSA a PSS signature.
    pub async fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.in_time(self.sign_in_hsm(key, message)).await
    }

    /// The public half of a key in an HSM, as a driver of its store certified it: `SubjectPublicKeyInfo` in DER. Nothing for
    /// keys that have none.
    pub async fn public_key(&self, key: &KeyId, version: u64) -> Result<Option<Vec<u8>>, Error> {
        let place = self.in_time(self.place(key, version)).await?;
        Ok(place.wrapped().and_then(|wrapped| wrapped.key().public_key.clone()))
    }

    async fn sign_in_hsm(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (permit, place) = self.permitted(key, None, WantedOperation::Sign).await?;
        let wrapped = place.wrapped().ok_or_else(|| Invalid::NotInHsm { key: key.clone() })?;
        let work = Work::Sign { message: message.to_vec() };
        match self.have_done(AskedKey::Wrapped(wrapped), work, &permit, scope_of(wrapped.key())).await? {
            Output::Signature(signature) => Ok(signature),
            _ => Err(other_output()),
        }
    }

    /// Seals a small secret in the HSM that has the key.
    pub(crate) async fn seal_in_hsm(
        &self,
        wrapped: &Arc<VerifiedWrappedKey>,
        permit: &HeldPermit,
        secret: &[u8],
        context: &Context,
    ) -> Result<Vec<u8>, Error> {
        let secret = SecretBytes::new(Zeroizing::new(secret.to_vec()));
        let work = Work::Seal { context: context.hash(), secret };
        let key = wrapped.key();
        match self.have_done(AskedKey::Wrapped(wrapped), work, permit, scope_of(key)).await? {
            Output::Sealed(sealed) => {
                let (id, version) = (key.key.clone(), key.version);
                Ok(SealedSecret::new(key.account, id, version, wrapped.hash(), sealed).to_bytes())
            }
            _ => Err(other_output()),
        }
    }

    /// Opens a small secret that an HSM sealed.
    pub(crate) async fn open_in_hsm(
        &self,
        key: &KeyId,
        sealed: SealedSecret,
        context: &Context,
    ) -> Result<Opened, Error> {
        let malformed = || Integrity::Header(HeaderError::Malformed);
        if sealed.account != self.root().account() {
            return Err(Invalid::OtherAccount.into());
        }
        if sealed.key != *key {
            return Err(malformed().into());
        }
        let version = Some(sealed.version);
        let (permit, place) = self.permitted(key, version, WantedOperation::Decrypt).await?;
        let wrapped = place.wrapped().filter(|wrapped| wrapped.hash() == sealed.wrapped);
        let wrapped = wrapped.ok_or_else(malformed)?;
        let work = Work::Open { context: context.hash(), sealed: sealed.sealed };
        match self.have_done(AskedKey::Wrapped(wrapped), work, &permit, scope_of(wrapped.key())).await? {
            Output::Opened(secret) => Ok(Opened { secret: secret.into_inner(), until: permit.ends }),
            _ => Err(other_output()),
        }
    }

    /// A permit, and where the key version is that it is for.
    pub(crate) async fn permitted(
        &self,
        key: &KeyId,
        version: Option<u64>,
        operation: WantedOperation,
    ) -> Result<(Arc<HeldPermit>, Place), Error> {
        let permit = self.inner.permits.get(&self.wanted(key, version, operation)).await?;
        let place = self.place(key, permit.version()).await?;
        Ok((permit, place))
    }
}

/// A driver signed an answer to something else than was asked.
fn other_output() -> Error {
    Bug::Internal("a driver that answers something else than was asked").into()
}
