//! A server killed while it works: what it acknowledged is there, and nothing is there by halves.

mod harness;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use harness::{
    Client, Site, config, directory,
    world::{World, bytes},
};
use symbolon_audit::{Event, LogReader, VerifiedCheckpoint};
use symbolon_channel::{Identity, Server, http};
use symbolon_protocol::{
    api::{CreateKey, EntryPage, KeyPage, Labels, LogPage, path},
    ceremony::{
        Message,
        log::{Chain, Entry as LogEntry},
    },
};
use symbolon_trust::Operation;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
};

/// By this variable the process below knows that it is the server.
const DIRECTORY: &str = "SYMBOLON_TEST_CRASH_DIRECTORY";
const ROUNDS: usize = 6;
const CALLERS: usize = 8;

fn world() -> World {
    World::unreachable("a", 10)
}

/// The server that the test kills: this test binary, started again. Without the variable there is nothing to do.
#[tokio::test]
async fn server_to_be_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let site = Site::start(&config(Path::new(&directory))).await;
    println!("\nserving {}", site.address);
    std::future::pending::<()>().await;
}

async fn spawn(directory: &Path) -> (Child, Server) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server_to_be_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("the server says where it serves");
        if let Some(address) = line.strip_prefix("serving ") {
            break address.to_owned();
        }
    };
    (child, Server { address, key: harness::keys().identity.public() })
}

/// Asks for keys until the server is gone; notes those that were acknowledged.
async fn ask(server: Server, names: Arc<AtomicUsize>, acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    let world = world();
    let client = http::Client::new(Identity::new(&world.holder).unwrap(), server);
    let grant = world.grant(1, 1, "*", &world.holder, &[Operation::Create]);
    loop {
        let name = format!("k{:06}", names.fetch_add(1, Ordering::Relaxed));
        let asked = CreateKey {
            request: bytes(&world.create(&name, 1)),
            grant: bytes(&grant),
            labels: Labels::from([("name".into(), name.clone())]),
        };
        let request = http::Request::new(hyper::Method::POST, world.path(path::KEYS));
        match client.send(request.with_json(serde_json::to_vec(&asked).unwrap())).await {
            Ok(answer) => assert_eq!(answer.status, 202, "{:?}", answer.body),
            Err(_) => return,
        }
        acknowledged.lock().unwrap().insert(name);
    }
}

#[tokio::test]
async fn a_killed_server_has_all_that_it_acknowledged_and_no_half_of_anything() {
    let world = world();
    let directory = directory(&[&world]);
    let grant = world.grant(1, 1, "*", &world.holder, &[Operation::Create]);
    std::fs::write(directory.path().join("accounts/a.grant"), bytes(&grant).0).unwrap();
    let names = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 1..=ROUNDS {
        let (mut child, server) = spawn(directory.path()).await;
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(ask(server.clone(), Arc::clone(&names), Arc::clone(&acknowledged)));
        }
        // Another number of keys each round, so that the end falls somewhere else.
        while acknowledged.lock().unwrap().len() < round * 17 {
            if let Some(ended) = callers.try_join_next() {
                panic!("the server went too early: {ended:?}");
            }
            tokio::task::yield_now().await;
        }
        child.kill().await.unwrap();
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let so_far = acknowledged.lock().unwrap().clone();
        check(directory.path(), &world, &so_far).await;
    }
}

async fn check(directory: &Path, world: &World, acknowledged: &BTreeSet<String>) {
    let site = Site::start(&config(directory)).await;
    let (owner, member) = (site.client(&world.owner), site.client(&world.members[0]));
    let keys = keys(&owner, world).await;
    assert!(acknowledged.is_subset(&keys.keys().cloned().collect()), "every acknowledged key is there");
    assert!(keys.iter().all(|(name, label)| name == label), "every key has its label");
    let names: BTreeSet<_> = keys.into_keys().collect();
    assert_eq!(logged(&owner, world).await, names, "every key has its audit entry, and every entry its key");
    assert_eq!(
        proposed(&member, world).await,
        names,
        "every key has its proposal, and every proposal its key"
    );
    site.stop().await;
}

async fn keys(owner: &Client, world: &World) -> BTreeMap<String, String> {
    let (mut keys, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page: KeyPage = owner.get(&format!("{}?limit=1000{cursor}", world.path(path::KEYS))).await.ok();
        keys.extend(page.keys.into_iter().map(|key| (key.key, key.labels["name"].clone())));
        let Some(next) = page.next else { return keys };
        cursor = format!("&cursor={next}");
    }
}

/// Reads the whole audit log, checks it against its checkpoint, and gives the keys that were asked for by it.
async fn logged(owner: &Client, world: &World) -> BTreeSet<String> {
    let mut reader = LogReader::new();
    let mut keys = BTreeSet::new();
    loop {
        let at = format!("{}?limit=1000&first={}", world.path(path::AUDIT_ENTRIES), reader.entries());
        let page: EntryPage = owner.get(&at).await.ok();
        for entry in &page.entries {
            if let Event::KeyRequested { key, .. } = reader.read(&entry.0).unwrap().event {
                assert!(keys.insert(key.to_string()), "once");
            }
        }
        if reader.entries() == page.size {
            break;
        }
    }
    let checkpoint: symbolon_protocol::api::Checkpoint =
        owner.get(&world.path(path::AUDIT_CHECKPOINT)).await.ok();
    reader.finish(&VerifiedCheckpoint::verify(&checkpoint.note, &world.root).unwrap()).unwrap();
    keys
}

/// Follows the whole ceremony log, and gives the keys that were proposed in it.
async fn proposed(member: &Client, world: &World) -> BTreeSet<String> {
    let mut chain = Chain::new(world.account());
    let mut keys = BTreeSet::new();
    loop {
        let at = format!("{}?limit=1000&after={}", world.path(path::CEREMONY_LOG), chain.sequence());
        let page: LogPage = member.get(&at).await.ok();
        for entry in page.entries {
            let (previous, message) = (*chain.head(), entry.message.0);
            keys.extend(named(&message));
            chain.follow(&LogEntry { sequence: entry.sequence, previous, message }).unwrap();
            assert_eq!(*chain.head(), entry.hash.0);
        }
        if chain.sequence() == page.head.sequence {
            return keys;
        }
    }
}

fn named(message: &[u8]) -> Option<String> {
    let Message::Proposal(proposal) = Message::from_bytes(message).unwrap() else { return None };
    let symbolon_protocol::ceremony::Work::Generate(creations) = proposal.work else { return None };
    Some(creations[0].request.body().key.to_string())
}
