//! A provider's plugin as the driver's key store.

use crate::{
    config::PluginConfig,
    key_store::{Fault, Generated, KeyStore, KeyStoreError, StoredKey},
};
use symbolon_fragments::names::AccountId;
use symbolon_plugin::{
    Bundle, BundleError, CallError, KeyRef, KeySpec, Keystore, Kind, PluginHost, Refusal, Settings,
    SignInput, StartError, Tenant, Verdict, reason,
};
use symbolon_protocol::jobs::JobId;
use symbolon_trust::KeyAlgorithm;
use zeroize::Zeroizing;

/// Why the plugin can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// No plugins can run here.
    #[error("plugins can't run here")]
    Host(#[from] StartError),
    /// The file.
    #[error("the plugin's file is of no use")]
    Bundle(#[from] BundleError),
    /// The plugin is refused.
    #[error("the plugin is refused")]
    Refused(#[from] Refusal),
}

/// The key store behind a plugin.
pub struct PluginKeyStore {
    keystore: Keystore,
    /// Plugins live as long as their host.
    _host: PluginHost,
}

impl PluginKeyStore {
    /// Loads the plugin, with everything that can be refused. In a process that locks its memory, this comes first: the host
    /// reserves addresses.
    ///
    /// # Panics
    /// Never: an account's id is a tenant's name.
    pub async fn load(config: &PluginConfig, account: AccountId) -> Result<Self, PluginError> {
        let bundle = Bundle::read(&config.file)?;
        let host = PluginHost::new(Settings::default())?;
        let plugin = host.load(&bundle, &config.policy).await?;
        let tenant = Tenant::new(&account.to_string()).expect("an account's id is a tenant's name");
        Ok(Self { keystore: plugin.keystore(&tenant), _host: host })
    }

    /// Makes the store's master key in the HSM, where it has none.
    pub async fn create_master(&self) -> Result<(), KeyStoreError> {
        match self.keystore.create_master().await {
            Err(CallError::Plugin(said)) if said.reason == reason::MASTER_EXISTS => Ok(()),
            other => other.map_err(explain),
        }
    }

    fn of(&self, job: JobId) -> Keystore {
        self.keystore.for_request(&job.to_string())
    }
}

impl KeyStore for PluginKeyStore {
    async fn check_value(&self) -> Result<Vec<u8>, KeyStoreError> {
        self.keystore.check_value().await.map_err(explain)
    }

    async fn generate(
        &self,
        job: JobId,
        algorithm: KeyAlgorithm,
        binding: &[u8],
    ) -> Result<Generated, KeyStoreError> {
        let usage = if algorithm.signs() { "sign" } else { "seal" };
        let spec = KeySpec { algorithm: algorithm.name().into(), usages: vec![usage.into()] };
        let made = self.of(job).generate(&spec, binding).await.map_err(explain)?;
        Ok(Generated { wrapped: made.id, public_key: made.public_key })
    }

    async fn seal(
        &self,
        job: JobId,
        key: StoredKey<'_>,
        secret: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        self.of(job).seal(named(key), secret, associated).await.map_err(explain)
    }

    async fn open(
        &self,
        job: JobId,
        key: StoredKey<'_>,
        sealed: &[u8],
        associated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        self.of(job).open(named(key), sealed, associated).await.map_err(explain)
    }

    async fn sign(&self, job: JobId, key: StoredKey<'_>, message: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        let algorithm = signature(key.algorithm)
            .ok_or_else(|| KeyStoreError::new(Fault::Failed, "a key that does not sign"))?;
        self.of(job).sign(named(key), algorithm, SignInput::Message(message)).await.map_err(explain)
    }
}

/// What plugins call the signature that a kind of key makes.
const fn signature(algorithm: KeyAlgorithm) -> Option<&'static str> {
    match algorithm {
        KeyAlgorithm::Aes256 => None,
        KeyAlgorithm::EcdsaP256 => Some("ecdsa-p256-sha256"),
        KeyAlgorithm::EcdsaP384 => Some("ecdsa-p384-sha384"),
        KeyAlgorithm::EcdsaSecp256k1 => Some("ecdsa-secp256k1-sha256"),
        KeyAlgorithm::Ed25519 => Some("ed25519"),
        KeyAlgorithm::Rsa2048 => Some("rsa-pss-sha256"),
    }
}

const fn named(key: StoredKey<'_>) -> KeyRef<'_> {
    KeyRef { id: key.wrapped, binding: key.binding }
}

fn explain(error: CallError) -> KeyStoreError {
    let fault = match &error {
        CallError::Plugin(said) => fault(said.reason.as_str(), said.kind),
        CallError::Host(Verdict::OutOfTime | Verdict::Busy) => Fault::Module,
        CallError::Host(_) => Fault::Failed,
    };
    KeyStoreError::new(fault, error)
}

/// What a plugin's stable reason is to a driver; where the reason is one of the plugin's own, its kind says.
fn fault(reason: &str, kind: Kind) -> Fault {
    match reason {
        // A session ends under its user when the token is taken out.
        reason::TOKEN_ABSENT | reason::SESSION_LOST => Fault::TokenAbsent,
        reason::PIN_REFUSED | reason::PIN_LOCKED => Fault::PinRefused,
        reason::MODULE_CRASHED | reason::MODULE_TIMED_OUT => Fault::Module,
        reason::MODULE_UNUSABLE => Fault::Unusable,
        reason::MASTER_MISSING => Fault::NoMasterKey,
        reason::MECHANISM_MISSING | reason::ALGORITHM_UNKNOWN => Fault::Unsupported,
        _ => match kind {
            Kind::Integrity => Fault::Integrity,
            Kind::Unsupported => Fault::Unsupported,
            Kind::Unavailable | Kind::OutOfTime | Kind::Exhausted => Fault::Module,
            _ => Fault::Failed,
        },
    }
}
