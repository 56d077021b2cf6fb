//! The guest in Rust: what can go wrong with a plugin author's own tools. Beside it a good plugin is called all the time.

use std::time::Duration;

use symbolon_guests::rust::{bundle, policy};
use symbolon_plugin::{KeyRef, KeySpec, Keystore, Kind, Plugin, PluginHost, Size, Verdict, reason};

use crate::beside::{Beside, judged_plugin};
use crate::support::{host, keystore, said, sign, verdict};

const KEY: KeyRef<'static> = KeyRef { id: &[1; 16], binding: b"binding" };

async fn behaving(host: &PluginHost, behaviour: &str) -> Plugin {
    host.load(&bundle(), &policy(behaviour)).await.unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// The verdict on what it does when it is to sign.
async fn judged(behaviour: &str) -> Verdict {
    let host = host();
    judged_plugin(&host, behaving(&host, behaviour).await).await
}

async fn store(behaviour: &str) -> Keystore {
    keystore(&behaving(&host(), behaviour).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract_when_it_is_told_to() {
    let store = store("good").await;
    assert_eq!(store.describe().await.unwrap().name, "hostile");
    assert_eq!(sign(&store, b"message").await.unwrap(), b"message");
    let sealed = store.seal(KEY, &[7; 24], b"").await.unwrap();
    assert_eq!(store.open(KEY, &sealed, b"").await.unwrap().len(), 24);
    store.health().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time() {
    assert_eq!(judged("loop").await, Verdict::OutOfTime);
    assert_eq!(judged("wait").await, Verdict::OutOfTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    assert_eq!(judged("allocate").await, Verdict::OutOfMemory { limit: 4 << 20 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stack() {
    for behaviour in ["recurse", "recurse-wide"] {
        let verdict = judged(behaviour).await;
        assert!(matches!(verdict, Verdict::Trapped { .. }), "{behaviour}: {verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic() {
    assert!(matches!(judged("panic").await, Verdict::Trapped { cause } if cause.contains("unreachable")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes() {
    assert_eq!(judged("giant").await, Verdict::TooLarge { what: Size::Output, limit: 1 << 20 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_handles() {
    for behaviour in ["secrets", "keys"] {
        assert_eq!(judged(behaviour).await, Verdict::TooManyHandles { limit: 256 }, "{behaviour}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_that_it_does_not_have() {
    for behaviour in ["forged", "foreign", "dropped"] {
        assert_eq!(judged(behaviour).await, Verdict::ForgedHandle, "{behaviour}");
    }
}

/// It was lent in the call before, and given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handle_of_an_earlier_call() {
    let store = store("lent").await;
    store.seal(KEY, b"secret", b"").await.unwrap();
    assert_eq!(verdict(sign(&store, b"message").await), Verdict::ForgedHandle);
    assert_eq!(sign(&store, b"message").await.unwrap(), b"", "a new instance was lent nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_borrowed_handle_that_is_kept() {
    let store = store("kept").await;
    let kept = verdict(store.seal(KEY, b"secret", b"").await);
    assert!(
        matches!(&kept, Verdict::Malformed { how } if how.contains("borrow handles still remain")),
        "{kept:?}"
    );
    store.describe().await.expect("the next call works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destructors() {
    assert_eq!(judged("drop-loops").await, Verdict::OutOfTime);
    assert!(matches!(judged("drop-panics").await, Verdict::Trapped { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_is_cut_and_costs_nothing() {
    let mut patient = policy("log");
    // Ten thousand lines are formatted by the guest, in a test build beside other tests.
    patient.limits.compute_ms = Some(5_000);
    let manifest = symbolon_guests::rust::MANIFEST.replace("compute-ms = 100", "");
    let component = bundle().component().to_vec();
    let plugin = host().load(&symbolon_guests::bundle(&manifest, component), &patient).await.unwrap();
    assert_eq!(sign(&keystore(&plugin), b"message").await.unwrap(), b"message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_entropy() {
    // The good one's keys are new each time; that it opens another secret than it sealed is found next.
    let good = verdict(store("good").await.probe().await);
    assert!(matches!(&good, Verdict::Malformed { how } if how.contains("another secret")), "{good:?}");
    assert_eq!(verdict(store("frozen").await.probe().await), Verdict::FrozenEntropy { what: "a new key" });
}

/// A token that isn't there is no verdict: the guest is told, and panics for its own part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_there() {
    assert!(matches!(judged("objects").await, Verdict::Trapped { .. }));
}

/// All of it at once, and the good one beside them doesn't notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_at_once() {
    let host =
        PluginHost::new(symbolon_plugin::Settings { instances: 64, memory_mib: 8, ..Default::default() })
            .unwrap();
    let beside = Beside::start(&crate::support::load(&host, &symbolon_guests::Guest::good()).await);
    let mut harm = tokio::task::JoinSet::new();
    for behaviour in ["loop", "wait", "allocate", "secrets", "recurse-wide", "drop-loops", "giant"] {
        let store = keystore(&behaving(&host, behaviour).await);
        harm.spawn(async move { verdict(sign(&store, b"message").await) });
    }
    let verdicts = harm.join_all().await;
    assert_eq!(verdicts.len(), 7);
    beside.end().await;
}

/// A wrong id is the plugin's to refuse, and costs it neither instance nor handle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_own_errors_are_its_own() {
    let plugin = behaving(&host(), "good").await;
    let store = keystore(&plugin);
    let spec = KeySpec { algorithm: "aes-256".into(), usages: vec!["seal".into()] };
    for _ in 0..300 {
        let refused = said(store.info(KeyRef { id: b"short", binding: b"" }).await);
        assert_eq!((refused.kind, refused.reason.as_str()), (Kind::Integrity, reason::KEY_TAMPERED));
    }
    store.generate(&spec, b"").await.unwrap();
    assert_eq!(plugin.tally().instances, 1);
    assert!(plugin.limits().deadline > Duration::from_millis(100));
}
