//! A whole account for tests: an owner with separate role keys, an access manager, three managers and a driver.

use symbolon_fragments::names::{Index, InstanceId, KeyId, Purpose, SetId, SuiteId, Thumbprint};
use symbolon_trust::{
    AccessManager, Action, CeremonyKind, CreateRequest, DenyDocument, Document, EpochCertificate, Grant,
    HighWaterMark, KeyCertificate, KeyKind, KeyPair, Member, MemberKind, Now, Order, Permit, Principal, Role,
    Roles, RootDocument, Seconds, Shape, Signed, Spread, TrustedRoot,
};

/// The time of all tests, unless they say otherwise.
pub const NOW: Seconds = Seconds(1_800_000_000);

/// An account with all its private keys.
pub struct Account {
    pub root: TrustedRoot,
    pub owner: KeyPair,
    pub policy: [KeyPair; 3],
    pub deny: KeyPair,
    pub permit: KeyPair,
    pub managers: [KeyPair; 3],
    pub holder: KeyPair,
}

pub fn pair(account: u8, number: u8) -> KeyPair {
    let mut seed = [account; 32];
    seed[0] = number;
    KeyPair::from_seed(&seed)
}

pub fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

pub fn key(text: &str) -> KeyId {
    text.parse().unwrap()
}

pub fn at(time: Seconds) -> Now {
    HighWaterMark::default().observe(time).unwrap()
}

pub fn now() -> Now {
    at(NOW)
}

pub fn all() -> Vec<Index> {
    (1..=3).map(index).collect()
}

fn member(number: u16, kind: MemberKind, account: u8) -> Member {
    Member {
        index: index(number),
        kind,
        name: format!("kfm-{number}"),
        key: pair(account, 10 + u8::try_from(number).unwrap()).public(),
        address: format!("127.0.0.1:{}", 7000 + number),
        operator: format!("operator {number}"),
        cloud: "local".into(),
        region: "here".into(),
        retired: false,
    }
}

/// The first root document of an account, made of keys that depend on its number.
pub fn document(account: u8) -> RootDocument {
    let policy = [2, 3, 4].map(|number| pair(account, number).public());
    RootDocument {
        version: 1,
        previous: None,
        created: NOW,
        nonce: [account; 16],
        roles: Roles {
            root: Role::new(1, [pair(account, 1).public()]),
            policy: Role::new(2, policy),
            deny: Role::new(1, [pair(account, 5).public()]),
            permit: Role::new(1, [pair(account, 6).public()]),
        },
        access_manager: AccessManager { key: pair(account, 7).public(), address: "127.0.0.1:7000".into() },
        roster: vec![
            member(1, MemberKind::FragmentManager, account),
            member(2, MemberKind::FragmentManager, account),
            member(3, MemberKind::FragmentManager, account),
            member(9, MemberKind::Driver, account),
        ],
        minimum: Shape { t: 2, n: 2 },
        spread: Spread::Operator,
        key_stores: Vec::new(),
    }
}

pub fn reshare() -> Action {
    Action::Reshare { sets: vec![SetId::new([5; 32])], members: all(), t: 2, exempt: vec![index(2)] }
}

impl Account {
    pub fn new(number: u8) -> Self {
        let owner = pair(number, 1);
        let body = document(number);
        let root = TrustedRoot::install(body.account(), Signed::by(body, [&owner])).unwrap();
        Self {
            root,
            owner,
            policy: [2, 3, 4].map(|key| pair(number, key)),
            deny: pair(number, 5),
            permit: pair(number, 6),
            managers: [11, 12, 13].map(|key| pair(number, key)),
            holder: pair(number, 20),
        }
    }

    pub fn holder_name(&self) -> Thumbprint {
        self.holder.public().thumbprint()
    }

    pub fn by_policy<B: Document>(&self, body: B) -> Signed<B> {
        Signed::by(body, &self.policy[..2])
    }

    pub fn grant(&self) -> Grant {
        Grant {
            account: self.root.account(),
            id: 7,
            serial: 2,
            keys: vec!["shop/*".parse().unwrap(), "notes".parse().unwrap()],
            principal: Principal::Holder(self.holder_name()),
            operations: symbolon_trust::Operation::ALL
                .into_iter()
                .filter(|operation| operation.name() != "sign")
                .collect(),
            rate: 100,
            not_before: NOW,
            not_after: NOW + 1000,
        }
    }

    pub fn permit(&self) -> Permit {
        Permit {
            account: self.root.account(),
            id: [3; 16],
            principal: self.holder_name(),
            key: key("shop/orders"),
            version: 4,
            operations: [symbolon_trust::Operation::Encrypt, symbolon_trust::Operation::Decrypt]
                .into_iter()
                .collect(),
            grant_id: 7,
            grant_serial: 2,
            on_behalf_of: None,
            issued: NOW,
            not_after: NOW + 60,
        }
    }

    pub fn deny_document(&self) -> DenyDocument {
        let mut deny = DenyDocument::nothing(self.root.account()).successor(NOW);
        deny.deny_grant(7, 1);
        deny.deny_holder(pair(0, 99).public().thumbprint());
        deny.disable_key(key("shop/old"));
        deny
    }

    pub fn order(&self, serial: u64, action: Action) -> Order {
        Order { account: self.root.account(), serial, issued: NOW, expires: NOW + 3600, action }
    }

    pub fn create(&self) -> CreateRequest {
        CreateRequest {
            account: self.root.account(),
            key: key("notes"),
            version: 1,
            suite: SuiteId::Ristretto255Sha512,
            set: None,
            t: 2,
            members: all(),
            customer_fragment: true,
            purpose: Purpose::Data,
            nonce: [8; 16],
            issued: NOW,
            expires: NOW + 600,
            kind: KeyKind::Dedicated,
        }
    }

    pub fn key_certificate(&self) -> KeyCertificate {
        KeyCertificate {
            account: self.root.account(),
            key: key("notes"),
            version: 1,
            set: SetId::new([5; 32]),
            y: vec![6; 32],
            suite: SuiteId::Ristretto255Sha512,
            kind: KeyKind::Dedicated,
            customer_fragment: true,
            purpose: Purpose::Data,
            members: all(),
            t: 2,
            instance: InstanceId::new([7; 32]),
            created: NOW,
            imported: false,
        }
    }

    pub fn epoch_certificate(&self) -> EpochCertificate {
        EpochCertificate {
            account: self.root.account(),
            set: SetId::new([5; 32]),
            suite: SuiteId::Ristretto255Sha512,
            kind: CeremonyKind::Generate,
            serial: 0,
            epoch: 1,
            predecessor: None,
            t: 2,
            members: all(),
            dealers: all(),
            ceremony: [1; 32],
            h1: [2; 32],
            h2: [3; 32],
            root_version: 1,
            y: vec![6; 32],
            commitment: vec![vec![6; 32].into(), vec![9; 32].into()],
        }
    }
}
