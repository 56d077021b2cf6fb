//! What a driver says about itself for the owner to sign it in.

use crate::{
    clock::reading,
    driver::Keys,
    key_store::{KeyStore, KeyStoreError},
};
use symbolon_fragments::names::AccountId;
use symbolon_trust::{Enrolment, Signed, StoreLabel};

/// Why a driver can't enrol.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The HSM, or its provider.
    #[error("the HSM does not say which master key it has")]
    KeyStore(#[from] KeyStoreError),
}

/// Makes the enrolment: the identity, the key that jobs are to be sealed to, and the check value of the master key that the
/// HSM has.
pub async fn enrol(
    account: AccountId,
    store: StoreLabel,
    keys: &Keys,
    key_store: &impl KeyStore,
) -> Result<Signed<Enrolment>, EnrolError> {
    let check_value = key_store.check_value().await?;
    let enrolment = Enrolment {
        account,
        store,
        key: keys.identity.public(),
        sealing_key: keys.jobs.public().to_vec(),
        check_value,
        created: reading(),
    };
    Ok(Signed::by(enrolment, [&keys.identity]))
}
