//! Warm instances, and what they never do.

use symbolon_guests::{Guest, MANIFEST, bundle, policy};
use symbolon_plugin::{CallError, Keystore, Verdict};

use crate::support::{host, keystore, load, sign, tenant, verdict};

/// "Signs" with the number of times that this instance has signed.
fn counting() -> Guest {
    Guest::good().item("(global $times (mut i32) (i32.const 0))").body(
        "signing#sign-message",
        "(global.set $times (i32.add (global.get $times) (i32.const 1)))
         (i32.store (i32.const 3000) (global.get $times))
         (call $echo (i32.const 3000) (i32.const 1))",
    )
}

async fn times(store: &Keystore) -> u8 {
    sign(store, b"").await.unwrap()[0]
}

#[tokio::test]
async fn a_warm_instance_serves_its_tenant_again_and_no_other() {
    let plugin = load(&host(), &counting()).await;
    let (one, other) = (plugin.keystore(&tenant("one")), plugin.keystore(&tenant("other")));
    assert_eq!((times(&one).await, times(&one).await), (1, 2));
    assert_eq!((times(&other).await, times(&one).await, times(&other).await), (1, 3, 2));
    assert_eq!(plugin.tally().instances, 2);
    plugin.forget(&tenant("one"));
    assert_eq!((times(&one).await, times(&other).await), (1, 3));
}

#[tokio::test]
async fn many_tenants_take_turns_in_few_instances() {
    let plugin = load(&host(), &counting()).await;
    for round in 0..3 {
        for n in 0..10 {
            let store = plugin.keystore(&tenant(&format!("tenant-{n}")));
            assert_eq!(times(&store).await, 1, "round {round}: the longest idle instance made room");
        }
    }
}

#[tokio::test]
async fn a_plugin_that_does_not_ask_for_warm_instances_has_fresh_ones() {
    let manifest = MANIFEST.replace("warm = true", "warm = false");
    let plugin = host().load(&bundle(&manifest, counting().component()), &policy()).await.unwrap();
    let store = keystore(&plugin);
    assert_eq!((times(&store).await, times(&store).await), (1, 1));
}

#[tokio::test]
async fn a_worn_instance_is_replaced() {
    let manifest = MANIFEST.replace("warm = true", "warm = true\nmax-calls = 3");
    let plugin = host().load(&bundle(&manifest, counting().component()), &policy()).await.unwrap();
    let store = keystore(&plugin);
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(times(&store).await);
    }
    assert_eq!(seen, [1, 2, 3, 1, 2, 3, 1]);
}

/// An instance whose caller went away in the middle of a call is not used again.
#[tokio::test]
async fn an_abandoned_call_takes_its_instance_along() {
    let guest = counting().body("provider#health", "(loop $for-ever (br $for-ever)) (unreachable)");
    let plugin = load(&host(), &guest).await;
    let store = keystore(&plugin);
    assert_eq!(times(&store).await, 1);
    let waited = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(waited, store.health()).await.is_err(), "the caller gives up first");
    assert_eq!(times(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_instances_wait_and_then_are_told_so() {
    let manifest = MANIFEST.replace("compute-ms = 100", "compute-ms = 200\ndeadline-ms = 100\ninstances = 1");
    let guest = Guest::good().hostile("(loop $for-ever (br $for-ever))");
    let plugin = host().load(&bundle(&manifest, guest.component()), &policy()).await.unwrap();
    let store = keystore(&plugin);
    let (one, other) = tokio::join!(sign(&store, b""), sign(&store, b""));
    let mut verdicts = [verdict(one), verdict(other)];
    verdicts.sort_by_key(|verdict| *verdict == Verdict::Busy);
    assert_eq!(verdicts, [Verdict::OutOfTime, Verdict::Busy]);
    let fine: Result<_, CallError> = store.describe().await;
    fine.unwrap();
}

/// `forget` reaches instances that are in use, too: they end with their call.
#[tokio::test]
async fn an_instance_in_use_is_forgotten_when_its_call_ends() {
    let guest = counting()
        .import(r#"(import "symbolon:host/clock@0.1.0" "monotonic-now" (func $now (result i64)))"#)
        .body(
            "provider#health",
            "(local $end i64)
             (local.set $end (i64.add (call $now) (i64.const 20000000)))
             (loop $wait (br_if $wait (i64.lt_u (call $now) (local.get $end))))
             (call $ok) (call $pair (i32.const 20) (i32.const 0) (i32.const 0)) (i32.const 16)",
        );
    let plugin = load(&host(), &guest).await;
    let store = keystore(&plugin);
    assert_eq!(times(&store).await, 1);
    let forget = async { plugin.forget(&tenant("acme")) };
    let (health, ()) = tokio::join!(store.health(), forget);
    health.unwrap();
    assert_eq!((plugin.tally().instances, times(&store).await), (1, 1), "a new instance counts from one");
}
