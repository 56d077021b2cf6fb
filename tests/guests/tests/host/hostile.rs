//! Guests that misbehave in a call. Beside each of them a good plugin of the same host is called all the time.

use std::time::{Duration, Instant};

use symbolon_guests::{Guest, MANIFEST, bundle, policy};
use symbolon_plugin::{KeyRef, Size, Verdict};

use crate::beside::{Beside, judged};
use crate::support::{host, keystore, load, sign, verdict};

fn trapped(verdict: &Verdict, part: &str) {
    assert!(matches!(verdict, Verdict::Trapped { cause } if cause.contains(part)), "{verdict:?}");
}

fn malformed(verdict: &Verdict, part: &str) {
    assert!(matches!(verdict, Verdict::Malformed { how } if how.contains(part)), "{verdict:?}");
}

const LOOP: &str = "(loop $for-ever (br $for-ever))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap() {
    trapped(&judged(&Guest::good().hostile("(unreachable)")).await, "unreachable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_uses_up_its_own_time() {
    let begun = Instant::now();
    assert_eq!(judged(&Guest::good().hostile(LOOP)).await, Verdict::OutOfTime);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// On a runtime of one thread, too: the guest lets others have their turn.
#[tokio::test]
async fn an_endless_loop_does_not_keep_the_thread() {
    assert_eq!(judged(&Guest::good().hostile(LOOP)).await, Verdict::OutOfTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_that_may_compute_on_ends_at_the_deadline() {
    let manifest = MANIFEST.replace("compute-ms = 100", "compute-ms = 60000\ndeadline-ms = 60");
    let mut policy = policy();
    policy.limits.compute_ms = Some(60_000);
    let component = Guest::good().hostile(LOOP).component();
    let plugin = host().load(&bundle(&manifest, component), &policy).await.unwrap();
    let begun = Instant::now();
    assert_eq!(verdict(sign(&keystore(&plugin), b"message").await), Verdict::OutOfTime);
    assert!(begun.elapsed() >= Duration::from_millis(60) && begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_in_the_start_function() {
    let host = host();
    let beside = Beside::start(&load(&host, &Guest::good()).await);
    let plugin = load(&host, &Guest::good().item(&format!("(func $spin {LOOP}) (start $spin)"))).await;
    assert_eq!(verdict(keystore(&plugin).describe().await), Verdict::OutOfTime);
    beside.end().await;
}

/// The host drops the key's handle after the call proper, and the guest's destructor runs then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_in_a_destructor() {
    assert_eq!(judged(&Guest::good().destructor(LOOP)).await, Verdict::OutOfTime);
    trapped(&judged(&Guest::good().destructor("(unreachable)")).await, "unreachable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_in_a_function_of_a_resource() {
    let guest = Guest::good().body("provider#[method]key.info", &format!("{LOOP} (unreachable)"));
    let plugin = load(&host(), &guest).await;
    let key = KeyRef { id: &[1; 16], binding: b"" };
    assert_eq!(verdict(keystore(&plugin).info(key).await), Verdict::OutOfTime);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_bomb() {
    let grows = "(loop $more (drop (memory.grow (i32.const 1))) (br $more))";
    assert_eq!(judged(&Guest::good().hostile(grows)).await, Verdict::OutOfMemory { limit: 4 << 20 });
    let at_once = "(drop (memory.grow (i32.const 60000)))";
    assert_eq!(judged(&Guest::good().hostile(at_once)).await, Verdict::OutOfMemory { limit: 4 << 20 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_bomb() {
    let grows = "(loop $more (drop (table.grow $t (ref.null func) (i32.const 100))) (br $more))";
    let guest = Guest::good().item("(table $t 1 funcref)").hostile(grows);
    assert_eq!(judged(&guest).await, Verdict::OutOfTables { limit: 10_000 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_recursion() {
    let guest = Guest::good()
        .item("(func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))")
        .hostile("(drop (call $down (i32.const 0)))");
    trapped(&judged(&guest).await, "call stack exhausted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_return() {
    let giant = |bytes: u32| {
        format!(
            "(call $ok) (call $pair (i32.const 20) (i32.const 0) (i32.const {bytes})) (return (i32.const 16))"
        )
    };
    let guest = Guest::good().memory("40").hostile(&giant(2 << 20));
    assert_eq!(judged(&guest).await, Verdict::TooLarge { what: Size::Output, limit: 1 << 20 });
    malformed(&judged(&Guest::good().hostile(&giant(1 << 30))).await, "out of bounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_argument_is_not_even_begun() {
    let plugin = load(&host(), &Guest::good()).await;
    let outcome = sign(&keystore(&plugin), &vec![0; 1 << 20]).await;
    assert_eq!(verdict(outcome), Verdict::TooLarge { what: Size::Input, limit: 1 << 20 });
    assert_eq!(plugin.tally().calls, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_randomness_than_there_is_at_once() {
    let guest = Guest::good().hostile("(call $fill (i32.const 4097) (i32.const 8))");
    assert_eq!(judged(&guest).await, Verdict::TooLarge { what: Size::Output, limit: 4096 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_handles() {
    let own = "(loop $more (drop (call $new (i32.const 2048))) (br $more))";
    assert_eq!(judged(&Guest::good().hostile(own)).await, Verdict::TooManyHandles { limit: 256 });
    let secrets = "(loop $more (drop (call $secret (i32.const 16))) (br $more))";
    let guest = Guest::good().import(FILL_SECRET).hostile(secrets);
    assert_eq!(judged(&guest).await, Verdict::TooManyHandles { limit: 256 });
}

const FILL_SECRET: &str =
    r#"(import "symbolon:host/entropy@0.1.0" "fill-secret" (func $secret (param i32) (result i32)))"#;
const SIZE: &str =
    r#"(import "symbolon:types/secrets@0.1.0" "[method]secret.size" (func $size (param i32) (result i32)))"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_handle() {
    let size = Guest::good().import(SIZE).hostile("(drop (call $size (i32.const 1234)))");
    assert_eq!(judged(&size).await, Verdict::ForgedHandle);
    // A key's handle where a secret's is wanted.
    let other = Guest::good().import(SIZE).hostile("(drop (call $size (call $new (i32.const 2048))))");
    assert_eq!(judged(&other).await, Verdict::ForgedHandle);
    let returned = "(call $ok) (i32.store (i32.const 20) (i32.const 777)) (i32.const 16)";
    let plugin = load(&host(), &Guest::good().body("provider#open", returned)).await;
    assert_eq!(verdict(sign(&keystore(&plugin), b"message").await), Verdict::ForgedHandle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handle_that_was_dropped() {
    let guest = Guest::good()
        .import(FILL_SECRET)
        .import(SIZE)
        .import(r#"(import "symbolon:types/secrets@0.1.0" "[resource-drop]secret" (func $drop (param i32)))"#)
        .item("(global $kept (mut i32) (i32.const 0))")
        .hostile(
            "(global.set $kept (call $secret (i32.const 16)))
             (call $drop (global.get $kept))
             (drop (call $size (global.get $kept)))",
        );
    assert_eq!(judged(&guest).await, Verdict::ForgedHandle);
}

/// What it was lent for the call, it has to give back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_borrowed_handle_that_is_kept() {
    let key = KeyRef { id: &[1; 16], binding: b"" };
    let seal = async |keeps| {
        let plugin = load(&host(), &Guest::good().sealing(keeps)).await;
        let outcome = keystore(&plugin).seal(key, b"secret", b"associated").await;
        keystore(&plugin).describe().await.expect("the next call works");
        outcome
    };
    assert_eq!(seal(false).await.unwrap(), b"associated");
    malformed(&verdict(seal(true).await), "borrow handles still remain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_utf_8() {
    let logs = r#"(import "symbolon:host/log@0.1.0" "emit" (func $emit (param i32 i32 i32 i32 i32)))"#;
    let guest = Guest::good()
        .import(logs)
        .item(r#"(data (i32.const 3000) "\ff\fe\80")"#)
        .hostile("(call $emit (i32.const 2) (i32.const 3000) (i32.const 3) (i32.const 0) (i32.const 0))");
    malformed(&judged(&guest).await, "utf-8");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_no_variant_has() {
    let guest = Guest::good().hostile("(i32.store8 (i32.const 16) (i32.const 7)) (return (i32.const 16))");
    malformed(&judged(&guest).await, "discriminant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_outside_of_memory() {
    let guest = Guest::good().hostile("(return (i32.const -16))");
    malformed(&judged(&guest).await, "out of bounds");
}

/// The allocator answers well until `sign-message` has run once; here every argument of a call goes astray.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allocator_that_points_outside_of_memory() {
    for (astray, part) in
        [("(i32.const -8)", "beyond end of memory"), ("(i32.const 70000000)", "beyond end of memory")]
    {
        let plugin = load(&host(), &Guest::good().realloc(astray)).await;
        malformed(&verdict(sign(&keystore(&plugin), b"message").await), part);
        keystore(&plugin).describe().await.expect("a call without arguments works");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_is_cut_and_costs_nothing() {
    let logs = r#"(import "symbolon:host/log@0.1.0" "emit" (func $emit (param i32 i32 i32 i32 i32)))"#;
    let flood = "(local $n i32)
        (loop $more
            (call $emit (i32.const 2) (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 0))
            (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10000))))
        (call $echo (local.get $data) (local.get $len))";
    let guest = Guest::good().import(logs).body("signing#sign-message", flood);
    let plugin = load(&host(), &guest).await;
    assert_eq!(sign(&keystore(&plugin), b"message").await.unwrap(), b"message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_entropy() {
    // Every instance "generates" the key that the component was built with.
    let frozen = "(call $ok) (i32.store (i32.const 20) (call $new (i32.const 1024))) (i32.const 16)";
    let plugin = load(&host(), &Guest::good().body("provider#generate", frozen)).await;
    assert_eq!(verdict(keystore(&plugin).probe().await), Verdict::FrozenEntropy { what: "a new key" });
}
