//! Making keys in HSMs, and further versions of them.

use super::job::{Making, latest};
use crate::access::{Subject, as_document};
use crate::client::Client;
use crate::error::{CertificateFault, Error, Integrity, NotFound};
use crate::keys::{KeyInfo, Keys};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, Labels, path};
use symbolon_protocol::jobs::{AskedKey, Output, Scope};
use symbolon_trust::{KeyAlgorithm, Operation, Seconds, StoreLabel, VerifiedWrappedKey};

/// What a new key in an HSM is to be like.
#[derive(Clone, Debug)]
pub struct NewHsmKey {
    /// Its id.
    pub key: KeyId,
    /// The key store.
    pub store: StoreLabel,
    /// What kind of key.
    pub algorithm: KeyAlgorithm,
    /// Labels.
    pub labels: Labels,
}

impl Keys<'_> {
    /// Has an HSM make a key. An earlier attempt of this holder that was left half way is begun anew.
    pub async fn create_in_hsm(&self, new: &NewHsmKey) -> Result<KeyInfo, Error> {
        self.client().in_time(Box::pin(self.make_in_hsm(new, 1))).await
    }

    /// Has an HSM make the next version of a key that it has.
    pub(crate) async fn rotate_in_hsm(&self, entry: &api::Key) -> Result<KeyInfo, Error> {
        let summary = &entry.summary;
        let newest = entry.all_versions.iter().max_by_key(|version| version.version);
        let newest = newest.ok_or(NotFound::Thing)?;
        let protocol = || Integrity::Protocol(crate::error::ServerName::AccessManager);
        let new = NewHsmKey {
            key: summary.key.parse().map_err(|_| protocol())?,
            store: newest.store.parse().map_err(|_| protocol())?,
            algorithm: newest.suite.parse().map_err(|_| protocol())?,
            labels: Labels::new(),
        };
        let unfinished = newest.wrapped_key.is_none();
        self.make_in_hsm(&new, if unfinished { newest.version } else { newest.version + 1 }).await
    }

    async fn make_in_hsm(&self, new: &NewHsmKey, version: u64) -> Result<KeyInfo, Error> {
        let client = self.client();
        let grant = self.grant_to_create(&new.key).await?;
        let scope = Scope {
            account: client.root().account(),
            store: new.store.clone(),
            key: new.key.clone(),
            version,
        };
        let expires = latest(client.access_managers_time().await?);
        let making = Making { grant, labels: new.labels.clone(), expires };
        let output = client.have_made(AskedKey::New(new.algorithm), scope.clone(), making).await?;
        let Output::Generated(signed) = output else { return Err(not_as_asked().into()) };
        let wrapped = VerifiedWrappedKey::verify(signed, &client.root())
            .map_err(|error| Integrity::Certificate(CertificateFault::WrappedKey(error)))?;
        let made = wrapped.key();
        let asked = (&made.key, made.version, &made.store, made.algorithm)
            == (&scope.key, version, &scope.store, new.algorithm);
        if !asked {
            return Err(not_as_asked().into());
        }
        self.hand_in(&wrapped).await?;
        self.show(&new.key).await
    }

    async fn hand_in(&self, wrapped: &VerifiedWrappedKey) -> Result<(), Error> {
        let (access, key) = (self.client().access(), wrapped.key());
        let about =
            Subject { key: Some(&key.key), version: Some(key.version), operation: Some(Operation::Create) };
        let path = path::certificate(access.account(), key.key.as_str(), key.version);
        let body = api::SignedDocument { document: as_document(wrapped.signed()) };
        access.put(path, &body).await.map_err(|error| access.explain(error, about))
    }
}

impl Client {
    /// The time by the access manager's clock: what a job that needs no permit is dated by.
    async fn access_managers_time(&self) -> Result<Seconds, Error> {
        let access = self.access();
        let health: api::Health =
            access.get(path::HEALTH).await.map_err(|error| access.explain(error, Subject::default()))?;
        Ok(Seconds(health.time))
    }
}

const fn not_as_asked() -> Integrity {
    Integrity::Certificate(CertificateFault::NotAsAsked)
}
