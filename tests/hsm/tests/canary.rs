//! No secret is ever in a guest's memory: after each call, all of it is searched for what was planted.
//!
//! wasmtime shows a component's memory to nobody, so it is read as the system sees it, from `/proc/self`: a guest's linear
//! memory is all that can be written in front of a reservation of gigabytes. That it is the right memory, a marker shows
//! which the guest is given openly; that it is the whole of it, the guest's constants: its stack lies below them, its heap
//! above.

use std::fs::File;
use std::os::unix::fs::FileExt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use symbolon_hsm::plugin::Hosted;
use symbolon_hsm::{FaultyModule, Module, PIN, PLANTED, TestToken};
use symbolon_pkcs11::Program;
use symbolon_plugin::{KeyRef, KeySpec, SignInput};

/// The guest sees it, and keeps it.
const MARKER: &[u8] = b"a binding that is no secret: 7d1f30c2";
/// One of the guest's constants.
const CONSTANT: &[u8] = b"symbolon/v1/hsm-pkcs11/check-value";
/// Rust's linker gives a guest so much stack, from address zero on.
const STACK: usize = 1 << 20;
/// WebAssembly's unit of memory, bytes.
const PAGE: usize = 64 << 10;
const SECRET: &[u8] = b"a secret to seal: 0b9e55aa17c4";
/// No other mapping lies before so large a one that can't be touched.
const RESERVATION: u64 = 1 << 30;

struct Mapping {
    start: u64,
    end: u64,
    rights: String,
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let rights = words.next()?.to_owned();
        let address = |hex| u64::from_str_radix(hex, 16).ok();
        Some(Self { start: address(start)?, end: address(end)?, rights })
    }

    fn is_reservation(&self) -> bool {
        self.rights == "---p" && self.end - self.start >= RESERVATION
    }
}

/// The linear memories of all guests in this process. The system sees one as several pieces: what came with the component
/// and was not written since is mapped from a file, what was grown is not.
fn guest_memories() -> Vec<Vec<u8>> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("our mappings");
    let mappings: Vec<Mapping> = maps.lines().filter_map(Mapping::parse).collect();
    let reservations = mappings.iter().enumerate().filter(|(_, mapping)| mapping.is_reservation());
    reservations
        .map(|(at, _)| writable_before(&mappings[..=at]))
        .filter(|memory| !memory.is_empty())
        .collect()
}

/// What can be written in one piece before the last of the mappings.
fn writable_before(mappings: &[Mapping]) -> Vec<u8> {
    let [.., last] = mappings else { return Vec::new() };
    let start = mappings.iter().rev().skip(1).fold(last.start, |start, mapping| {
        if mapping.end == start && mapping.rights == "rw-p" { mapping.start } else { start }
    });
    let memory = File::open("/proc/self/mem").expect("our memory");
    let mut bytes = vec![0; usize::try_from(last.start - start).expect("a size")];
    memory.read_exact_at(&mut bytes, start).expect("a guest's memory");
    bytes
}

fn holds(memory: &[u8], what: &[u8]) -> bool {
    memory.windows(what.len()).any(|window| window == what)
}

/// Panics where anything planted is in any guest's memory.
fn search(call: &str) {
    let memories = guest_memories();
    for planted in [PIN.as_bytes(), SECRET, PLANTED.as_bytes()] {
        assert!(
            !memories.iter().any(|memory| holds(memory, planted)),
            "after {call}: {}",
            planted.escape_ascii()
        );
    }
}

/// Whether the guest has the marker; what was searched is whole then.
fn marked() -> bool {
    let memories = guest_memories();
    let Some(memory) = memories.iter().find(|memory| holds(memory, MARKER)) else { return false };
    let constant = memory.windows(CONSTANT.len()).position(|window| window == CONSTANT);
    assert!(constant.is_some_and(|at| at >= STACK), "the guest's stack was not searched: {constant:?}");
    assert_eq!(memory.len() % PAGE, 0, "part of a page was not searched");
    true
}

/// Opens what the plugin sealed outside of the token: the key really is the planted one.
fn opened_with_planted(sealed: &[u8], context: &[u8]) -> Vec<u8> {
    let key = UnboundKey::new(&AES_256_GCM, PLANTED.as_bytes()).expect("a key");
    let (version, rest) = sealed.split_at(1);
    let (nonce, ciphertext) = rest.split_at(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(nonce).expect("a nonce");
    let mut opened = ciphertext.to_vec();
    let bound = Aad::from([version, context].concat());
    LessSafeKey::new(key).open_in_place(nonce, bound, &mut opened).expect("the planted key opens it").to_vec()
}

fn spec(algorithm: &str, usage: &str) -> KeySpec {
    KeySpec { algorithm: algorithm.to_owned(), usages: vec![usage.to_owned()] }
}

#[tokio::test]
async fn no_secret_is_in_a_guests_memory() {
    let broker = || Program { path: env!("CARGO_BIN_EXE_hsm-broker").into(), arguments: Vec::new() };
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let hosted = Hosted::new(broker(), faulty.settings(), "").await;
        let keystore = hosted.keystore("acme");
        keystore.describe().await.expect("a description");
        search("describe");
        keystore.create_master().await.expect("a master key");
        search("create");
        keystore.check_value().await.expect("a check value");
        search("check-value");
        assert!(!marked(), "the marker was not given yet");
        faulty.plant();
        let seal = keystore.generate(&spec("aes-256", "seal"), MARKER).await.expect("a key");
        search("generate");
        let sealing = KeyRef { id: &seal.id, binding: MARKER };
        let sealed = keystore.seal(sealing, SECRET, b"context").await.expect("sealed");
        search("seal");
        assert!(marked(), "what was searched is not the guest's memory");
        assert_eq!(opened_with_planted(&sealed, b"context"), SECRET, "{module:?}: no key was planted");
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
