//! An account with an access manager and three managers, and logs of what they did.

use std::collections::BTreeMap;
use symbolon_audit::{
    Entry, EvaluationLog, Event, Frontier, Hash, LogReader, NodeId, Record, RecordBody, RecordChain,
    TreeHead, VerifiedCheckpoint, sign_checkpoint,
};
use symbolon_fragments::names::{Index, InstanceId, KeyId, Thumbprint};
use symbolon_trust::{
    AccessManager, HighWaterMark, KeyPair, Member, MemberKind, Now, Operation, Role, Roles, RootDocument,
    Seconds, Shape, Signed, Spread, TrustedRoot,
};

pub const NOW: Seconds = Seconds(1_800_000_000);

pub fn pair(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number; 32])
}

pub fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

pub fn now() -> Now {
    HighWaterMark::default().observe(NOW).unwrap()
}

pub fn key() -> KeyId {
    "shop/orders".parse().unwrap()
}

pub fn holder() -> Thumbprint {
    pair(20).public().thumbprint()
}

fn member(number: u8) -> Member {
    Member {
        index: index(number.into()),
        kind: MemberKind::FragmentManager,
        name: format!("kfm-{number}"),
        key: pair(10 + number).public(),
        address: String::new(),
        operator: "o".into(),
        cloud: "c".into(),
        region: "r".into(),
        retired: false,
    }
}

/// An account whose permit key has the given number.
pub fn root(permit: u8) -> TrustedRoot {
    let owner = || Role::new(1, [pair(1).public()]);
    let body = RootDocument {
        version: 1,
        previous: None,
        created: NOW,
        nonce: [0; 16],
        roles: Roles {
            root: owner(),
            policy: owner(),
            deny: owner(),
            permit: Role::new(1, [pair(permit).public()]),
        },
        access_manager: AccessManager { key: pair(3).public(), address: String::new() },
        roster: vec![member(1), member(2), member(3)],
        minimum: Shape { t: 2, n: 3 },
        spread: Spread::None,
        key_stores: Vec::new(),
    };
    TrustedRoot::install(body.account(), Signed::by(body, [&pair(1)])).unwrap()
}

pub fn issued(sequence: u64, permit: u8) -> Entry {
    let event = Event::PermitIssued {
        permit: [permit; 16],
        key: key(),
        version: 1,
        operations: [Operation::Encrypt, Operation::Decrypt].into_iter().collect(),
        on_behalf_of: None,
        grant_id: 1,
        grant_serial: 1,
        not_after: NOW + 60,
    };
    Entry { sequence, time: NOW + sequence, actor: holder(), event }
}

/// Permits of those numbers, one entry each.
pub fn permits(numbers: &[u8]) -> Vec<Entry> {
    (0..).zip(numbers).map(|(sequence, permit)| issued(sequence, *permit)).collect()
}

pub struct Tree {
    pub frontier: Frontier,
    pub nodes: BTreeMap<NodeId, Hash>,
}

pub fn tree(entries: &[Entry]) -> Tree {
    let (mut frontier, mut nodes) = (Frontier::new(), BTreeMap::new());
    for entry in entries {
        nodes.extend(frontier.append(entry.leaf_hash()));
    }
    Tree { frontier, nodes }
}

impl Tree {
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.frontier.size(), root: self.frontier.root() }
    }
}

pub fn checkpoint(entries: &[Entry]) -> VerifiedCheckpoint {
    let root = root(2);
    let note = sign_checkpoint(root.account(), &tree(entries).head(), [&pair(2)]);
    VerifiedCheckpoint::verify(&note.to_string(), &root).unwrap()
}

pub fn read(entries: &[Entry]) -> Result<LogReader, symbolon_audit::LogError> {
    let mut reader = LogReader::new();
    for entry in entries {
        reader.read(&entry.to_bytes())?;
    }
    Ok(reader)
}

pub fn evaluated(permit: u8) -> RecordBody {
    RecordBody::Evaluated {
        permit: [permit; 16],
        holder: holder(),
        key: key(),
        version: 1,
        operation: Operation::Decrypt,
        instance: InstanceId::new([1; 32]),
        inputs: 3,
    }
}

/// A manager's chain and its records.
pub fn chain(bodies: Vec<RecordBody>) -> (RecordChain, Vec<Record>) {
    let mut chain = RecordChain::new(root(2).account(), index(1));
    let records = bodies.into_iter().map(|body| chain.append(NOW, body)).collect();
    (chain, records)
}

pub fn log(records: &[Record]) -> Result<EvaluationLog, symbolon_audit::RecordError> {
    let mut log = EvaluationLog::new(root(2).account(), index(1));
    records.iter().try_for_each(|record| log.read(record))?;
    Ok(log)
}
