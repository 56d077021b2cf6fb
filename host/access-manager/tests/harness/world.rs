//! An account whose owner, managers and holders are all in the test's hands.

use super::{keys, now, pair};
use symbolon_encoding::to_canonical;
use symbolon_fragments::{
    SuiteId,
    names::{AccountId, Index, InstanceId, KeyId, Purpose, SetId, Thumbprint},
};
use symbolon_protocol::{
    api::{Document, Id, SignedDocument, path},
    ceremony::{Certified, Flip, Message, Transcript},
};
use symbolon_trust::{
    AccessManager, Action, CeremonyKind, CreateRequest, DenyDocument, EpochCertificate, Grant,
    KeyCertificate, KeyKind, KeyPair, Member, MemberKind, Operation, Order, Principal, Role, Roles,
    RootDocument, Seconds, Shape, Signed, Spread, TrustedRoot, hash,
};

/// An account.
pub struct World {
    pub name: &'static str,
    pub root: TrustedRoot,
    pub owner: KeyPair,
    pub policy: KeyPair,
    pub deny: KeyPair,
    pub members: Vec<KeyPair>,
    pub holder: KeyPair,
    pub other: KeyPair,
}

impl World {
    /// An account of three managers at these addresses; worlds with other seeds share no key.
    pub fn new(name: &'static str, seed: u8, addresses: [&str; 3]) -> Self {
        let [owner, policy, deny] = [0, 1, 2].map(|n| pair(seed + n));
        let members: Vec<_> = (3..6).map(|n| pair(seed + n)).collect();
        let [holder, other] = [6, 7].map(|n| pair(seed + n));
        let document = first_document(&owner, &policy, &deny, &members, addresses);
        let account = document.account();
        let root = TrustedRoot::install(account, Signed::by(document, [&owner])).unwrap();
        Self { name, root, owner, policy, deny, members, holder, other }
    }

    /// One without managers that anybody could reach.
    pub fn unreachable(name: &'static str, seed: u8) -> Self {
        Self::new(name, seed, ["127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1"])
    }

    pub fn account(&self) -> AccountId {
        self.root.account()
    }

    pub fn id(&self) -> Id {
        Id(*self.account().as_bytes())
    }

    /// The account's path of this template.
    pub fn path(&self, template: &str) -> String {
        path::of_account(template, &self.id())
    }

    pub fn holder_id(&self) -> Thumbprint {
        self.holder.public().thumbprint()
    }

    /// A grant, good for an hour.
    pub fn grant(
        &self,
        id: u64,
        serial: u64,
        keys: &str,
        holder: &KeyPair,
        operations: &[Operation],
    ) -> Signed<Grant> {
        self.grant_until(id, serial, keys, holder, operations, (now() - 60, now() + 3600))
    }

    pub fn grant_until(
        &self,
        id: u64,
        serial: u64,
        keys: &str,
        holder: &KeyPair,
        operations: &[Operation],
        (not_before, not_after): (u64, u64),
    ) -> Signed<Grant> {
        let grant = Grant {
            account: self.account(),
            id,
            serial,
            keys: keys.split(',').map(|pattern| pattern.parse().unwrap()).collect(),
            principal: Principal::Holder(holder.public().thumbprint()),
            operations: operations.iter().copied().collect(),
            rate: 0,
            not_before: Seconds(not_before),
            not_after: Seconds(not_after),
        };
        Signed::by(grant, [&self.policy])
    }

    pub fn deny(&self, version: u64, change: impl FnOnce(&mut DenyDocument)) -> Signed<DenyDocument> {
        let mut deny = DenyDocument {
            account: self.account(),
            version,
            issued: Seconds(now()),
            grants: vec![],
            holders: vec![],
            keys: vec![],
        };
        change(&mut deny);
        Signed::by(deny, [&self.deny])
    }

    pub fn order(&self, serial: u64, action: Action) -> Signed<Order> {
        let (issued, expires) = (Seconds(now()), Seconds(now() + 3600));
        Signed::by(Order { account: self.account(), serial, issued, expires, action }, [&self.policy])
    }

    /// A request for a dedicated key, by the holder.
    pub fn create(&self, key: &str, version: u64) -> Signed<CreateRequest> {
        self.create_with(key, version, |_| {})
    }

    pub fn create_with(
        &self,
        key: &str,
        version: u64,
        change: impl FnOnce(&mut CreateRequest),
    ) -> Signed<CreateRequest> {
        let mut request = CreateRequest {
            account: self.account(),
            key: key.parse().unwrap(),
            version,
            suite: SuiteId::Ristretto255Sha512,
            set: None,
            t: 2,
            members: indexes(),
            customer_fragment: false,
            purpose: Purpose::Data,
            nonce: [9; 16],
            issued: Seconds(now()),
            expires: Seconds(now() + 600),
            kind: KeyKind::Dedicated,
        };
        change(&mut request);
        Signed::by(request, [&self.holder])
    }

    /// The first instance of the set that a ceremony for this request would make.
    pub fn instance(&self, request: &CreateRequest) -> Signed<EpochCertificate> {
        let origin = hash(request);
        let y = vec![origin[0]; 32];
        let certificate = EpochCertificate {
            account: self.account(),
            set: SetId::new(origin),
            suite: request.suite,
            kind: CeremonyKind::Generate,
            serial: 0,
            epoch: 1,
            predecessor: None,
            t: 2,
            members: indexes(),
            dealers: indexes(),
            ceremony: origin,
            h1: [1; 32],
            h2: [2; 32],
            root_version: 1,
            y: y.clone(),
            commitment: vec![y.into(), vec![7; 32].into()],
        };
        Signed::by(certificate, &self.members)
    }

    /// The next instance of that set.
    pub fn refreshed(&self, before: &EpochCertificate) -> Signed<EpochCertificate> {
        let mut next = before.clone();
        next.kind = CeremonyKind::Reshare;
        next.epoch += 1;
        next.predecessor = Some(before.instance());
        next.ceremony = *before.instance().as_bytes();
        Signed::by(next, &self.members)
    }

    /// What a member posts when it knows all signatures on an instance.
    pub fn certificates(request: &CreateRequest, certificate: &Signed<EpochCertificate>) -> Document {
        let certified = Certified { origin: request.clone(), certificate: certificate.clone() };
        Message::Certificates(vec![certified]).to_bytes().into()
    }

    /// What a member posts when it has flipped.
    pub fn flip(&self, member: usize, certificate: &EpochCertificate) -> Document {
        let flip = Flip {
            account: self.account(),
            index: indexes()[member],
            transcript: Transcript::of(certificate),
        };
        Message::Flip(Signed::by(flip, [&self.members[member]])).to_bytes().into()
    }

    /// The certificate that all members sign for a request on an instance.
    pub fn certificate(
        &self,
        request: &CreateRequest,
        instance: &EpochCertificate,
    ) -> Signed<KeyCertificate> {
        let certificate = KeyCertificate {
            account: self.account(),
            key: request.key.clone(),
            version: request.version,
            set: instance.set,
            y: instance.y.clone(),
            suite: request.suite,
            kind: request.kind,
            customer_fragment: request.customer_fragment,
            purpose: request.purpose,
            members: indexes(),
            t: 2,
            instance: instance.instance(),
            created: request.issued,
            imported: false,
        };
        Signed::by(certificate, &self.members)
    }

    /// A successor of the root document, signed by the owner; the world goes on with it.
    pub fn succeed(&mut self, change: impl FnOnce(&mut RootDocument)) -> SignedDocument {
        let mut next = self.root.document().clone();
        next.version += 1;
        next.previous = Some(hash(self.root.document()));
        change(&mut next);
        let signed = Signed::by(next, [&self.owner]);
        self.root = self.root.succeed(signed.clone()).unwrap();
        document(&signed)
    }
}

/// A document as a body.
pub fn document<B: symbolon_trust::Document>(signed: &Signed<B>) -> SignedDocument {
    SignedDocument { document: bytes(signed) }
}

pub fn bytes<B: symbolon_trust::Document>(signed: &Signed<B>) -> Document {
    to_canonical(signed).into()
}

pub fn indexes() -> Vec<Index> {
    [1, 2, 3].map(|index| Index::new(index).unwrap()).to_vec()
}

pub fn key(id: &str) -> KeyId {
    id.parse().unwrap()
}

pub fn id_of(instance: InstanceId) -> Id {
    Id(*instance.as_bytes())
}

fn first_document(
    owner: &KeyPair,
    policy: &KeyPair,
    deny: &KeyPair,
    members: &[KeyPair],
    addresses: [&str; 3],
) -> RootDocument {
    let role = |key: &KeyPair| Role::new(1, [key.public()]);
    let (root, policy, deny, permit) = (role(owner), role(policy), role(deny), role(&keys().permit));
    RootDocument {
        version: 1,
        previous: None,
        created: Seconds(1_760_000_000), // fixed, so that the account's id is
        nonce: [3; 16],
        roles: Roles { root, policy, deny, permit },
        access_manager: AccessManager { key: keys().identity.public(), address: "127.0.0.1:1".into() },
        roster: members
            .iter()
            .zip(indexes())
            .zip(addresses)
            .map(|((key, index), address)| member(key, index, address))
            .collect(),
        minimum: Shape { t: 2, n: 2 },
        spread: Spread::None,
        key_stores: Vec::new(),
    }
}

fn member(key: &KeyPair, index: Index, address: &str) -> Member {
    Member {
        index,
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{index}"),
        key: key.public(),
        address: address.into(),
        operator: "op".into(),
        cloud: "cloud".into(),
        region: "region".into(),
        retired: false,
    }
}
