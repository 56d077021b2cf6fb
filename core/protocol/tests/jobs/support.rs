//! An account with two drivers of one key store, a holder, and jobs of its.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use symbolon_fragments::names::{AccountId, Index, KeyId};
use symbolon_protocol::{
    hpke::ReceiverKey,
    jobs::{Asked, AskedKey, Asking, CheckError, Judge, Scope, SecretBytes, Submission, Work},
};
use symbolon_trust::{
    AccessManager, Denials, Document, Grant, HighWaterMark, KeyAlgorithm, KeyPair, KeyStore, Member,
    MemberKind, Now, Operation, Permit, Principal, Role, Roles, RootDocument, Seconds, Shape, Signed, Spread,
    StoreDriver, StoreLabel, TrustedRoot, VerifiedWrappedKey, WrappedKey,
};
use zeroize::Zeroizing;

/// The time of all tests, unless they say otherwise.
pub const NOW: Seconds = Seconds(1_800_000_000);

pub struct World {
    pub root: TrustedRoot,
    pub owner: KeyPair,
    pub permit: KeyPair,
    pub holder: KeyPair,
    pub drivers: [KeyPair; 2],
    pub sealing: [ReceiverKey; 2],
    pub denials: Denials,
    pub rng: ChaCha20Rng,
}

pub fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number; 32])
}

pub fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

pub fn label() -> StoreLabel {
    "prod".parse().unwrap()
}

pub fn key() -> KeyId {
    "acme-root".parse().unwrap()
}

pub fn at(time: Seconds) -> Now {
    HighWaterMark::default().observe(time).unwrap()
}

fn driver(number: u16, identity: &KeyPair) -> Member {
    Member {
        index: index(number),
        kind: MemberKind::Driver,
        name: format!("hsm-{number}"),
        key: identity.public(),
        address: String::new(),
        operator: "acme".into(),
        cloud: "own".into(),
        region: "here".into(),
        retired: false,
    }
}

impl World {
    pub fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let (owner, permit, drivers) = (pair(1), pair(2), [pair(11), pair(12)]);
        let sealing = [ReceiverKey::generate(&mut rng), ReceiverKey::generate(&mut rng)];
        let store = |number: u16, key: &ReceiverKey| StoreDriver {
            index: index(number),
            sealing_key: key.public().to_vec(),
        };
        let body = RootDocument {
            version: 1,
            previous: None,
            created: NOW,
            nonce: [1; 16],
            roles: Roles {
                root: Role::new(1, [owner.public()]),
                policy: Role::new(1, [owner.public()]),
                deny: Role::new(1, [owner.public()]),
                permit: Role::new(1, [permit.public()]),
            },
            access_manager: AccessManager { key: pair(3).public(), address: "127.0.0.1:1".into() },
            roster: vec![driver(1, &drivers[0]), driver(2, &drivers[1])],
            minimum: Shape { t: 2, n: 3 },
            spread: Spread::None,
            key_stores: vec![KeyStore {
                label: label(),
                check_value: vec![9; 32],
                drivers: vec![store(1, &sealing[0]), store(2, &sealing[1])],
            }],
        };
        let root = TrustedRoot::install(body.account(), Signed::by(body, [&owner])).unwrap();
        Self { root, owner, permit, holder: pair(20), drivers, sealing, denials: Denials::default(), rng }
    }

    pub fn account(&self) -> AccountId {
        self.root.account()
    }

    pub fn scope(&self) -> Scope {
        Scope { account: self.account(), store: label(), key: key(), version: 1 }
    }

    pub fn grant(&self) -> Grant {
        Grant {
            account: self.account(),
            id: 1,
            serial: 1,
            keys: vec!["*".parse().unwrap()],
            principal: Principal::Holder(self.holder.public().thumbprint()),
            operations: Operation::ALL.into_iter().collect(),
            rate: 0,
            not_before: NOW,
            not_after: NOW + 3600,
        }
    }

    pub fn by_owner<B: Document>(&self, body: B) -> Signed<B> {
        Signed::by(body, [&self.owner])
    }

    pub fn permit(&self, operation: Operation) -> Permit {
        Permit {
            account: self.account(),
            id: [5; 16],
            principal: self.holder.public().thumbprint(),
            key: key(),
            version: 1,
            operations: [operation].into_iter().collect(),
            grant_id: 1,
            grant_serial: 1,
            on_behalf_of: None,
            issued: NOW,
            not_after: NOW + 60,
        }
    }

    pub fn wrapped_key(&self, algorithm: KeyAlgorithm) -> WrappedKey {
        WrappedKey {
            account: self.account(),
            key: key(),
            version: 1,
            store: label(),
            algorithm,
            wrapped: vec![1, 2, 3],
            public_key: algorithm.signs().then(|| vec![4; 44]),
            request: [6; 32],
            driver: index(1),
            created: NOW,
        }
    }

    pub fn wrapped(&self, algorithm: KeyAlgorithm) -> VerifiedWrappedKey {
        let signed = Signed::by(self.wrapped_key(algorithm), [&self.drivers[0]]);
        VerifiedWrappedKey::verify(signed, &self.root).unwrap()
    }

    /// A job of the holder that a driver should admit.
    pub fn ask(&mut self, work: Work) -> (Submission, Asked) {
        let operation = work.operation();
        let algorithm =
            if operation == Operation::Sign { KeyAlgorithm::EcdsaP256 } else { KeyAlgorithm::Aes256 };
        let making = operation == Operation::Create;
        let wrapped = (!making).then(|| self.wrapped(algorithm));
        let asking = Asking {
            scope: self.scope(),
            work,
            key: wrapped.as_ref().map_or(AskedKey::New(KeyAlgorithm::Aes256), AskedKey::Wrapped),
            grant: self.by_owner(self.grant()),
            permit: (!making).then(|| Signed::by(self.permit(operation), [&self.permit])),
            expires: NOW + 60,
        };
        asking.sign(&self.holder, &self.root, &mut self.rng).unwrap()
    }

    /// What one of the drivers makes of a job.
    pub fn judge(&self, driver: usize, submission: &Submission, now: Seconds) -> Result<Work, CheckError> {
        let (label, number) = (label(), u16::try_from(driver + 1).unwrap());
        let judge = Judge {
            root: &self.root,
            denials: &self.denials,
            store: &label,
            index: index(number),
            key: &self.sealing[driver],
        };
        judge.admit(submission, at(now)).map(symbolon_protocol::jobs::Admitted::into_work)
    }
}

pub fn seal(secret: &[u8]) -> Work {
    Work::Seal { context: [8; 32], secret: SecretBytes::new(Zeroizing::new(secret.to_vec())) }
}

pub fn open() -> Work {
    Work::Open { context: [8; 32], sealed: vec![7; 60] }
}

pub fn sign() -> Work {
    Work::Sign { message: b"message".to_vec() }
}

pub fn generate() -> Work {
    Work::Generate
}
