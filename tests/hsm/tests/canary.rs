//! No secret is ever in a guest's memory: after each call, all of it is searched for what was planted.
//!
//! wasmtime shows a component's memory to nobody, so it is read as the system sees it, from `/proc/self`: a guest's linear
//! memory is what can be written in front of a reservation of gigabytes. That it is the right memory, a marker shows
//! which the guest is given openly.

use std::fs::File;
use std::os::unix::fs::FileExt;

use symbolon_hsm::plugin::Hosted;
use symbolon_hsm::{Module, PIN, TestToken};
use symbolon_pkcs11::Program;
use symbolon_plugin::{KeyRef, KeySpec, SignInput};

/// The guest sees it, and keeps it.
const MARKER: &[u8] = b"a binding that is no secret: 7d1f30c2";
const SECRET: &[u8] = b"a secret to seal: 0b9e55aa17c4";
/// No other mapping lies before so large a one that can't be touched.
const RESERVATION: u64 = 1 << 30;

struct Mapping {
    start: u64,
    end: u64,
    rights: String,
    anonymous: bool,
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let rights = words.next()?.to_owned();
        let address = |hex| u64::from_str_radix(hex, 16).ok();
        Some(Self { start: address(start)?, end: address(end)?, rights, anonymous: words.nth(3).is_none() })
    }
}

/// The linear memories of all guests in this process.
fn guest_memories() -> Vec<Vec<u8>> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("our mappings");
    let mappings: Vec<Mapping> = maps.lines().filter_map(Mapping::parse).collect();
    let memory = File::open("/proc/self/mem").expect("our memory");
    let is_guest = |pair: &&[Mapping]| {
        let [here, next] = pair else { return false };
        here.anonymous
            && here.rights == "rw-p"
            && next.start == here.end
            && next.rights == "---p"
            && next.end - next.start >= RESERVATION
    };
    let read = |pair: &[Mapping]| {
        let mut bytes = vec![0; usize::try_from(pair[0].end - pair[0].start).expect("a size")];
        memory.read_exact_at(&mut bytes, pair[0].start).expect("a guest's memory");
        bytes
    };
    mappings.windows(2).filter(is_guest).map(read).collect()
}

fn holds(memory: &[u8], what: &[u8]) -> bool {
    memory.windows(what.len()).any(|window| window == what)
}

/// Panics where anything planted is in any guest's memory.
fn search(call: &str) {
    let memories = guest_memories();
    for planted in [PIN.as_bytes(), SECRET] {
        assert!(
            !memories.iter().any(|memory| holds(memory, planted)),
            "after {call}: {}",
            planted.escape_ascii()
        );
    }
}

fn marked() -> bool {
    guest_memories().iter().any(|memory| holds(memory, MARKER))
}

fn spec(algorithm: &str, usage: &str) -> KeySpec {
    KeySpec { algorithm: algorithm.to_owned(), usages: vec![usage.to_owned()] }
}

#[tokio::test]
async fn no_secret_is_in_a_guests_memory() {
    let broker = || Program { path: env!("CARGO_BIN_EXE_hsm-broker").into(), arguments: Vec::new() };
    for module in Module::ALL {
        let test = TestToken::new(module);
        let hosted = Hosted::new(broker(), test.settings(), "").await;
        let keystore = hosted.keystore("acme");
        keystore.describe().await.expect("a description");
        search("describe");
        keystore.create_master().await.expect("a master key");
        search("create");
        keystore.check_value().await.expect("a check value");
        search("check-value");
        assert!(!marked(), "the marker was not given yet");
        let seal = keystore.generate(&spec("aes-256", "seal"), MARKER).await.expect("a key");
        search("generate");
        let sealing = KeyRef { id: &seal.id, binding: MARKER };
        let sealed = keystore.seal(sealing, SECRET, b"context").await.expect("sealed");
        search("seal");
        assert!(marked(), "what was searched is not the guest's memory");
        assert_eq!(&**keystore.open(sealing, &sealed, b"context").await.expect("opened"), SECRET);
        search("open-sealed");
        keystore.open(sealing, &sealed, b"other").await.expect_err("another context");
        search("open-sealed that fails");
        let sign = keystore.generate(&spec("ecdsa-p256", "sign"), MARKER).await.expect("a key");
        let signing = KeyRef { id: &sign.id, binding: MARKER };
        keystore.sign(signing, "ecdsa-p256-sha256", SignInput::Message(b"message")).await.expect("signed");
        search("sign");
        let wrap = keystore.generate(&spec("aes-256", "wrap"), MARKER).await.expect("a key");
        let wrapping = KeyRef { id: &wrap.id, binding: MARKER };
        let wrapped = keystore.wrap(wrapping, sealing, b"context").await.expect("wrapped");
        search("wrap");
        let again = keystore.unwrap(wrapping, &wrapped, b"context", &spec("aes-256", "seal"), MARKER).await;
        search("unwrap");
        let again = again.expect("unwrapped");
        let opened = keystore.open(KeyRef { id: &again.id, binding: MARKER }, &sealed, b"context").await;
        assert_eq!(&**opened.expect("opened by the same key"), SECRET, "{module:?}");
        search("open-sealed by the unwrapped key");
        keystore.health().await.expect("health");
        search("health");
    }
}
