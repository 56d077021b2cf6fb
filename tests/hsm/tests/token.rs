//! Tokens through their child process: what goes right on both modules, and each thing that goes wrong.

use std::sync::Arc;

use symbolon_hsm::{FaultyModule, Module, PIN, TestToken};
use symbolon_pkcs11::number::attribute::{
    CKA_CLASS, CKA_DECRYPT, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_LABEL, CKA_PRIVATE,
    CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_UNWRAP, CKA_VALUE, CKA_VALUE_LEN, CKA_VERIFY, CKA_WRAP,
};
use symbolon_pkcs11::number::mechanism::{
    CKM_AES_GCM, CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP_KWP, CKM_GENERIC_SECRET_KEY_GEN, CKM_SHA256_HMAC,
};
use symbolon_pkcs11::number::{attribute, mechanism};
use symbolon_pkcs11::{
    Allowed, Attribute, Error, Mechanism, NotAllowed, Object, Parameters, Program, Session, Template, Token,
    TokenSettings,
};

fn broker() -> Program {
    Program { path: env!("CARGO_BIN_EXE_hsm-broker").into(), arguments: Vec::new() }
}

fn token(settings: TokenSettings) -> Token {
    Token::new(settings, broker())
}

/// Everything that has a name.
fn everything() -> Arc<Allowed> {
    Arc::new(Allowed {
        mechanisms: mechanism::ALL.iter().map(|(_, id)| *id).collect(),
        attributes: attribute::ALL.iter().map(|(_, id)| *id).collect(),
    })
}

async fn session(token: &Token) -> Result<Session, Error> {
    token.session(everything()).await
}

fn plain(id: u64) -> Mechanism {
    Mechanism { id, parameters: Parameters::None }
}

fn flag(id: u64, set: bool) -> Attribute {
    Attribute { id, value: vec![u8::from(set)] }
}

fn number(id: u64, value: u64) -> Attribute {
    Attribute { id, value: value.to_le_bytes().into() }
}

const SECRET_KEY: u64 = 4;
const GENERIC_SECRET: u64 = 0x10;
const AES: u64 = 0x1f;

/// A secret key with the uses that are listed and no others.
fn key(key_type: u64, extractable: bool, uses: &[u64]) -> Template {
    let mut template = vec![
        number(CKA_CLASS, SECRET_KEY),
        number(CKA_KEY_TYPE, key_type),
        number(CKA_VALUE_LEN, 32),
        flag(CKA_TOKEN, false),
        flag(CKA_PRIVATE, true),
        flag(CKA_SENSITIVE, true),
        flag(CKA_EXTRACTABLE, extractable),
    ];
    let all = [CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY];
    template.extend(all.map(|id| flag(id, uses.contains(&id))));
    template
}

async fn mac_key(session: &Session) -> Object {
    let template = key(GENERIC_SECRET, false, &[CKA_SIGN, CKA_VERIFY]);
    session.generate_key(plain(CKM_GENERIC_SECRET_KEY_GEN), template).await.expect("a key for MACs")
}

async fn mac(session: &Session, key: &Object) -> Result<Vec<u8>, Error> {
    session.sign(plain(CKM_SHA256_HMAC), key, b"data".to_vec()).await
}

#[tokio::test]
async fn a_key_is_used_and_gone_with_its_handle() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let session = session(&token(test.settings())).await.expect("a session");
        assert_eq!(session.info().label, symbolon_hsm::LABEL);
        let key = mac_key(&session).await;
        let made = mac(&session, &key).await.expect("a MAC");
        session
            .verify(plain(CKM_SHA256_HMAC), &key, b"data".to_vec(), made.clone())
            .await
            .expect("its own MAC");
        let other = session.verify(plain(CKM_SHA256_HMAC), &key, b"Data".to_vec(), made).await;
        assert!(matches!(other, Err(Error::Mismatch)), "{module:?}: {other:?}");
        key.destroy().await.expect("destroyed");
        assert!(
            matches!(mac(&session, &key).await, Err(Error::Returned { .. })),
            "{module:?}: used after its end"
        );
    }
}

#[tokio::test]
async fn a_wrong_pin_is_tried_once() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        test.write_pin("not-the-pin");
        // As often as would lock a card, and after restarts too: each new `Token` knows nothing of the others.
        for _ in 0..12 {
            let refused = session(&token(test.settings())).await.err();
            assert!(matches!(refused, Some(Error::PinRefused(_))), "{module:?}: {refused:?}");
        }
        // The same token asks once more only after the file changed, and then it opens: nothing was locked.
        let token = token(test.settings());
        assert!(matches!(session(&token).await, Err(Error::PinRefused(_))));
        test.write_pin(PIN);
        session(&token).await.expect("the right PIN");
    }
}

/// kryoptic locks itself after ten: the token was asked once.
#[tokio::test]
async fn a_wrong_pin_that_is_written_again_is_not_tried_again() {
    let test = TestToken::new(Module::Kryoptic);
    let token = token(test.settings());
    for _ in 0..12 {
        test.write_pin("not-the-pin");
        assert!(matches!(session(&token).await, Err(Error::PinRefused(_))));
    }
    test.write_pin(PIN);
    session(&token).await.expect("the right PIN");
}

#[tokio::test]
async fn a_pin_that_is_missing_empty_or_for_everybody_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let test = TestToken::new(Module::SoftHsm2);
    let token = token(test.settings());
    std::fs::remove_file(test.pin_file()).unwrap();
    assert!(matches!(session(&token).await, Err(Error::PinMissing { .. })));
    test.write_pin("");
    assert!(matches!(session(&token).await, Err(Error::PinMissing { .. })));
    test.write_pin(PIN);
    std::fs::set_permissions(test.pin_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(session(&token).await, Err(Error::PinMissing { .. })));
}

#[tokio::test]
async fn a_module_that_is_none() {
    let test = TestToken::new(Module::SoftHsm2);
    let mut settings = test.settings();
    for path in ["/nowhere/libpkcs11.so", "/etc/passwd", "/lib/x86_64-linux-gnu/libc.so.6"] {
        settings.module = path.into();
        let error = session(&token(settings.clone())).await.err();
        assert!(
            matches!(&error, Some(Error::Unusable { module, .. }) if module.as_os_str() == path),
            "{path}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_label_that_no_token_has() {
    for module in Module::ALL {
        let test = TestToken::new(module);
        let mut settings = test.settings();
        settings.token = "another".into();
        assert!(matches!(session(&token(settings)).await, Err(Error::Absent(label)) if label == "another"));
    }
}

#[tokio::test]
async fn a_module_that_crashes_costs_one_call() {
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let token = token(faulty.settings());
        let first = session(&token).await.expect("a session");
        let key = mac_key(&first).await;
        mac(&first, &key).await.expect("a MAC");
        faulty.fail("crash");
        let crashed = mac(&first, &key).await.expect_err("no MAC");
        assert!(matches!(&crashed, Error::Crashed(how) if how.contains("signal")), "{module:?}: {crashed:?}");
        faulty.fail("");
        // What was of the first child is gone with it; the next call has a new one.
        assert!(matches!(mac(&first, &key).await, Err(Error::Lost)));
        let second = session(&token).await.expect("a new child");
        assert!(matches!(mac(&second, &key).await, Err(Error::Lost)), "a handle of the first child");
        mac(&second, &mac_key(&second).await).await.expect("a MAC of the second child");
    }
}

#[tokio::test]
async fn a_module_that_hangs_costs_one_call() {
    let faulty = FaultyModule::before(TestToken::new(Module::SoftHsm2));
    let mut settings = faulty.settings();
    settings.timeout_secs = 2;
    let token = token(settings);
    let first = session(&token).await.expect("a session");
    let key = mac_key(&first).await;
    faulty.fail("hang");
    assert!(matches!(mac(&first, &key).await, Err(Error::TimedOut)));
    faulty.fail("");
    let second = session(&token).await.expect("a new child");
    mac(&second, &mac_key(&second).await).await.expect("a MAC of the second child");
}

#[tokio::test]
async fn a_token_that_is_gone_and_comes_back() {
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let token = token(faulty.settings());
        let first = session(&token).await.expect("a session");
        let key = mac_key(&first).await;
        faulty.fail("gone");
        assert!(matches!(mac(&first, &key).await, Err(Error::Lost)), "{module:?}");
        for _ in 0..3 {
            assert!(matches!(session(&token).await, Err(Error::Absent(_))), "{module:?}");
        }
        faulty.fail("");
        let second = session(&token).await.expect("it is back");
        mac(&second, &mac_key(&second).await).await.expect("a MAC");
    }
}

#[tokio::test]
async fn a_mechanism_that_the_token_lacks() {
    let test = TestToken::new(Module::SoftHsm2);
    let session = session(&token(test.settings())).await.expect("a session");
    let wrapping = key(AES, false, &[CKA_WRAP, CKA_UNWRAP]);
    let wrapping = session.generate_key(plain(CKM_AES_KEY_GEN), wrapping).await.expect("a wrapping key");
    let inner =
        session.generate_key(plain(CKM_AES_KEY_GEN), key(AES, true, &[CKA_ENCRYPT, CKA_DECRYPT])).await;
    let missing = session.wrap(plain(CKM_AES_KEY_WRAP_KWP), &wrapping, &inner.expect("a key")).await;
    assert!(matches!(missing, Err(Error::MechanismMissing(CKM_AES_KEY_WRAP_KWP))), "{missing:?}");
}

#[tokio::test]
async fn no_key_leaves_the_token_in_the_clear() {
    let test = TestToken::new(Module::Kryoptic);
    let session = session(&token(test.settings())).await.expect("a session");
    let generate = |template| session.generate_key(plain(CKM_AES_KEY_GEN), template);
    let inner = generate(key(AES, true, &[CKA_ENCRYPT, CKA_DECRYPT])).await.expect("a key");
    let refused = |result: Result<(), Error>| match result {
        Err(Error::NotAllowed(why)) => why,
        other => panic!("not refused: {other:?}"),
    };
    // Its bytes are no attribute.
    assert_eq!(refused(inner.attributes(vec![CKA_VALUE]).await.map(drop)), NotAllowed::KeyBytes(CKA_VALUE));
    // Nobody knows another key's bytes either, to wrap it under.
    let mut known = key(AES, false, &[CKA_WRAP]);
    known.push(Attribute { id: CKA_VALUE, value: vec![7; 32] });
    assert_eq!(refused(generate(known).await.map(drop)), NotAllowed::KeyBytes(CKA_VALUE));
    // A key that wraps does not decrypt what it wrapped, and is not made to read.
    let two = key(AES, false, &[CKA_WRAP, CKA_DECRYPT]);
    assert_eq!(refused(generate(two).await.map(drop)), NotAllowed::TwoUses);
    let mut readable = key(AES, true, &[CKA_ENCRYPT]);
    readable[5] = flag(CKA_SENSITIVE, false);
    assert_eq!(refused(generate(readable).await.map(drop)), NotAllowed::Readable);
    // What a template leaves unsaid, a module might allow.
    for id in [CKA_TOKEN, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP] {
        let unsaid =
            key(AES, true, &[CKA_ENCRYPT]).into_iter().filter(|attribute| attribute.id != id).collect();
        assert_eq!(refused(generate(unsaid).await.map(drop)), NotAllowed::Unsaid(id));
    }
    // Mechanisms that encrypt do not wrap, and the reverse.
    let wrapping = generate(key(AES, false, &[CKA_WRAP, CKA_UNWRAP])).await.expect("a wrapping key");
    let gcm = Mechanism {
        id: CKM_AES_GCM,
        parameters: Parameters::Gcm { iv: vec![0; 12], aad: Vec::new(), tag_bits: 128 },
    };
    assert_eq!(
        refused(session.wrap(gcm, &wrapping, &inner).await.map(drop)),
        NotAllowed::OtherUse(CKM_AES_GCM)
    );
    let decrypted = session.decrypt(plain(CKM_AES_KEY_WRAP_KWP), &wrapping, vec![0; 40]).await;
    assert_eq!(refused(decrypted.map(drop)), NotAllowed::OtherUse(CKM_AES_KEY_WRAP_KWP));
}

#[tokio::test]
async fn what_a_grant_does_not_list_is_not_asked_of_the_token() {
    let test = TestToken::new(Module::SoftHsm2);
    let token = token(test.settings());
    let narrow = Allowed {
        mechanisms: [CKM_AES_KEY_GEN].into(),
        attributes: everything().attributes.iter().copied().filter(|id| *id != CKA_LABEL).collect(),
    };
    let session = token.session(Arc::new(narrow)).await.expect("a session");
    assert_eq!(session.info().mechanisms, [CKM_AES_KEY_GEN]);
    let generated =
        session.generate_key(plain(CKM_GENERIC_SECRET_KEY_GEN), key(GENERIC_SECRET, false, &[])).await;
    let unlisted = generated.map(drop);
    assert!(matches!(unlisted, Err(Error::NotAllowed(NotAllowed::Mechanism(CKM_GENERIC_SECRET_KEY_GEN)))));
    let found = session.find(vec![Attribute { id: CKA_LABEL, value: b"x".to_vec() }], 1).await.map(drop);
    assert!(matches!(found, Err(Error::NotAllowed(NotAllowed::Attribute(CKA_LABEL)))));
}

#[tokio::test]
async fn a_session_object_is_seen_by_nobody_else() {
    let test = TestToken::new(Module::Kryoptic);
    let token = token(test.settings());
    let (mine, other) = (session(&token).await.expect("a session"), session(&token).await.expect("another"));
    let _key = mac_key(&mine).await;
    assert!(other.find(vec![number(CKA_CLASS, SECRET_KEY)], 10).await.expect("a search").is_empty());
}

/// The PIN is neither in the child's arguments nor in its environment, and the child leaves no core.
#[tokio::test]
async fn the_child_shows_nothing() {
    let test = TestToken::new(Module::SoftHsm2);
    let token = token(test.settings());
    let _session = session(&token).await.expect("a session");
    let ours = std::process::id().to_string();
    let mut seen = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let about = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let command = about("cmdline");
        let is_child = String::from_utf8_lossy(&about("status")).contains(&format!("PPid:\t{ours}\n"));
        if !is_child || !command.starts_with(broker().path.as_os_str().as_encoded_bytes()) {
            continue;
        }
        for file in ["cmdline", "environ"] {
            assert!(!String::from_utf8_lossy(&about(file)).contains(PIN), "the PIN is in {file}");
        }
        assert!(String::from_utf8_lossy(&about("limits")).lines().any(|line| {
            line.starts_with("Max core file size") && line.split_whitespace().nth(4) == Some("0")
        }));
        seen += 1;
    }
    assert!(seen > 0, "no child was seen");
}
