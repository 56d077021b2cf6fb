//! A deployment with a driver, and a client that has it work.

use std::path::Path;
use std::time::Duration;

use symbolon_client::error::{Error, Unavailable};
use symbolon_client::hsm::NewHsmKey;
use symbolon_client::keys::KeyInfo;
use symbolon_client::{Client, Context, NoUnlock, Profile};
use symbolon_e2e::datastore::{datastore, query};
use symbolon_e2e::hsm::{Driver, token};
use symbolon_e2e::{Deployment, eventually};
use symbolon_fragments::names::KeyId;
use symbolon_hsm::{FaultyModule, Module};
use symbolon_pkcs11::TokenSettings;
use symbolon_protocol::api::{JobTrouble, Labels};
use symbolon_trust::KeyAlgorithm;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// A deployment with one driver, and a client of the first person.
pub struct Scene {
    pub deployment: Deployment,
    pub token: FaultyModule,
    pub driver: Driver,
    pub runtime: Runtime,
    pub client: Client,
}

impl Scene {
    /// On `SoftHSM2`, whose calls are given up soon.
    pub fn new() -> Self {
        Self::on(Module::SoftHsm2, 5)
    }

    pub fn on(module: Module, timeout_secs: u64) -> Self {
        let (deployment, token) = (Deployment::start(), token(module));
        let driver = deployment.driver("hsm-1", &TokenSettings { timeout_secs, ..token.settings() });
        let client = client(&deployment);
        Self { deployment, token, driver, runtime: Runtime::new().unwrap(), client }
    }

    pub fn key(&self, name: &str) -> KeyId {
        self.deployment.cli().run(&["key", "create", name, "--store", "prod"]).succeeds();
        name.parse().unwrap()
    }

    pub fn seal(&self, key: &KeyId, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let secret = Zeroizing::new(secret.to_vec());
        self.runtime.block_on(self.client.seal(key, &secret, &context()))
    }

    pub fn open(&self, key: &KeyId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let opened = self.runtime.block_on(self.client.unseal(key, sealed, &context()))?;
        Ok(opened.secret.to_vec())
    }

    /// Begins to make a key in the background: of all jobs the one that takes the HSM the longest.
    pub fn making(&self, name: &str, within: u64) -> JoinHandle<Result<KeyInfo, Error>> {
        let client = self.client.within(Duration::from_secs(within));
        let (key, store) = (name.parse().unwrap(), "prod".parse().unwrap());
        let new = NewHsmKey { key, store, algorithm: KeyAlgorithm::Aes256, labels: Labels::new() };
        self.runtime.spawn(async move { Box::pin(client.keys().create_in_hsm(&new)).await })
    }

    /// The state in which a key is shown.
    pub fn state_of(&self, key: &str) -> serde_json::Value {
        self.deployment.cli().json(&["key", "show", key])["state"].clone()
    }

    /// Waits until a driver has the one job that has no result.
    pub fn wait_for_lease(&self) {
        let store = datastore(&self.deployment.site().home("access-manager"));
        eventually("a driver has the job", || {
            let leased = query(&store, "SELECT count(*) FROM job WHERE free_at > 0 AND result IS NULL", &[]);
            leased[0][0].as_u64() == Some(1)
        });
    }

    /// What stood in the way of a key that could not be made.
    #[track_caller]
    pub fn trouble(&self, making: JoinHandle<Result<KeyInfo, Error>>) -> Option<JobTrouble> {
        trouble(self.runtime.block_on(making).unwrap().map(|_| Vec::new()))
    }

    /// Stops the access manager, lets a thief at its datastore, and starts it again.
    pub fn steal<T>(&mut self, thief: impl FnOnce(&Path) -> T) -> T {
        self.deployment.access_manager.stop();
        let done = thief(&datastore(&self.deployment.site().home("access-manager")));
        self.deployment.access_manager.restart();
        done
    }
}

pub fn client(deployment: &Deployment) -> Client {
    let profile = Profile::load(deployment.cli().profile()).unwrap();
    Client::open(&profile, &mut NoUnlock).unwrap()
}

pub fn context() -> Context {
    Context::from_pairs([("tenant", "acme")]).unwrap()
}

#[track_caller]
pub fn trouble(result: Result<Vec<u8>, Error>) -> Option<JobTrouble> {
    match result {
        Err(Error::Unavailable { cause: Unavailable::KeyStore { trouble, .. }, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}
