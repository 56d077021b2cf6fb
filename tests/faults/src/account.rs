//! One account with five fragment managers, and a holder who may create keys. Made once; schedules share it.

use std::sync::{Arc, OnceLock};
use symbolon_fragments::{
    SuiteId,
    names::{AccountId, Index, Purpose},
};
use symbolon_protocol::ceremony::{Creation, Proposal, Work};
use symbolon_trust::{
    AccessManager, Action, CreateRequest, Grant, KeyKind, KeyPair, Member, MemberKind, Now, Operation, Order,
    Principal, Role, Roles, RootDocument, Seconds, Shape, Signed, Spread, TrustedRoot, VerifiedOrder,
};

/// Members of the roster: 1 to 5.
pub const ROSTER: u16 = 5;

/// When schedules start.
pub const START: u64 = 1_800_000_000;

/// The account and all its keys.
pub struct Account {
    /// The installed root document.
    pub root: TrustedRoot,
    /// The members' identities, from index 1.
    pub members: Vec<Arc<KeyPair>>,
    owner: KeyPair,
    holder: KeyPair,
}

/// The account of all schedules.
pub fn account() -> &'static Account {
    static ACCOUNT: OnceLock<Account> = OnceLock::new();
    ACCOUNT.get_or_init(Account::make)
}

/// A member's index.
///
/// # Panics
/// If the number is 0.
pub fn index(number: u16) -> Index {
    Index::new(number).expect("members count from 1")
}

impl Account {
    fn make() -> Self {
        let key = |tag: u8| KeyPair::from_seed(&[tag; 32]);
        let (owner, holder, access) = (key(200), key(201), key(202));
        let members: Vec<_> = (1..=ROSTER).map(|n| Arc::new(key(u8::try_from(n).unwrap_or(0)))).collect();
        let role = |key: &KeyPair| Role::new(1, [key.public()]);
        let roster = members.iter().zip(1..).map(|(key, n)| member(n, key)).collect();
        let document = RootDocument {
            version: 1,
            previous: None,
            created: Seconds(START),
            nonce: [7; 16],
            roles: Roles {
                root: role(&owner),
                policy: role(&owner),
                deny: role(&owner),
                permit: role(&access),
            },
            access_manager: AccessManager { key: access.public(), address: "localhost:1".into() },
            roster,
            minimum: Shape { t: 2, n: 2 },
            spread: Spread::None,
            key_stores: Vec::new(),
        };
        let id = document.account();
        let root =
            TrustedRoot::install(id, Signed::by(document, [&owner])).expect("a well-formed root document");
        Self { root, members, owner, holder }
    }

    /// The account's id.
    pub fn id(&self) -> AccountId {
        self.root.account()
    }

    /// A proposal to generate so many sets for these members.
    pub fn generate(&self, suite: SuiteId, members: &[Index], t: u16, sets: u64, tag: u8) -> Proposal {
        Proposal {
            account: self.id(),
            serial: 0,
            root_version: 1,
            suite,
            t,
            members: members.to_vec(),
            dealers: members.to_vec(),
            work: Work::Generate((0..sets).map(|n| self.creation(suite, members, t, n, tag)).collect()),
        }
    }

    fn creation(&self, suite: SuiteId, members: &[Index], t: u16, number: u64, tag: u8) -> Creation {
        let mut nonce = [tag; 16];
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        let request = CreateRequest {
            account: self.id(),
            key: format!("shop/k{number}-{tag}").parse().expect("a well-formed key id"),
            version: 1,
            suite,
            set: None,
            t,
            members: members.to_vec(),
            customer_fragment: false,
            purpose: Purpose::Data,
            nonce,
            issued: Seconds(START),
            expires: Seconds(START + 1_000_000),
            kind: KeyKind::Dedicated,
        };
        Creation { request: Signed::by(request, [&self.holder]), grant: self.grant() }
    }

    fn grant(&self) -> Signed<Grant> {
        let grant = Grant {
            account: self.id(),
            id: 1,
            serial: 1,
            keys: vec!["*".parse().expect("a pattern")],
            principal: Principal::Holder(self.holder.public().thumbprint()),
            operations: [Operation::Create].into_iter().collect(),
            rate: 0,
            not_before: Seconds(START),
            not_after: Seconds(START + 1_000_000),
        };
        Signed::by(grant, [&self.owner])
    }

    /// An order of the owner.
    ///
    /// # Panics
    /// If the order is one that no owner's command makes.
    pub fn order(&self, serial: u64, now: Now, action: Action) -> VerifiedOrder {
        let order =
            Order { account: self.id(), serial, issued: now.time(), expires: now.time() + 1_000_000, action };
        VerifiedOrder::verify(Signed::by(order, [&self.owner]), &self.root, now).expect("a well-formed order")
    }
}

fn member(number: u16, key: &KeyPair) -> Member {
    Member {
        index: index(number),
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{number}"),
        key: key.public(),
        address: format!("localhost:{number}"),
        operator: String::new(),
        cloud: String::new(),
        region: String::new(),
        retired: false,
    }
}
