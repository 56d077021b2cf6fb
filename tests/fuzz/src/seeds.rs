//! Inputs that the decoders accept, made of one small world: the start of every mutation.

pub mod ceremony;
pub mod chain;
pub mod hsm;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use symbolon_audit::{Alarm, Entry, EvaluationHead, Event, Hash, Record, RecordBody, Refusal, Refused};
use symbolon_encoding::{Tuple, to_canonical};
use symbolon_envelope::sealed::{self, Cost, Lock, Passphrase, SealingKey};
use symbolon_envelope::{ChunkSize, Header};
use symbolon_fragments::names::{
    AccountId, Index, InstanceId, KeyId, KeyPattern, Purpose, SetId, Thumbprint,
};
use symbolon_fragments::{CustomerFragmentId, Evaluation, Fields, KeyScope, Proof, SuiteId};
use symbolon_protocol::{api, wire};
use symbolon_trust::{
    AccessManager, Acknowledgement, Action, CeremonyKind, CreateRequest, DenyDocument, Document,
    EpochCertificate, Grant, Installed, Job, KeyCertificate, KeyKind, KeyPair, Member, MemberKind, Operation,
    Order, Permit, Principal, Receipt, Role, Roles, RootDocument, Seconds, Shape, Signed, Spread,
};

const NOW: Seconds = Seconds(1_790_000_000);
const LATER: Seconds = Seconds(1_790_000_060);
const POINT: [u8; 32] = [0x5e; 32];

fn account() -> AccountId {
    AccountId::new([0xac; 32])
}

fn set() -> SetId {
    SetId::new([0x5e; 32])
}

fn instance() -> InstanceId {
    InstanceId::new([0x1d; 32])
}

fn key() -> KeyId {
    "shop/orders".parse().expect("a key id")
}

fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number; 32])
}

fn holder() -> Thumbprint {
    pair(9).public().thumbprint()
}

fn members() -> Vec<Index> {
    (1..=3).map(index).collect()
}

fn index(number: u16) -> Index {
    Index::new(number).expect("not zero")
}

fn operations() -> symbolon_trust::Operations {
    [Operation::Encrypt, Operation::Decrypt].into_iter().collect()
}

/// A document as it travels, with two signatures.
fn signed<B: Document>(body: B) -> Signed<B> {
    Signed::by(body, [&pair(1), &pair(2)])
}

fn encoded<B: Document>(body: B) -> Vec<Vec<u8>> {
    vec![to_canonical(&signed(body))]
}

fn role(number: u8) -> Role {
    Role::new(1, [pair(number).public()])
}

fn member(number: u16) -> Member {
    let place = || "local".to_owned();
    Member {
        index: index(number),
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{number}"),
        key: pair(number.to_le_bytes()[0] + 20).public(),
        address: "127.0.0.1:7001".to_owned(),
        operator: place(),
        cloud: place(),
        region: place(),
        retired: false,
    }
}

fn root_document(version: u64, previous: Option<[u8; 32]>) -> RootDocument {
    RootDocument {
        version,
        previous,
        created: NOW,
        nonce: [7; 16],
        roles: Roles { root: role(1), policy: role(2), deny: role(3), permit: role(4) },
        access_manager: AccessManager { key: pair(5).public(), address: "127.0.0.1:7000".to_owned() },
        roster: (1..=3).map(member).collect(),
        minimum: Shape { t: 2, n: 3 },
        spread: Spread::None,
        key_stores: Vec::new(),
    }
}

pub fn root() -> Vec<Vec<u8>> {
    [root_document(1, None), root_document(2, Some([1; 32]))].into_iter().flat_map(encoded).collect()
}

fn grant_document() -> Grant {
    Grant {
        account: account(),
        id: 12,
        serial: 1,
        keys: ["shop/*", "notes"]
            .iter()
            .map(|pattern| pattern.parse::<KeyPattern>().expect("a pattern"))
            .collect(),
        principal: Principal::Holder(holder()),
        operations: operations(),
        rate: 0,
        not_before: NOW,
        not_after: LATER,
    }
}

pub fn grant() -> Vec<Vec<u8>> {
    encoded(grant_document())
}

fn permit_document(on_behalf_of: Option<&str>) -> Permit {
    Permit {
        account: account(),
        id: [3; 16],
        principal: holder(),
        key: key(),
        version: 1,
        operations: operations(),
        grant_id: 12,
        grant_serial: 1,
        on_behalf_of: on_behalf_of.map(str::to_owned),
        issued: NOW,
        not_after: LATER,
    }
}

pub fn permit() -> Vec<Vec<u8>> {
    [permit_document(None), permit_document(Some("orders-service"))].into_iter().flat_map(encoded).collect()
}

fn deny_document() -> DenyDocument {
    let mut deny = DenyDocument::nothing(account()).successor(NOW);
    deny.deny_grant(12, 1);
    deny.deny_holder(holder());
    deny.disable_key(key());
    deny
}

pub fn deny() -> Vec<Vec<u8>> {
    encoded(deny_document())
}

fn actions() -> Vec<Action> {
    vec![
        Action::Reshare { sets: vec![set()], members: members(), t: 2, exempt: vec![index(3)] },
        Action::Enable { key: key(), since: 1 },
        Action::Destroy { key: key(), version: 1, execute_after: LATER },
        Action::CancelDestruction { key: key(), destroy_serial: 4 },
        Action::LowerMark { mark: NOW },
    ]
}

fn order(action: Action) -> Order {
    Order { account: account(), serial: 5, issued: NOW, expires: LATER, action }
}

pub fn orders() -> Vec<Vec<u8>> {
    actions().into_iter().map(order).flat_map(encoded).collect()
}

fn create_request(set: Option<SetId>) -> CreateRequest {
    CreateRequest {
        account: account(),
        key: key(),
        version: 1,
        suite: SuiteId::Ristretto255Sha512,
        set,
        t: 2,
        members: members(),
        customer_fragment: true,
        purpose: Purpose::Data,
        nonce: [8; 16],
        issued: NOW,
        expires: LATER,
        kind: KeyKind::Dedicated,
    }
}

pub fn create() -> Vec<Vec<u8>> {
    [create_request(None), create_request(Some(set()))].into_iter().flat_map(encoded).collect()
}

fn key_certificate_document() -> KeyCertificate {
    KeyCertificate {
        account: account(),
        key: key(),
        version: 1,
        set: set(),
        y: POINT.to_vec(),
        suite: SuiteId::Ristretto255Sha512,
        kind: KeyKind::Shared,
        customer_fragment: false,
        purpose: Purpose::DataKey,
        members: members(),
        t: 2,
        instance: instance(),
        created: NOW,
        imported: false,
    }
}

pub fn key_certificate() -> Vec<Vec<u8>> {
    encoded(key_certificate_document())
}

fn epoch_certificate_document() -> EpochCertificate {
    EpochCertificate {
        account: account(),
        set: set(),
        suite: SuiteId::Ristretto255Sha512,
        kind: CeremonyKind::Reshare,
        serial: 1,
        epoch: 4,
        predecessor: Some(instance()),
        t: 2,
        members: members(),
        dealers: members(),
        ceremony: [1; 32],
        h1: [2; 32],
        h2: [3; 32],
        root_version: 1,
        y: POINT.to_vec(),
        commitment: vec![POINT.to_vec().into(), [0x77; 32].to_vec().into()],
    }
}

pub fn epoch_certificate() -> Vec<Vec<u8>> {
    encoded(epoch_certificate_document())
}

fn receipt_document() -> Receipt {
    Receipt::of(account(), index(2), &deny_document(), NOW)
}

pub fn receipt() -> Vec<Vec<u8>> {
    encoded(receipt_document())
}

pub fn acknowledgement() -> Vec<Vec<u8>> {
    encoded(Acknowledgement::of(holder(), [4; 32], &deny_document(), NOW))
}

pub fn job() -> Vec<Vec<u8>> {
    encoded(Job {
        account: account(),
        request: [1; 32],
        response_key: vec![2; 48],
        nonce: [3; 16],
        expires: LATER,
    })
}

fn some_fields() -> Fields {
    Fields { purpose: Purpose::Data, writer: holder(), created: NOW.0, r: [4; 32] }
}

pub fn fields() -> Vec<Vec<u8>> {
    vec![to_canonical(&some_fields())]
}

pub fn evaluation() -> Vec<Vec<u8>> {
    vec![to_canonical(&minicbor::bytes::ByteVec::from(POINT.to_vec()))]
}

fn numbered<M: minicbor::Encode<()>>(message: M) -> Vec<u8> {
    to_canonical(&wire::Numbered { id: 300, message })
}

pub fn requests() -> Vec<Vec<u8>> {
    let inputs = wire::Inputs::new(vec![some_fields(); 3]).expect("three inputs");
    let requests = [
        wire::Request::Status { account: account() },
        wire::Request::Authorise { grant: signed(grant_document()), permit: signed(permit_document(None)) },
        wire::Request::Evaluate { handle: 1, instance: instance(), prove: true, inputs },
        wire::Request::Certify {
            create: signed(create_request(None)),
            grant: signed(grant_document()),
            set: set(),
        },
        wire::Request::InstallRoot { root: signed(root_document(1, None)) },
        wire::Request::InstallDeny { deny: signed(deny_document()) },
        wire::Request::InstallOrder { order: signed(order(Action::LowerMark { mark: NOW })) },
        wire::Request::Instances { account: account(), set: set() },
        wire::Request::Log { grant: signed(grant_document()), after: 0, limit: 100 },
        wire::Request::InstallKey { certificate: signed(key_certificate_document()) },
    ];
    requests.into_iter().map(numbered).collect()
}

fn log_page() -> wire::LogPage {
    let head =
        EvaluationHead { account: account(), index: index(1), records: 3, hash: Hash([9; 32]), time: NOW };
    wire::LogPage { records: evaluation_records().into_iter().map(Into::into).collect(), head: signed(head) }
}

pub fn responses() -> Vec<Vec<u8>> {
    let status = wire::Status {
        index: index(1),
        time: NOW,
        root_version: 1,
        deny_version: 2,
        order_serial: 3,
        mark: NOW,
        sets: 4,
    };
    let signature = pair(1).sign(b"certificate");
    let responses = [
        wire::Response::Status(status),
        wire::Response::Authorised { handle: 1, not_after: LATER, time: NOW },
        wire::Response::Evaluated {
            instance: instance(),
            proof: Some(Proof::from_bytes([1; 64])),
            evaluations: vec![Evaluation::from_bytes(&POINT).expect("the length of an element")],
        },
        wire::Response::Certified { signature, certificate: Box::new(key_certificate_document()) },
        wire::Response::Installed(signed(receipt_document())),
        wire::Response::Instances(vec![signed(epoch_certificate_document())]),
        wire::Response::Log(log_page()),
        wire::Response::KeyInstalled,
    ];
    let errors = errors().into_iter().map(wire::Response::Error);
    responses.into_iter().chain(errors).map(numbered).collect()
}

/// Errors that carry something.
fn errors() -> [wire::Error; 9] {
    [
        wire::Error::ClockBehind { clock: NOW, mark: LATER },
        wire::Error::RateExceeded { retry_after_ms: 20 },
        wire::Error::Refused {
            document: wire::Document::Permit,
            reason: wire::Refusal::TooFewSignatures { got: 1, needed: 2 },
        },
        wire::Error::Denied(wire::Denial::Key),
        wire::Error::VerdictExpired { not_after: NOW, now: LATER },
        wire::Error::NotAllowed { operation: Operation::Encrypt },
        wire::Error::NotFresh { created: NOW, now: LATER },
        wire::Error::NotHeld { served: vec![signed(epoch_certificate_document())] },
        wire::Error::Unsuitable(wire::Unsuitable::Version { newest: 3 }),
    ]
}

fn header(cf: Option<CustomerFragmentId>) -> Vec<u8> {
    let KeyScope { account, suite, key, version } =
        KeyScope { account: account(), suite: SuiteId::P256Sha256, key: key(), version: 2 };
    let Fields { purpose, writer, created, r } = some_fields();
    let header = Header {
        suite,
        account,
        key,
        version,
        purpose,
        writer,
        created,
        r,
        cf,
        chunk: ChunkSize::new(1 << 16).expect("a chunk size"),
        context_pairs: 1,
    };
    [header.encode(), vec![0xc0; 32], b"chunks follow".to_vec()].concat()
}

pub fn preamble() -> Vec<Vec<u8>> {
    vec![header(None), header(Some(CustomerFragmentId::new([6; 16])))]
}

pub fn sealed() -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (key, label) = (SealingKey::new([1; 32]), Tuple::new("sealed/example"));
    let passphrase =
        Passphrase::new("example".to_owned()).costing(Cost { memory_kib: 8, passes: 1, lanes: 1 });
    let locks = [Lock::Key(&key), Lock::Passphrase(&passphrase)];
    locks.into_iter().map(|lock| sealed::seal(lock, &label, b"secret", &mut rng).expect("sealed")).collect()
}

pub fn audit_entries() -> Vec<Vec<u8>> {
    let Permit { id, key, version, operations, on_behalf_of, grant_id, grant_serial, not_after, .. } =
        permit_document(Some("orders"));
    let issued = Event::PermitIssued {
        permit: id,
        key,
        version,
        operations,
        on_behalf_of,
        grant_id,
        grant_serial,
        not_after,
    };
    let (hash, link) = (Hash([5; 32]), "acme".parse().expect("a tenant"));
    let events = [
        Event::Started,
        issued,
        Event::PermitRefused { key: self::key(), operations, reason: Refusal::NotGranted },
        Event::KeyRequested { key: self::key(), version: 1, request: hash },
        Event::KeyCertified { key: self::key(), version: 1, certificate: hash },
        Event::LabelsChanged { key: self::key(), revision: 3 },
        Event::GrantInstalled { id: 12, serial: 1, hash },
        Event::RootInstalled { version: 2, hash },
        Event::DenyInstalled { version: 3, hash },
        Event::OrderInstalled { serial: 4, hash },
        Event::CeremonyProposed { message: 7, hash },
        Event::InstanceCompleted { set: set(), instance: instance() },
        Event::InstanceSettled { set: set(), instance: instance() },
        Event::EvaluationHead { index: index(1), records: 9, hash },
        Event::ReceiptStored(receipt_document()),
        Event::Relayed { index: index(2) },
        Event::Refused { what: Refused::Order, reason: Refusal::Signature },
        Event::LinkStored { link, version: 1, wrapped: hash },
    ];
    let entries = events.into_iter().zip(0..);
    entries
        .map(|(event, sequence)| to_canonical(&Entry { sequence, time: NOW, actor: holder(), event }))
        .collect()
}

pub fn evaluation_records() -> Vec<Vec<u8>> {
    let bodies = [
        RecordBody::Started,
        RecordBody::Stopped,
        RecordBody::Gap { since: NOW },
        RecordBody::Evaluated {
            permit: [3; 16],
            holder: holder(),
            key: key(),
            version: 1,
            operation: Operation::Decrypt,
            instance: instance(),
            inputs: 64,
        },
        RecordBody::Refused { holder: holder(), what: Refused::Permit, reason: Refusal::Expired, times: 3 },
        RecordBody::Installed { document: Installed::Deny, number: 4, hash: Hash([2; 32]) },
        RecordBody::Certified { key: key(), version: 1, certificate: Hash([2; 32]) },
        RecordBody::Settled { instance: instance() },
        RecordBody::Destroyed { key: key(), version: 1, order: 5 },
        RecordBody::Alarm(Alarm::ClockSetBack),
    ];
    bodies
        .into_iter()
        .zip(0..)
        .map(|(body, sequence)| to_canonical(&Record { sequence, previous: Hash([1; 32]), time: NOW, body }))
        .collect()
}

/// A C2SP note: the text of a checkpoint, an empty line, two signatures.
pub fn note() -> Vec<Vec<u8>> {
    let text = "example.org/log\n42\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n\n\u{2014} example.org/log AQIDBAUGBwgJCgsMDQ4PEA==\n";
    vec![text.as_bytes().to_vec()]
}

pub fn account_text() -> Vec<Vec<u8>> {
    vec![account().to_string().into_bytes()]
}

pub fn access_text() -> Vec<Vec<u8>> {
    vec![holder().to_string().into_bytes()]
}

pub fn public_key_text() -> Vec<Vec<u8>> {
    vec![pair(1).public().to_string().into_bytes()]
}

pub fn relay_authority() -> Vec<Vec<u8>> {
    vec![api::path::relay_authority(&api::Id::from(*account().as_bytes()), 3).into_bytes()]
}
