//! An account with three fragment managers and an access manager, in this process: real TLS, real messages, real
//! fragments and certificates, behind doubles of the two roles that do what a test tells them.

use crate::access::AccessDouble;
use crate::manager::{Holding, ManagerDouble};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use symbolon_channel::Identity;
use symbolon_client::customer::Keeper;
use symbolon_client::{Client, Options, RouteChoice};
use symbolon_fragments::names::{AccountId, Index, KeyId, Purpose, SetId, Thumbprint};
use symbolon_fragments::suite::{
    Element, Field, Group, Scalar, Suite, decode_scalar, encode_element, encode_scalar,
};
use symbolon_fragments::{SuiteId, SuiteVisitor};
use symbolon_trust::{
    AccessManager, CeremonyKind, EpochCertificate, Grant, KeyCertificate, KeyKind, KeyPair, Member,
    MemberKind, Operation, Principal, Role, Roles, RootDocument, Seconds, Shape, Signed, Spread, TrustedRoot,
};

pub const T: u16 = 2;
pub const N: u16 = 3;

pub struct Site {
    pub root: TrustedRoot,
    pub owner: KeyPair,
    pub permit: KeyPair,
    pub holder: [u8; 32],
    pub managers: Vec<Arc<ManagerDouble>>,
    pub access: Arc<AccessDouble>,
}

pub fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

pub fn now() -> Seconds {
    Seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

pub fn key(text: &str) -> KeyId {
    text.parse().unwrap()
}

pub fn members() -> Vec<Index> {
    (1..=N).map(|index| Index::new(index).unwrap()).collect()
}

impl Site {
    /// Starts all servers, with a key `notes` of that suite.
    pub async fn start(suite: SuiteId) -> Self {
        let owner = pair(1);
        let (permit, front) = (pair(2), pair(3));
        let mut managers = Vec::new();
        for index in members() {
            managers.push(ManagerDouble::start(index, pair(10 + u8::try_from(index.get()).unwrap())).await);
        }
        let access = AccessDouble::start(&front).await;
        let root = root(&owner, &permit, &front, &access, &managers);
        let started = Self { root, owner, permit, holder: [9; 32], managers, access };
        started.access.serve_root(started.root.account());
        started.add_key(&key("notes"), suite, Purpose::Data, false);
        started
    }

    pub fn account(&self) -> AccountId {
        self.root.account()
    }

    pub fn holder(&self) -> Thumbprint {
        KeyPair::from_seed(&self.holder).public().thumbprint()
    }

    /// A client with these customer fragments.
    pub fn client_with(&self, customer_fragments: Vec<Arc<dyn Keeper>>) -> Client {
        let options = Options { route: RouteChoice::Direct, customer_fragments, ..Options::default() };
        Client::new(self.root.clone(), KeyPair::from_seed(&self.holder), options).unwrap()
    }

    pub fn client(&self) -> Client {
        self.client_with(Vec::new())
    }

    /// Makes a dedicated key: fragments at the managers, certificates at the access manager.
    pub fn add_key(&self, key: &KeyId, suite: SuiteId, purpose: Purpose, customer_fragment: bool) {
        let set = self.new_set(suite, u8::try_from(key.as_str().len()).unwrap());
        let certificate = self.key_certificate(key, &set, purpose, customer_fragment);
        let grant = self.grant(key);
        self.access.add_key(&certificate, grant, self);
    }

    /// Makes a set: a polynomial, its fragments and its first certificate.
    pub fn new_set(&self, suite: SuiteId, seed: u8) -> EpochCertificate {
        self.share(suite, SetId::new([seed; 32]), seed, 0, None)
    }

    /// Shares the key of a set anew, and makes the managers forget the instance before.
    pub fn refresh(&self, before: &EpochCertificate, seed: u8) -> EpochCertificate {
        for manager in &self.managers {
            manager.forget();
        }
        self.share(before.suite, before.set, seed, before.epoch + 1, Some(before.instance()))
    }

    fn share(
        &self,
        suite: SuiteId,
        set: SetId,
        key_seed: u8,
        epoch: u64,
        predecessor: Option<symbolon_fragments::names::InstanceId>,
    ) -> EpochCertificate {
        let secret = if predecessor.is_some() { set.as_bytes()[0] } else { key_seed };
        let (fragments, commitment) = suite.visit(Deal { key: secret, slope: key_seed.wrapping_add(100) });
        let certificate = EpochCertificate {
            account: self.account(),
            set,
            suite,
            kind: if predecessor.is_some() { CeremonyKind::Reshare } else { CeremonyKind::Generate },
            serial: 0,
            epoch,
            predecessor,
            t: T,
            members: members(),
            dealers: members(),
            ceremony: [1; 32],
            h1: [2; 32],
            h2: [3; 32],
            root_version: 1,
            y: commitment[0].clone(),
            commitment: commitment.into_iter().map(Into::into).collect(),
        };
        let signed = Signed::by(certificate.clone(), self.managers.iter().map(|manager| &manager.identity));
        for (manager, fragment) in self.managers.iter().zip(fragments) {
            manager.hold(Holding::new(signed.clone(), &fragment));
        }
        certificate
    }

    pub fn key_certificate(
        &self,
        key: &KeyId,
        set: &EpochCertificate,
        purpose: Purpose,
        customer_fragment: bool,
    ) -> Signed<KeyCertificate> {
        let body = KeyCertificate {
            account: self.account(),
            key: key.clone(),
            version: 1,
            set: set.set,
            y: set.y.clone(),
            suite: set.suite,
            kind: KeyKind::Dedicated,
            customer_fragment,
            purpose,
            members: members(),
            t: T,
            instance: set.instance(),
            created: Seconds(1),
            imported: false,
        };
        Signed::by(body, self.managers.iter().map(|manager| &manager.identity))
    }

    /// A grant of everything on one key.
    pub fn grant(&self, key: &KeyId) -> Signed<Grant> {
        let body = Grant {
            account: self.account(),
            id: 1,
            serial: 1,
            keys: vec![key.as_str().parse().unwrap()],
            principal: Principal::Holder(self.holder()),
            operations: Operation::ALL.into_iter().collect(),
            rate: 0,
            not_before: Seconds(0),
            not_after: Seconds(u64::MAX),
        };
        Signed::by(body, [&self.owner])
    }

    /// How often fragments were evaluated, over all managers.
    pub fn refusals(&self) -> usize {
        self.managers.iter().map(|manager| manager.refusals()).sum()
    }

    pub fn evaluations(&self) -> usize {
        self.managers.iter().map(|manager| manager.evaluations()).sum()
    }
}

fn root(
    owner: &KeyPair,
    permit: &KeyPair,
    front: &KeyPair,
    access: &AccessDouble,
    managers: &[Arc<ManagerDouble>],
) -> TrustedRoot {
    let member = |manager: &Arc<ManagerDouble>| Member {
        index: manager.index,
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{}", manager.index),
        key: manager.identity.public(),
        address: manager.address.clone(),
        operator: String::new(),
        cloud: String::new(),
        region: String::new(),
        retired: false,
    };
    let role = |pair: &KeyPair| Role::new(1, [pair.public()]);
    let body = RootDocument {
        version: 1,
        previous: None,
        created: Seconds(1),
        nonce: [5; 16],
        roles: Roles { root: role(owner), policy: role(owner), deny: role(owner), permit: role(permit) },
        access_manager: AccessManager { key: front.public(), address: access.address.clone() },
        roster: managers.iter().map(member).collect(),
        minimum: Shape { t: T, n: N },
        spread: Spread::None,
        key_stores: Vec::new(),
    };
    TrustedRoot::install(body.account(), Signed::by(body, [owner])).unwrap()
}

/// Deals `key + slope·x` to the members.
struct Deal {
    key: u8,
    slope: u8,
}

impl SuiteVisitor for Deal {
    type Output = (Vec<[u8; 32]>, Vec<Vec<u8>>);

    fn visit<S: Suite>(self) -> Self::Output {
        let small = |value: u8| decode_scalar::<S>(&small_scalar::<S>(value)).unwrap();
        let coefficients = [small(self.key), small(self.slope)];
        let at = |x: u64| coefficients[0] + coefficients[1] * Scalar::<S>::from(x);
        let fragments = members().iter().map(|index| encode_scalar::<S>(&at(index.get().into()))).collect();
        let point = |k: &Scalar<S>| -> Element<S> { S::Group::generator() * *k };
        let encode = |k: &Scalar<S>| encode_element::<S>(&point(k)).unwrap().as_ref().to_vec();
        (fragments, coefficients.iter().map(encode).collect())
    }
}

fn small_scalar<S: Suite>(value: u8) -> [u8; 32] {
    let one = <S::Group as Group>::Field::one();
    let mut sum = <S::Group as Group>::Field::zero();
    for _ in 0..=u16::from(value) {
        sum = sum + one;
    }
    encode_scalar::<S>(&sum)
}

/// A TLS identity of a key.
pub fn identity(pair: &KeyPair) -> Identity {
    Identity::new(pair).unwrap()
}
