//! What a driver takes of a provider of keys.

use std::error::Error;
use symbolon_protocol::jobs::JobId;
use symbolon_trust::KeyAlgorithm;
use zeroize::Zeroizing;

/// A provider of keys behind which an HSM is. Each call may take as long as the HSM does.
pub trait KeyStore: Send + Sync + 'static {
    /// What all drivers of the same master key see alike; it shows that the HSM answers, too.
    fn check_value(&self) -> impl Future<Output = Result<Vec<u8>, KeyStoreError>> + Send;

    /// Makes a key, which only this binding opens again.
    fn generate(
        &self,
        job: JobId,
        algorithm: KeyAlgorithm,
        binding: &[u8],
    ) -> impl Future<Output = Result<Generated, KeyStoreError>> + Send;

    /// Seals a secret.
    fn seal(
        &self,
        job: JobId,
        key: StoredKey<'_>,
        secret: &[u8],
        associated: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, KeyStoreError>> + Send;

    /// Opens a sealed secret.
    fn open(
        &self,
        job: JobId,
        key: StoredKey<'_>,
        sealed: &[u8],
        associated: &[u8],
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, KeyStoreError>> + Send;

    /// Signs a message.
    fn sign(
        &self,
        job: JobId,
        key: StoredKey<'_>,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, KeyStoreError>> + Send;
}

/// A key as it comes with a job.
#[derive(Clone, Copy, Debug)]
pub struct StoredKey<'a> {
    /// Its wrapped form.
    pub wrapped: &'a [u8],
    /// What it was bound to.
    pub binding: &'a [u8],
    /// What kind of key it is.
    pub algorithm: KeyAlgorithm,
}

/// A key that was made.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Its wrapped form.
    pub wrapped: Vec<u8>,
    /// Its public half as `SubjectPublicKeyInfo` in DER, if it has one.
    pub public_key: Option<Vec<u8>>,
}

/// What stands in the way, as a driver has to tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The token isn't there. It may come back.
    #[error("the token is not there")]
    TokenAbsent,
    /// The token refuses the PIN, or is locked. It must not be tried again.
    #[error("the token refuses the PIN")]
    PinRefused,
    /// The vendor's module crashed or took too long. It is started anew.
    #[error("the vendor's module crashed or did not answer in time")]
    Module,
    /// The vendor's module is not there, or is no PKCS#11 library. Waiting doesn't help.
    #[error("the vendor's module can't be used")]
    Unusable,
    /// The HSM has no master key of this store.
    #[error("the HSM has no master key of this store")]
    NoMasterKey,
    /// The wrapped key or the sealed secret was changed, is bound to something else, or is another module's.
    #[error("the HSM does not open it")]
    Integrity,
    /// The HSM lacks a mechanism or an algorithm.
    #[error("the HSM lacks what it takes")]
    Unsupported,
    /// The provider failed otherwise.
    #[error("the provider failed")]
    Failed,
}

/// Why a provider didn't do something: what a driver decides by, and the provider's own words for the log.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct KeyStoreError {
    /// What it is to the driver.
    pub fault: Fault,
    /// What the provider says.
    #[source]
    pub cause: Box<dyn Error + Send + Sync>,
}

impl KeyStoreError {
    /// A fault with its cause.
    pub fn new(fault: Fault, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { fault, cause: cause.into() }
    }
}
