//! The plugin on both modules: one suite, and each module's own word on what it can't do.

mod suite;

use symbolon_hsm::plugin::Hosted;
use symbolon_hsm::{FaultyModule, Module, TestToken};
use symbolon_pkcs11::{Program, TokenSettings};
use symbolon_plugin::{CallError, KeyRef, KeySpec, Keystore, Kind, SignInput, reason};

fn broker() -> Program {
    Program { path: env!("CARGO_BIN_EXE_hsm-broker").into(), arguments: Vec::new() }
}

async fn hosted(token: TokenSettings) -> Hosted {
    Hosted::new(broker(), token, "").await
}

/// The store of an account on a new token that has a master key.
async fn enrolled(token: TokenSettings) -> (Hosted, Keystore) {
    let hosted = hosted(token).await;
    let keystore = hosted.keystore("acme");
    keystore.create_master().await.expect("a master key");
    (hosted, keystore)
}

fn spec(algorithm: &str, usage: &str) -> KeySpec {
    KeySpec { algorithm: algorithm.to_owned(), usages: vec![usage.to_owned()] }
}

/// Kind and reason of the plugin's own error.
fn said<T: std::fmt::Debug>(result: Result<T, CallError>) -> (Kind, String) {
    match result {
        Err(CallError::Plugin(error)) => (error.kind, error.reason),
        other => panic!("not an error of the plugin: {other:?}"),
    }
}

const BINDING: &[u8] = b"account acme, key root, version 1";

#[tokio::test]
async fn every_key_that_the_token_can_do() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let (_hosted, keystore) = enrolled(test.settings()).await;
        let described = keystore.describe().await.expect("a description");
        assert_eq!(described.algorithms, suite::algorithms(module), "{module:?}");
        for algorithm in described.algorithms.iter().filter(|algorithm| *algorithm != "aes-256") {
            suite::signs(&keystore, algorithm).await;
        }
        suite::seals(&keystore).await;
        suite::wraps(&keystore).await;
    }
}

#[tokio::test]
async fn what_a_module_can_not_do_it_says() {
    for (module, algorithm) in [(Module::SoftHsm2, "ed25519"), (Module::Kryoptic, "ecdsa-secp256k1")] {
        let test = TestToken::new(module);
        let (_hosted, keystore) = enrolled(test.settings()).await;
        let refused = said(keystore.generate(&spec(algorithm, "sign"), BINDING).await);
        assert_eq!(
            refused,
            (Kind::Unsupported, reason::MECHANISM_MISSING.to_owned()),
            "{module:?} {algorithm}"
        );
    }
}

#[tokio::test]
async fn a_token_without_any_mechanism_to_wrap() {
    let deny = "mechanisms = [\"DENY\", \"CKM_AES_KEY_WRAP_KWP\", \"CKM_AES_KEY_WRAP\"]\n";
    let test = TestToken::with(Module::Kryoptic, deny);
    let keystore = hosted(test.settings()).await.keystore("acme");
    assert_eq!(keystore.describe().await.expect("a description").algorithms, Vec::<String>::new());
    let refused = said(keystore.generate(&spec("aes-256", "seal"), BINDING).await);
    assert_eq!(refused, (Kind::Unsupported, reason::MECHANISM_MISSING.to_owned()));
}

#[tokio::test]
async fn the_best_mechanism_is_taken_and_recorded() {
    for (module, mechanism) in [(Module::SoftHsm2, 0x210a_u16), (Module::Kryoptic, 0x210b)] {
        let test = TestToken::new(module);
        let (_hosted, keystore) = enrolled(test.settings()).await;
        let key = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
        // As CBOR writes it: an unsigned number of two bytes.
        let [high, low] = mechanism.to_be_bytes();
        let recorded = key.id.windows(3).any(|window| window == [0x19, high, low]);
        assert!(recorded, "{module:?}: no {mechanism:#x} in {:02x?}", key.id);
    }
}

#[tokio::test]
async fn the_master_key_is_made_once_and_found_by_its_label() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let first = hosted(test.settings()).await;
        let keystore = first.keystore("acme");
        assert_eq!(said(keystore.check_value().await), (Kind::NotFound, reason::MASTER_MISSING.to_owned()));
        assert_eq!(
            said(keystore.generate(&spec("aes-256", "seal"), BINDING).await),
            (Kind::NotFound, reason::MASTER_MISSING.to_owned())
        );
        keystore.create_master().await.expect("a master key");
        assert_eq!(said(keystore.create_master().await), (Kind::Conflict, reason::MASTER_EXISTS.to_owned()));
        let value = keystore.check_value().await.expect("its check value");
        assert_eq!(value.len(), 32);
        // Another process of ours on the same token has the same one, and opens what the first one wrapped.
        let key = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
        let key = KeyRef { id: &key.id, binding: BINDING };
        let sealed = keystore.seal(key, b"secret", b"context").await.expect("sealed");
        let second = hosted(test.settings()).await;
        let there = second.keystore("acme");
        assert_eq!(there.check_value().await.expect("its check value"), value);
        assert_eq!(&**there.open(key, &sealed, b"context").await.expect("opened"), b"secret");
        // Another label, and another token, have another master key.
        let other = Hosted::new(broker(), test.settings(), "label = 'other'").await;
        other.keystore("acme").create_master().await.expect("a master key");
        assert_ne!(other.keystore("acme").check_value().await.expect("its check value"), value);
        let another = TestToken::new(module);
        let (_there, elsewhere) = enrolled(another.settings()).await;
        assert_ne!(elsewhere.check_value().await.expect("its check value"), value, "{module:?}");
    }
}

#[tokio::test]
async fn a_changed_bit_and_another_binding() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let (_hosted, keystore) = enrolled(test.settings()).await;
        let key = keystore.generate(&spec("hmac-sha256", "sign"), BINDING).await.expect("a key");
        let tampered = (Kind::Integrity, reason::KEY_TAMPERED.to_owned());
        // Every byte: header, wrapped key and MAC. The module name and the mark of the master key give other advice.
        for at in 0..key.id.len() {
            let mut changed = key.id.clone();
            changed[at] ^= 0x01;
            let (kind, reason) = said(keystore.info(KeyRef { id: &changed, binding: BINDING }).await);
            assert_eq!(kind, Kind::Integrity, "{module:?}: byte {at}: {reason}");
        }
        for cut in [0, 1, key.id.len() / 2, key.id.len() - 1] {
            assert_eq!(said(keystore.info(KeyRef { id: &key.id[..cut], binding: BINDING }).await), tampered);
        }
        for binding in [&b""[..], b"account other, key root, version 1"] {
            assert_eq!(said(keystore.info(KeyRef { id: &key.id, binding }).await), tampered, "{module:?}");
        }
        // One that was used and is unwrapped now is held to the same.
        let sign = |binding: &'static [u8]| {
            keystore.sign(KeyRef { id: &key.id, binding }, "hmac-sha256", SignInput::Message(b"message"))
        };
        sign(BINDING).await.expect("a MAC");
        assert_eq!(said(sign(b"another").await), tampered, "{module:?}");
        sign(BINDING).await.expect("a MAC");
    }
}

#[tokio::test]
async fn a_key_of_another_module_or_another_master_key() {
    let (soft, kry) = (TestToken::new(Module::SoftHsm2), TestToken::new(Module::Kryoptic));
    let (_soft, on_soft) = enrolled(soft.settings()).await;
    let (_kry, on_kry) = enrolled(kry.settings()).await;
    let softhsm_key = on_soft.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
    let kryoptic_key = on_kry.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
    for (keystore, id) in [(&on_kry, &softhsm_key.id), (&on_soft, &kryoptic_key.id)] {
        let refused = said(keystore.seal(KeyRef { id, binding: BINDING }, b"secret", b"").await);
        assert_eq!(refused, (Kind::Integrity, reason::KEY_FOREIGN_MODULE.to_owned()));
    }
    let another = TestToken::new(Module::Kryoptic);
    let (_other, elsewhere) = enrolled(another.settings()).await;
    let refused =
        said(elsewhere.seal(KeyRef { id: &kryoptic_key.id, binding: BINDING }, b"secret", b"").await);
    assert_eq!(refused, (Kind::Integrity, reason::KEY_FOREIGN_MASTER.to_owned()));
}

#[tokio::test]
async fn what_was_sealed_is_held_to_its_key_and_context() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let (_hosted, keystore) = enrolled(test.settings()).await;
        let one = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
        let two = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("another key");
        let (one, two) = (KeyRef { id: &one.id, binding: BINDING }, KeyRef { id: &two.id, binding: BINDING });
        let sealed = keystore.seal(one, b"secret", b"context").await.expect("sealed");
        let tampered = (Kind::Integrity, reason::SEALED_TAMPERED.to_owned());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x80;
            assert_eq!(
                said(keystore.open(one, &changed, b"context").await),
                tampered,
                "{module:?}: byte {at}"
            );
        }
        assert_eq!(said(keystore.open(one, &sealed[..20], b"context").await), tampered, "{module:?}: cut");
        assert_eq!(said(keystore.open(one, &sealed, b"other").await), tampered, "{module:?}: context");
        assert_eq!(said(keystore.open(two, &sealed, b"context").await), tampered, "{module:?}: key");
        // None of that was taken for a broken token.
        assert_eq!(
            &**keystore.open(one, &sealed, b"context").await.expect("opened"),
            b"secret",
            "{module:?}"
        );
    }
}

#[tokio::test]
async fn a_key_does_only_what_it_is_for() {
    let test = TestToken::new(Module::Kryoptic);
    let (_hosted, keystore) = enrolled(test.settings()).await;
    let seal = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
    let sign = keystore.generate(&spec("ecdsa-p256", "sign"), BINDING).await.expect("a key");
    let (seal, sign) = (KeyRef { id: &seal.id, binding: BINDING }, KeyRef { id: &sign.id, binding: BINDING });
    let usages = (Kind::Invalid, "key.usages".to_owned());
    assert_eq!(said(keystore.seal(sign, b"secret", b"").await), usages);
    assert_eq!(said(keystore.sign(seal, "hmac-sha256", SignInput::Message(b"m")).await), usages);
    assert_eq!(said(keystore.wrap(seal, sign, b"").await), usages);
    assert_eq!(said(keystore.generate(&spec("aes-256", "sign"), BINDING).await), usages);
    let unknown = (Kind::Unsupported, reason::ALGORITHM_UNKNOWN.to_owned());
    assert_eq!(said(keystore.generate(&spec("des", "seal"), BINDING).await), unknown);
    assert_eq!(said(keystore.sign(sign, "ecdsa-p384-sha384", SignInput::Message(b"m")).await), unknown);
    let short = keystore.sign(sign, "ecdsa-p256-sha256", SignInput::Digest(&[0; 31])).await;
    assert_eq!(said(short), (Kind::Invalid, "digest.length".to_owned()));
}

/// A call that is refused half-way gives back what it held: one that came more often than there are handles shows it.
#[tokio::test]
async fn refusals_cost_no_handles() {
    let test = TestToken::new(Module::Kryoptic);
    let (_hosted, keystore) = enrolled(test.settings()).await;
    let wrap = keystore.generate(&spec("aes-256", "wrap"), BINDING).await.expect("a key");
    let wrap = KeyRef { id: &wrap.id, binding: BINDING };
    for _ in 0..300 {
        let refused = said(keystore.wrap(wrap, KeyRef { id: b"none", binding: BINDING }, b"").await);
        assert_eq!(refused, (Kind::Integrity, reason::KEY_TAMPERED.to_owned()));
        let refused = said(keystore.unwrap(wrap, b"none", b"", &spec("aes-256", "seal"), BINDING).await);
        assert_eq!(refused, (Kind::Integrity, reason::KEY_TAMPERED.to_owned()));
    }
}

#[tokio::test]
async fn a_module_that_ignores_the_template() {
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let (_hosted, keystore) = enrolled(faulty.settings()).await;
        let key = keystore.generate(&spec("aes-256", "seal"), BINDING).await.expect("a key");
        let key = KeyRef { id: &key.id, binding: BINDING };
        faulty.fail("extractable");
        let refused = said(keystore.seal(key, b"secret", b"").await);
        assert_eq!(refused, (Kind::Integrity, reason::KEY_ATTRIBUTES.to_owned()), "{module:?}");
        faulty.fail("");
        keystore.seal(key, b"secret", b"").await.expect("sealed");
    }
}

#[tokio::test]
async fn a_crash_costs_one_call_and_the_next_begins_anew() {
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let (_hosted, keystore) = enrolled(faulty.settings()).await;
        let key = keystore.generate(&spec("hmac-sha256", "sign"), BINDING).await.expect("a key");
        let sign = || {
            let key = KeyRef { id: &key.id, binding: BINDING };
            keystore.sign(key, "hmac-sha256", SignInput::Message(b"message"))
        };
        let before = sign().await.expect("a MAC");
        faulty.fail("crash");
        assert_eq!(said(sign().await), (Kind::Unavailable, reason::MODULE_CRASHED.to_owned()), "{module:?}");
        faulty.fail("gone");
        assert_eq!(said(sign().await), (Kind::Unavailable, reason::TOKEN_ABSENT.to_owned()), "{module:?}");
        faulty.fail("");
        // Unwrapped again in a new session: handles of the old one were let go.
        assert_eq!(sign().await.expect("a MAC"), before, "{module:?}");
        faulty.fail("gone");
        assert_eq!(said(sign().await), (Kind::Unavailable, reason::SESSION_LOST.to_owned()), "{module:?}");
        faulty.fail("");
        assert_eq!(sign().await.expect("a MAC"), before, "{module:?}");
    }
}

#[tokio::test]
async fn a_wrong_pin_is_a_typed_error_until_its_file_changes() {
    let test = TestToken::new(Module::Kryoptic);
    test.write_pin("not-the-pin");
    let hosted = hosted(test.settings()).await;
    let keystore = hosted.keystore("acme");
    for _ in 0..12 {
        assert_eq!(said(keystore.health().await), (Kind::Denied, reason::PIN_REFUSED.to_owned()));
    }
    test.write_pin(symbolon_hsm::PIN);
    assert_eq!(said(keystore.health().await), (Kind::NotFound, reason::MASTER_MISSING.to_owned()));
    keystore.create_master().await.expect("the right PIN");
}

#[tokio::test]
async fn a_module_that_is_none_is_a_typed_error() {
    let test = TestToken::new(Module::SoftHsm2);
    let mut settings = test.settings();
    settings.module = "/nowhere/libpkcs11.so".into();
    let refused = said(hosted(settings).await.keystore("acme").health().await);
    assert_eq!(refused, (Kind::Invalid, reason::MODULE_UNUSABLE.to_owned()));
}

/// More keys than stay unwrapped: those that made room are unwrapped again.
#[tokio::test]
async fn the_cache_is_bounded_and_may_be_off() {
    for settings in ["cache = 0", "cache = 2", "cache = 96"] {
        let test = TestToken::new(Module::Kryoptic);
        let hosted = Hosted::new(broker(), test.settings(), settings).await;
        let keystore = hosted.keystore("acme");
        keystore.create_master().await.expect("a master key");
        let mut keys = Vec::new();
        for _ in 0..5 {
            keys.push(keystore.generate(&spec("hmac-sha256", "sign"), BINDING).await.expect("a key"));
        }
        let mut first = Vec::new();
        for round in 0..3 {
            for (at, key) in keys.iter().enumerate() {
                let key = KeyRef { id: &key.id, binding: BINDING };
                let mac =
                    keystore.sign(key, "hmac-sha256", SignInput::Message(b"message")).await.expect("a MAC");
                if round == 0 {
                    first.push(mac);
                } else {
                    assert_eq!(mac, first[at], "{settings}: key {at}");
                }
            }
        }
    }
    let test = TestToken::new(Module::Kryoptic);
    let wrong = Hosted::new(broker(), test.settings(), "cache = 10000").await;
    assert_eq!(said(wrong.keystore("acme").check_config().await), (Kind::Invalid, "config.value".to_owned()));
}
