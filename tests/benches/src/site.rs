//! The deployment that the figures are taken on: real processes, from the files that `symbolon dev --prepare` lays out.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::path::PathBuf;
use symbolon_channel::{Channel, Dialler, Identity, Route};
use symbolon_client::keys::{Members, NewKey, RootOfKey};
use symbolon_client::{Client, NoUnlock, Profile};
use symbolon_e2e::{Account, Deployment, PATIENCE, Party};
use symbolon_fragments::{
    SuiteId,
    names::{InstanceId, Purpose},
};
use symbolon_protocol::api::{Labels, Operation};
use symbolon_protocol::wire::{Request, Response};
use tokio::runtime::{Builder, Runtime};

/// One holder makes more keys a second here than the access manager would let it.
const LIMITS: &str = "\n[limits]\nrequests-per-sec = 1000000\nburst = 1000000\n";
/// Keys that are made at the same time.
const AT_A_TIME: usize = 64;

/// A running deployment and its first person.
pub struct Site {
    /// The processes.
    pub deployment: Deployment,
    /// The person's client.
    pub client: Client,
    profile: Profile,
    /// Where the client and the load run.
    pub runtime: Runtime,
}

/// An authorised channel to the first fragment manager.
pub struct Line {
    /// The channel.
    pub channel: Channel,
    /// The verdict's handle.
    pub handle: u64,
    /// The newest instance of the key's set.
    pub instance: InstanceId,
}

impl Site {
    /// Starts one, without any key.
    ///
    /// # Panics
    /// If anything fails: there is nothing to measure then.
    pub fn start() -> Self {
        let files = symbolon_e2e::Site::prepare();
        let config = files.config("access-manager");
        let text = std::fs::read_to_string(&config).expect("the files are laid out");
        std::fs::write(&config, text + LIMITS).expect("the files can be written");
        let deployment = files.start();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let profile = Profile::load(&deployment.site().directory().join("profile.toml")).expect("a profile");
        let inside = runtime.enter();
        let client = Client::open(&profile, &mut NoUnlock).expect("a client");
        drop(inside);
        Self { deployment, client, profile, runtime }
    }

    /// Starts one with a 2-of-3 key of each suite.
    pub fn with_keys() -> Self {
        let site = Self::start();
        let new = |suite| new_key(key(suite), suite, RootOfKey::Dedicated);
        site.create(SuiteId::ALL.map(new).into());
        site
    }

    /// Makes so many dedicated keys on ristretto255.
    pub fn dedicated_keys(&self, count: usize) {
        let new =
            |n| new_key(&format!("bench/dedicated-{n}"), SuiteId::Ristretto255Sha512, RootOfKey::Dedicated);
        self.create((0..count).map(new).collect());
    }

    /// Makes keys, many at a time, in no order.
    ///
    /// # Panics
    /// If one is refused.
    pub fn create(&self, keys: Vec<NewKey>) {
        let create = |new: NewKey| async move { self.client.keys().create(&new).await.map(drop) };
        let all = stream::iter(keys).map(create).buffer_unordered(AT_A_TIME);
        self.runtime.block_on(all.try_collect::<()>()).expect("keys are made");
    }

    /// The person that may do everything, speaking the protocol itself.
    ///
    /// # Panics
    /// If the identity cannot be read.
    pub fn party(&self) -> Party {
        let key = symbolon_client::identity::load(&self.profile.identity, &mut NoUnlock);
        Party::new(&key.expect("an identity without a passphrase"))
    }

    /// A channel to the first fragment manager with a fresh permit for a key.
    ///
    /// # Panics
    /// If it is refused.
    pub fn line(&self, suite: SuiteId, operation: Operation) -> Line {
        let account = self.deployment.account();
        let party = self.party();
        let (grant, permit) = account.credential(&party, key(suite), &[operation]).expect("a permit");
        let instance = self.newest_instance(&account, &party, suite);
        let channel = self.channel(&account, &party);
        let answer = self.runtime.block_on(channel.call(Request::Authorise { grant, permit }, PATIENCE));
        let Ok(Response::Authorised { handle, .. }) = answer else { panic!("not authorised: {answer:?}") };
        Line { channel, handle, instance }
    }

    fn channel(&self, account: &Account, party: &Party) -> Channel {
        let route = Route::Direct { address: self.deployment.manager_address(0).to_string() };
        let dialler = Dialler::new(Identity::new(party.key()).expect("an identity"), PATIENCE);
        self.runtime.block_on(dialler.channel(&route, &account.manager(0))).expect("a channel")
    }

    fn newest_instance(&self, account: &Account, party: &Party, suite: SuiteId) -> InstanceId {
        let conversation =
            party.direct(self.deployment.manager_address(0), &account.manager(0)).expect("a channel");
        account.newest_instance(&conversation, account.set_of(party, key(suite))).body().instance()
    }

    /// A directory for large files, beside the deployment.
    pub fn scratch(&self) -> PathBuf {
        self.deployment.site().directory().to_owned()
    }
}

/// A 2-of-3 key to be made.
pub fn new_key(key: &str, suite: SuiteId, root: RootOfKey) -> NewKey {
    NewKey {
        key: key.parse().expect("a key id"),
        suite,
        t: 2,
        members: Members::Any(3),
        purpose: Purpose::Data,
        customer_fragment: false,
        root,
        labels: Labels::new(),
    }
}

/// A key for data keys, to be made.
pub fn data_key() -> NewKey {
    let key = new_key("bench/data-key", SuiteId::Ristretto255Sha512, RootOfKey::Dedicated);
    NewKey { purpose: Purpose::DataKey, ..key }
}

/// The name of the key of a suite.
pub fn key(suite: SuiteId) -> &'static str {
    match suite {
        SuiteId::Ristretto255Sha512 => "bench/ristretto255",
        SuiteId::P256Sha256 => "bench/p256",
    }
}
