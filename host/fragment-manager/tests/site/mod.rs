//! An account with three fragment managers on loopback: real TLS, real datastores, documents signed in the test.
//!
//! Fragments are dealt in the open here; how they are made without anybody holding the key is the ceremony's test.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};
use symbolon_channel::{CancellationToken, Channel, Dialler, Identity, Route};
use symbolon_encoding::to_canonical;
use symbolon_envelope::sealed::SealingKey;
use symbolon_fragment_manager::{Clock, Config, FragmentManager, OpenError, Vault};
use symbolon_fragments::names::{AccountId, Index, InstanceId, KeyId, Purpose, SetId, Thumbprint};
use symbolon_fragments::suite::{Field, Group, Scalar, encode_element, encode_scalar};
use symbolon_fragments::{Fields, Input, Instance, KeyScope, OldRng, Suite, SuiteId, SuiteVisitor};
use symbolon_protocol::wire::{Error, Inputs, Request, Response};
use symbolon_store::manager::{NewInstance, Rows, SCHEMA};
use symbolon_store::{Datastore, OpenError as StoreOpenError, Owner, Role as StoreRole, Sealing};
use symbolon_trust::{
    AccessManager, Action, CeremonyKind, CreateRequest, DenyDocument, Document, EpochCertificate, Grant,
    KeyKind, KeyPair, Member, MemberKind, Operation, Order, Permit, Principal, Role, Roles, RootDocument,
    Seconds, Shape, Signed, Spread,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Long enough never to pass in a test that succeeds.
pub const AMPLE: Duration = Duration::from_secs(20);
/// When every test begins, Unix seconds.
pub const START: u64 = 1_800_000_000;

pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

pub fn members() -> Vec<Index> {
    [1, 2, 3].map(index).to_vec()
}

/// A clock that a test sets.
#[derive(Clone)]
pub struct Hands(Arc<AtomicU64>);

impl Hands {
    pub fn at(time: u64) -> Self {
        Self(Arc::new(AtomicU64::new(time)))
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn set(&self, time: u64) {
        self.0.store(time, Ordering::SeqCst);
    }

    pub fn pass(&self, seconds: u64) {
        self.set(self.now() + seconds);
    }

    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::reading(move || Seconds(hands.now()))
    }
}

/// An account: its owner's keys, its access manager's, and the root document.
pub struct Domain {
    pub owner: KeyPair,
    pub permit: KeyPair,
    pub root: Signed<RootDocument>,
    pub id: AccountId,
}

impl Domain {
    pub fn new(managers: &[&KeyPair]) -> Self {
        let [owner, permit, access] = [(); 3].map(|()| KeyPair::generate(&mut rng()));
        let mut nonce = [0; 16];
        rng().fill_bytes(&mut nonce);
        let role = |key: &KeyPair| Role::new(1, [key.public()]);
        let document = RootDocument {
            version: 1,
            previous: None,
            created: Seconds(START),
            nonce,
            roles: Roles {
                root: role(&owner),
                policy: role(&owner),
                deny: role(&owner),
                permit: role(&permit),
            },
            access_manager: AccessManager { key: access.public(), address: "localhost:1".into() },
            roster: managers.iter().zip(1..).map(|(key, number)| member(number, key)).collect(),
            minimum: Shape { t: 2, n: 2 },
            spread: Spread::None,
            key_stores: Vec::new(),
        };
        let id = document.account();
        Self { root: Signed::by(document, [&owner]), owner, permit, id }
    }

    pub fn grant(&self, id: u64, holder: &KeyPair, keys: &str, operations: &[Operation]) -> Grant {
        Grant {
            account: self.id,
            id,
            serial: 1,
            keys: vec![keys.parse().unwrap()],
            principal: Principal::Holder(holder.public().thumbprint()),
            operations: operations.iter().copied().collect(),
            rate: 0,
            not_before: Seconds(START),
            not_after: Seconds(START + 30 * 86400),
        }
    }

    pub fn permit(&self, grant: &Grant, key: &str, version: u64, now: u64) -> Permit {
        let Principal::Holder(principal) = grant.principal;
        Permit {
            account: self.id,
            id: [7; 16],
            principal,
            key: key.parse().unwrap(),
            version,
            operations: grant.operations,
            grant_id: grant.id,
            grant_serial: grant.serial,
            on_behalf_of: None,
            issued: Seconds(now),
            not_after: Seconds(now + 60),
        }
    }

    pub fn create(&self, key: &str, version: u64, suite: SuiteId, kind: KeyKind) -> CreateRequest {
        CreateRequest {
            account: self.id,
            key: key.parse().unwrap(),
            version,
            suite,
            set: None,
            t: 2,
            members: members(),
            customer_fragment: false,
            purpose: Purpose::Data,
            nonce: [3; 16],
            issued: Seconds(START),
            expires: Seconds(START + 3600),
            kind,
        }
    }

    pub fn order(&self, serial: u64, now: u64, action: Action) -> Order {
        Order { account: self.id, serial, issued: Seconds(now), expires: Seconds(now + 3600), action }
    }

    pub fn deny(&self, version: u64, change: impl FnOnce(&mut DenyDocument)) -> Signed<DenyDocument> {
        let mut deny = DenyDocument { version, ..DenyDocument::nothing(self.id) };
        change(&mut deny);
        self.sign(deny)
    }

    pub fn sign<B: Document>(&self, body: B) -> Signed<B> {
        Signed::by(body, [&self.owner])
    }

    pub fn sign_permit(&self, permit: Permit) -> Signed<Permit> {
        Signed::by(permit, [&self.permit])
    }
}

fn member(number: u16, key: &KeyPair) -> Member {
    Member {
        index: index(number),
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{number}"),
        key: key.public(),
        address: "localhost:1".into(),
        operator: String::new(),
        cloud: String::new(),
        region: String::new(),
        retired: false,
    }
}

/// A set as a ceremony would have left it: certificate by all members, and everybody's fragment.
pub struct Dealt {
    pub origin: CreateRequest,
    pub certificate: Signed<EpochCertificate>,
    pub instance: Instance,
    pub secrets: Vec<[u8; 32]>,
}

impl Dealt {
    pub fn new(origin: &CreateRequest, keys: &[&KeyPair]) -> Self {
        Self::of_epoch(origin, keys, 1)
    }

    pub fn of_epoch(origin: &CreateRequest, keys: &[&KeyPair], epoch: u64) -> Self {
        let (commitment, secrets) = origin.suite.visit(Deal(members()));
        let mut set = [0; 32];
        rng().fill_bytes(&mut set);
        let certificate = EpochCertificate {
            account: origin.account,
            set: SetId::new(set),
            suite: origin.suite,
            kind: CeremonyKind::Generate,
            serial: 0,
            epoch,
            predecessor: None,
            t: 2,
            members: members(),
            dealers: members(),
            ceremony: [1; 32],
            h1: [2; 32],
            h2: [3; 32],
            root_version: 1,
            y: commitment[0].clone(),
            commitment: commitment.iter().map(|element| element.clone().into()).collect(),
        };
        let instance = Instance::new(origin.suite, &commitment, &members()).unwrap();
        let certificate = Signed::by(certificate, keys.iter().copied());
        Self { origin: origin.clone(), certificate, instance, secrets }
    }

    pub fn set(&self) -> SetId {
        self.certificate.body().set
    }

    pub fn id(&self) -> InstanceId {
        self.certificate.body().instance()
    }

    /// Stores it as the ceremony's shell does.
    pub async fn store(&self, member: u16, store: &Datastore, vault: &Vault) {
        let account = self.origin.account;
        let secret = &self.secrets[usize::from(member) - 1];
        let sealed = vault.seal(&account, &[(self.id(), secret)]).unwrap().remove(0);
        let mut write = store.write().await.unwrap();
        let mut rows = Rows::of(&mut write, &account);
        let new = NewInstance {
            set: self.set(),
            instance: self.id(),
            origin: to_canonical(&self.origin),
            certificate: to_canonical(&self.certificate),
            fragment: sealed,
        };
        rows.add_instance(&new).await.unwrap();
        rows.flip(&self.id(), &new.certificate).await.unwrap();
        rows.settle(&self.id()).await.unwrap();
        write.commit().await.unwrap();
    }

    /// An input as the client computes it, for combining.
    pub fn input(&self, key: &str, version: u64, fields: &Fields) -> Input {
        let (account, suite) = (self.origin.account, self.origin.suite);
        Input::new(&KeyScope { account, suite, key: key.parse().unwrap(), version }, fields)
    }
}

struct Deal(Vec<Index>);

impl SuiteVisitor for Deal {
    type Output = (Vec<Vec<u8>>, Vec<[u8; 32]>);

    fn visit<S: Suite>(self) -> Self::Output {
        let random = || <S::Group as Group>::Field::random(&mut OldRng(&mut rng()));
        let (constant, slope): (Scalar<S>, Scalar<S>) = (random(), random());
        let commit =
            |c: Scalar<S>| encode_element::<S>(&(S::Group::generator() * c)).unwrap().as_ref().to_vec();
        let secret = |i: &Index| encode_scalar::<S>(&(constant + slope * Scalar::<S>::from(i.get().into())));
        (vec![commit(constant), commit(slope)], self.0.iter().map(secret).collect())
    }
}

/// One manager's directory and identity.
pub struct Place {
    pub directory: TempDir,
    pub seed: [u8; 32],
    pub number: u16,
}

impl Place {
    pub fn new(number: u16) -> Self {
        let mut seed = [0; 32];
        rng().fill_bytes(&mut seed);
        let place = Self { directory: tempfile::tempdir().unwrap(), seed, number };
        std::fs::create_dir(place.path("accounts")).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn identity(&self) -> KeyPair {
        KeyPair::from_seed(&self.seed)
    }

    pub fn sealing(&self) -> SealingKey {
        SealingKey::new(self.seed.map(|byte| !byte))
    }

    pub fn config(&self) -> Config {
        let mut config = Config {
            listen: "127.0.0.1:0".into(),
            identity: "identity".into(),
            sealing: Sealing::File("sealing.key".into()),
            accounts: "accounts".into(),
            datastore: "manager.db".into(),
            workers: 1,
            refresh_hours: 24,
        };
        config.resolve(self.directory.path());
        config
    }

    pub fn join(&self, domain: &Domain) {
        let name = format!("{:x}.root", domain.id);
        std::fs::write(self.path("accounts").join(name), to_canonical(&domain.root)).unwrap();
    }

    /// Whether bytes occur in any file of the manager.
    pub fn disk_contains(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).any(|path| {
            let content = std::fs::read(path).unwrap_or_default();
            content.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    /// Opens datastore and vault as the manager does, while it doesn't run.
    pub async fn stores(&self) -> (Datastore, Vault) {
        let identity = self.identity().public().thumbprint();
        let owner = Owner { role: StoreRole::FragmentManager, identity };
        let store = Datastore::open(&self.config().datastore, &owner, &SCHEMA).await.unwrap();
        let vault = Vault::open(wrapping(&self.config().datastore), identity, self.sealing()).unwrap();
        (store, vault)
    }

    pub async fn try_open(&self, hands: &Hands) -> Result<FragmentManager, OpenError> {
        let (sealing, identity) = (self.sealing(), self.identity());
        FragmentManager::open_with(&self.config(), sealing, identity, hands.clock(), &|source| source).await
    }

    /// Opens it; after a crash in this process, as soon as the runtime has dropped what the crash left.
    pub async fn open(&self, hands: &Hands) -> FragmentManager {
        let started = Instant::now();
        loop {
            match self.try_open(hands).await {
                Err(OpenError::Datastore { cause: StoreOpenError::InUse, .. })
                    if started.elapsed() < AMPLE =>
                {
                    tokio::task::yield_now().await;
                }
                opened => return opened.unwrap(),
            }
        }
    }

    pub async fn start(&self, hands: &Hands) -> Running {
        let manager = self.open(hands).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let route = Route::Direct { address: listener.local_addr().unwrap().to_string() };
        let stop = CancellationToken::new();
        let task = tokio::spawn(manager.serve(listener, stop.clone()));
        Running { route, key: self.identity(), stop, task }
    }
}

fn wrapping(datastore: &Path) -> PathBuf {
    datastore.with_added_extension("wrapping")
}

/// A manager that runs in this process.
pub struct Running {
    pub route: Route,
    pub key: KeyPair,
    stop: CancellationToken,
    task: JoinHandle<Result<(), symbolon_store::StoreError>>,
}

impl Running {
    pub async fn channel(&self, holder: &KeyPair) -> Channel {
        let dialler = Dialler::new(Identity::new(holder).unwrap(), AMPLE);
        dialler.channel(&self.route, &self.key.public()).await.unwrap()
    }

    /// Ends it as a signal does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a crash does.
    pub async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// One account on three managers, one of which or all of which run.
pub struct Site {
    pub domain: Domain,
    pub places: Vec<Place>,
    pub hands: Hands,
    pub alice: KeyPair,
}

impl Site {
    pub fn new() -> Self {
        let places: Vec<Place> = (1..=3).map(Place::new).collect();
        let keys: Vec<KeyPair> = places.iter().map(Place::identity).collect();
        let domain = Domain::new(&keys.iter().collect::<Vec<_>>());
        for place in &places {
            place.join(&domain);
        }
        Self { domain, places, hands: Hands::at(START + 100), alice: KeyPair::generate(&mut rng()) }
    }

    pub fn keys(&self) -> Vec<KeyPair> {
        self.places.iter().map(Place::identity).collect()
    }

    /// Makes a set and gives each member its fragment.
    pub async fn deal(&self, origin: &CreateRequest) -> Dealt {
        let keys = self.keys();
        let dealt = Dealt::new(origin, &keys.iter().collect::<Vec<_>>());
        for place in &self.places {
            let (store, vault) = place.stores().await;
            dealt.store(place.number, &store, &vault).await;
            store.close().await;
        }
        dealt
    }

    pub async fn start(&self, number: usize) -> Running {
        self.places[number - 1].start(&self.hands).await
    }

    pub fn all_rights(&self) -> Grant {
        self.domain.grant(1, &self.alice, "*", &Operation::ALL)
    }

    /// Asks a manager for its signature on the certificate of a set's key.
    pub async fn certify(
        &self,
        channel: &Channel,
        origin: &CreateRequest,
        set: SetId,
    ) -> Result<Response, Error> {
        let create = Signed::by(origin.clone(), [&self.alice]);
        let grant = self.domain.sign(self.all_rights());
        ask(channel, Request::Certify { create, grant, set }).await
    }

    /// Authorises alice for a key version, and gives the handle.
    pub async fn authorise(
        &self,
        channel: &Channel,
        grant: &Grant,
        key: &str,
        version: u64,
    ) -> Result<u64, Error> {
        let permit = self.domain.permit(grant, key, version, self.hands.now());
        let (grant, permit) = (self.domain.sign(grant.clone()), self.domain.sign_permit(permit));
        match ask(channel, Request::Authorise { grant, permit }).await? {
            Response::Authorised { handle, .. } => Ok(handle),
            other => panic!("{other:?}"),
        }
    }

    pub fn fields(&self) -> Fields {
        let mut r = [0; 32];
        rng().fill_bytes(&mut r);
        let writer = self.alice.public().thumbprint();
        Fields { purpose: Purpose::Data, writer, created: self.hands.now(), r }
    }

    /// A manager on which alice may do everything with one dedicated key.
    pub async fn ready(&self) -> (Dealt, Running, Channel, u64) {
        let origin = self.domain.create("shop/orders", 1, SuiteId::Ristretto255Sha512, KeyKind::Dedicated);
        let dealt = self.deal(&origin).await;
        let manager = self.start(1).await;
        let channel = manager.channel(&self.alice).await;
        self.certify(&channel, &origin, dealt.set()).await.unwrap();
        let handle = self.authorise(&channel, &self.all_rights(), "shop/orders", 1).await.unwrap();
        (dealt, manager, channel, handle)
    }
}

/// A call whose answer is an error of the manager or a success.
pub async fn ask(channel: &Channel, request: Request) -> Result<Response, Error> {
    match channel.call(request, AMPLE).await.unwrap() {
        Response::Error(error) => Err(error),
        response => Ok(response),
    }
}

pub fn evaluate(handle: u64, instance: InstanceId, prove: bool, fields: &[Fields]) -> Request {
    Request::Evaluate { handle, instance, prove, inputs: Inputs::new(fields.to_vec()).unwrap() }
}

pub fn key(text: &str) -> KeyId {
    text.parse().unwrap()
}

pub fn thumbprint(pair: &KeyPair) -> Thumbprint {
    pair.public().thumbprint()
}
