//! Fragments as they are loaded to be used: read from the datastore, unsealed, compared with their certificate.

use std::sync::Arc;

use symbolon_encoding::from_canonical;
use symbolon_fragments::Instance;
use symbolon_fragments::names::{AccountId, Index, InstanceId};
use symbolon_store::Datastore;
use symbolon_store::manager::Rows;
use symbolon_trust::{EpochCertificate, Signed};
use zeroize::Zeroizing;

use crate::sets::{BoxFuture, FragmentError, FragmentSource};
use crate::vault::Vault;

/// An account's fragments in datastore and vault.
pub struct StoredFragments {
    account: AccountId,
    index: Index,
    store: Arc<Datastore>,
    vault: Arc<Vault>,
}

impl StoredFragments {
    /// The fragments that member `index` of an account holds.
    pub fn new(account: AccountId, index: Index, store: Arc<Datastore>, vault: Arc<Vault>) -> Self {
        Self { account, index, store, vault }
    }

    async fn read(&self, instance: InstanceId) -> Result<Zeroizing<Vec<u8>>, FragmentError> {
        let mut read = self.store.read().await?;
        let row = Rows::of(&mut read, &self.account).fragment(&instance).await?;
        let (certificate, sealed) = row.ok_or(FragmentError::Missing)?;
        let secret = self.vault.unseal(&self.account, &instance, &sealed);
        let secret = secret.map_err(|_| FragmentError::Unreadable)?;
        let certificate: Signed<EpochCertificate> =
            from_canonical(&certificate).map_err(|_| FragmentError::Unreadable)?;
        check_share(certificate.body(), self.index, &secret)?;
        Ok(secret)
    }
}

impl FragmentSource for StoredFragments {
    fn load(&self, instance: InstanceId) -> BoxFuture<'_, Result<Zeroizing<Vec<u8>>, FragmentError>> {
        Box::pin(self.read(instance))
    }
}

/// Checks that a fragment is the one whose public share the certificate commits to: `s·G = Y_i`.
fn check_share(certificate: &EpochCertificate, index: Index, secret: &[u8]) -> Result<(), FragmentError> {
    let commitment: Vec<&[u8]> = certificate.commitment.iter().map(|element| element.as_slice()).collect();
    let instance = Instance::new(certificate.suite, &commitment, &certificate.members);
    let instance = instance.map_err(|_| FragmentError::Unreadable)?;
    instance.fragment(index, secret).map_err(|_| FragmentError::Unreadable)?;
    Ok(())
}
