//! A guest that keeps the contract.

use symbolon_guests::Guest;
use symbolon_plugin::{CallError, KeyRef, KeySpec, Kind, Slice, Verdict};

use crate::support::{host, keystore, load, sign, verdict};

fn spec() -> KeySpec {
    KeySpec { algorithm: "aes-256".into(), usages: vec!["seal".into()] }
}

#[tokio::test]
async fn its_functions_answer() {
    let plugin = load(&host(), &Guest::good()).await;
    let store = keystore(&plugin).for_request("request-1");
    let described = store.describe().await.unwrap();
    assert_eq!((described.name.as_str(), described.version.as_str()), ("good", "1.0.0"));
    assert_eq!(described.algorithms, ["aes-256"]);
    store.check_config().await.unwrap();
    store.health().await.unwrap();
    assert_eq!(sign(&store, b"message").await.unwrap(), b"message");
    assert_eq!(plugin.offers().iter().copied().collect::<Vec<_>>(), [Slice::Signing]);
}

#[tokio::test]
async fn keys_come_back_by_their_ids() {
    let store = keystore(&load(&host(), &Guest::good()).await);
    let made = store.generate(&spec(), b"binding").await.unwrap();
    let other = store.generate(&spec(), b"binding").await.unwrap();
    assert_ne!(made.id, other.id);
    let key = KeyRef { id: &made.id, binding: b"binding" };
    assert_eq!(store.info(key).await.unwrap(), made);
    store.destroy(key).await.unwrap();
}

#[tokio::test]
async fn a_slice_that_it_does_not_have_is_told_without_a_call() {
    let plugin = load(&host(), &Guest::good()).await;
    let outcome = keystore(&plugin).check_value().await;
    assert_eq!(verdict(outcome), Verdict::NotOffered(Slice::Master));
    assert_eq!(plugin.tally().calls, 0);
}

/// Kind 3 is `denied`; the reason has an escape sequence in it.
const SAYS_NO: &str = "
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store8 (i32.const 20) (i32.const 3))
    (call $pair (i32.const 24) (i32.const 3000) (i32.const 11))
    (call $pair (i32.const 32) (i32.const 3100) (i32.const 9))
    (i32.store8 (i32.const 40) (i32.const 1))
    (i32.store (i32.const 44) (i32.const 250))
    (call $pair (i32.const 48) (i32.const 0) (i32.const 0))
    (i32.const 16)";

#[tokio::test]
async fn its_own_errors_are_told_from_the_hosts_and_cost_no_instance() {
    let texts = r#"(data (i32.const 3000) "pin.refused") (data (i32.const 3100) "\1b[2Jgone\n")"#;
    let guest = Guest::good().item(texts).body("provider#health", SAYS_NO);
    let plugin = load(&host(), &guest).await;
    let store = keystore(&plugin);
    let Err(CallError::Plugin(error)) = store.health().await else { panic!("no error of the plugin") };
    assert_eq!((error.kind, error.reason.as_str()), (Kind::Denied, symbolon_plugin::reason::PIN_REFUSED));
    assert_eq!(error.message, r"\u{1b}[2Jgone\u{a}");
    assert_eq!(error.retry_after, Some(std::time::Duration::from_millis(250)));
    store.describe().await.unwrap();
    assert_eq!((plugin.tally().errors, plugin.tally().verdicts, plugin.tally().instances), (1, 0, 1));
}

#[tokio::test]
async fn the_probe_is_content() {
    keystore(&load(&host(), &Guest::good()).await).probe().await.unwrap();
}
