//! Where a key version is: among fragment managers, or in an HSM's key store. Known only by a certificate of either kind.

use crate::access::{Subject, document};
use crate::bounded::Bounded;
use crate::client::Client;
use crate::error::{CertificateFault, Conflict, Error, Integrity, NotFound};
use std::sync::Arc;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, path};
use symbolon_trust::{Signed, VerifiedWrappedKey, WrappedKey};

/// Places that are kept.
const KEPT: usize = 4096;

/// What the access manager calls the place that is no HSM.
const FRAGMENTS: &str = "fragments";

/// Where a key version is.
#[derive(Clone)]
pub(crate) enum Place {
    /// Fragment managers hold it; its certificate is asked for where it is used.
    Fragments,
    /// A key store has it.
    Hsm(Arc<VerifiedWrappedKey>),
}

impl Place {
    /// The wrapped key, in an HSM.
    pub(crate) const fn wrapped(&self) -> Option<&Arc<VerifiedWrappedKey>> {
        match self {
            Self::Fragments => None,
            Self::Hsm(wrapped) => Some(wrapped),
        }
    }
}

/// Where key versions were found.
pub(crate) struct Places(Bounded<(KeyId, u64), Place>);

impl Default for Places {
    fn default() -> Self {
        Self(Bounded::new(KEPT))
    }
}

impl Client {
    /// Where a key version is.
    pub(crate) async fn place(&self, key: &KeyId, version: u64) -> Result<Place, Error> {
        let known = (key.clone(), version);
        if let Some(place) = self.inner.places.0.get(&known) {
            return Ok(place);
        }
        let place = self.find_place(key, version).await?;
        self.inner.places.0.insert(known, place.clone());
        Ok(place)
    }

    async fn find_place(&self, key: &KeyId, version: u64) -> Result<Place, Error> {
        let access = self.access();
        let about = Subject { key: Some(key), version: Some(version), operation: None };
        let entry: api::Key = access
            .get(path::key(access.account(), key.as_str()))
            .await
            .map_err(|error| access.explain(error, about))?;
        let entry = entry.all_versions.into_iter().find(|entry| entry.version == version);
        let entry = entry.ok_or_else(|| NotFound::Version { key: key.clone(), version })?;
        if entry.store == FRAGMENTS {
            return Ok(Place::Fragments);
        }
        let signed = entry.wrapped_key.ok_or_else(|| Conflict::KeyPending(key.clone()))?;
        Ok(Place::Hsm(Arc::new(self.read_wrapped(&signed, key, version).await?)))
    }

    /// Verifies a wrapped key that the access manager gave for a key version.
    pub(crate) async fn read_wrapped(
        &self,
        signed: &api::Document,
        key: &KeyId,
        version: u64,
    ) -> Result<VerifiedWrappedKey, Error> {
        let unreadable = |_| Integrity::Certificate(CertificateFault::Unreadable);
        let signed: Signed<WrappedKey> = document(signed).map_err(unreadable)?;
        if (&signed.body().key, signed.body().version) != (key, version) {
            return Err(Integrity::Certificate(CertificateFault::Other).into());
        }
        let verify = || VerifiedWrappedKey::verify(signed.clone(), &self.root());
        match verify() {
            Ok(wrapped) => Ok(wrapped),
            // A driver that was signed in since the root document was fetched.
            Err(_) if self.refresh_root().await? => Ok(verify().map_err(not_valid)?),
            Err(error) => Err(not_valid(error).into()),
        }
    }
}

fn not_valid(error: symbolon_trust::WrappedKeyError) -> Integrity {
    Integrity::Certificate(CertificateFault::WrappedKey(error))
}
