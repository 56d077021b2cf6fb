//! Doing a job that was admitted: from the work to its outcome, or to what stands in the way just now.

use crate::{
    clock::reading,
    key_store::{Fault, KeyStore, KeyStoreError, StoredKey},
};
use symbolon_fragments::names::Index;
use symbolon_protocol::jobs::{Admitted, Output, Refusal, SecretBytes, Trouble, Work, associated_data};
use symbolon_trust::{KeyPair, Signed, WrappedKey, wrapped_key_binding};

/// Who does the work.
pub(crate) struct Hands<'a, K> {
    pub(crate) key_store: &'a K,
    pub(crate) index: Index,
    pub(crate) identity: &'a KeyPair,
}

/// What becomes of a fault: the job is refused for good, or another driver may do better.
pub(crate) const fn sort(fault: Fault) -> Result<Refusal, Trouble> {
    match fault {
        Fault::TokenAbsent | Fault::NoMasterKey => Err(Trouble::TokenAbsent),
        Fault::PinRefused => Err(Trouble::PinRefused),
        Fault::Module | Fault::Unusable => Err(Trouble::Module),
        Fault::Integrity => Ok(Refusal::Integrity),
        Fault::Unsupported => Ok(Refusal::Unsupported),
        Fault::Failed => Ok(Refusal::Failed),
    }
}

impl<K: KeyStore> Hands<'_, K> {
    /// Does the job.
    pub(crate) async fn work(&self, job: &Admitted) -> Result<Output, KeyStoreError> {
        match (job.work(), job.wrapped()) {
            (Work::Generate, None) => self.generate(job).await,
            (work, Some(wrapped)) => self.using(job, work, wrapped.key()).await,
            // The judge admits no such job.
            (_, None) => Err(KeyStoreError::new(Fault::Failed, "a job without its key")),
        }
    }

    async fn using(
        &self,
        job: &Admitted,
        work: &Work,
        wrapped: &WrappedKey,
    ) -> Result<Output, KeyStoreError> {
        let (id, scope, binding) = (job.id(), job.scope(), wrapped.binding());
        let key = StoredKey { wrapped: &wrapped.wrapped, binding: &binding, algorithm: wrapped.algorithm };
        let associated =
            |context: &[u8; 32]| associated_data(&scope.account, &scope.key, scope.version, context);
        let store = self.key_store;
        match work {
            Work::Seal { context, secret } => {
                store.seal(id, key, secret.expose(), &associated(context)).await.map(Output::Sealed)
            }
            Work::Open { context, sealed } => {
                let opened = store.open(id, key, sealed, &associated(context)).await?;
                Ok(Output::Opened(SecretBytes::new(opened)))
            }
            Work::Sign { message } => store.sign(id, key, message).await.map(Output::Signature),
            Work::Generate => Err(KeyStoreError::new(Fault::Failed, "a job for a key that there is already")),
        }
    }

    async fn generate(&self, job: &Admitted) -> Result<Output, KeyStoreError> {
        let (scope, algorithm) = (job.scope(), job.algorithm());
        let binding = wrapped_key_binding(&scope.account, &scope.key, scope.version);
        let made = self.key_store.generate(job.id(), algorithm, &binding).await?;
        let body = WrappedKey {
            account: scope.account,
            key: scope.key.clone(),
            version: scope.version,
            store: scope.store.clone(),
            algorithm,
            wrapped: made.wrapped,
            public_key: made.public_key,
            request: *job.id().as_bytes(),
            driver: self.index,
            created: reading(),
        };
        Ok(Output::Generated(Signed::by(body, [self.identity])))
    }
}
