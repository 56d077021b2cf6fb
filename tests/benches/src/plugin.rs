//! What it costs that a function is a plugin's: `plugin-warm` in an instance that is there, `plugin-fresh` in one of its own.
//!
//! The function signs 32 bytes with a key that it opens first, as a store of keys does: three calls of the guest, and the
//! host's limits around them. The guest's "signature" is its input, so that nothing but the way there is measured; the
//! baseline is the same function compiled into the host.

use std::hint::black_box;
use std::time::Instant;

use symbolon_guests::{Guest, MANIFEST, bundle, policy};
use symbolon_plugin::{KeyRef, Keystore, PluginHost, Settings, SignInput, Tenant};

use crate::figure::Figure;
use crate::measure::median;

/// Calls that are timed together: the clock costs as much as a call.
const BATCH: u32 = 200;
const DIGEST: [u8; 32] = [7; 32];
const ID: [u8; 16] = [1; 16];

/// Both figures, microseconds.
pub fn figures(rounds: usize) -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let host = PluginHost::new(Settings::default()).expect("a host");
    let native = median(&native(rounds));
    let plugin = |manifest: &str| {
        let loaded = runtime.block_on(host.load(&bundle(manifest, Guest::good().component()), &policy()));
        let plugin = loaded.expect("the good guest is loaded");
        let store = plugin.keystore(&Tenant::new("acme").expect("a name"));
        let times = median(&runtime.block_on(calls(&store, rounds)));
        assert_eq!(plugin.tally().verdicts, 0);
        times
    };
    let warm = plugin(MANIFEST);
    let fresh = plugin(&MANIFEST.replace("warm = true", "warm = false"));
    vec![
        Figure::new("plugin-warm", warm, "µs", native).note("native; at most 2 µs more"),
        Figure::new("plugin-fresh", fresh, "µs", native).note("native; at most 20 µs more"),
    ]
}

async fn calls(store: &Keystore, rounds: usize) -> Vec<f64> {
    let key = KeyRef { id: &ID, binding: b"binding" };
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..BATCH {
            let signature = store.sign(key, "echo", SignInput::Digest(black_box(&DIGEST))).await;
            assert_eq!(signature.expect("it signs"), DIGEST);
        }
        times.push(microseconds(begun));
    }
    times
}

fn native(rounds: usize) -> Vec<f64> {
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..BATCH {
            let key = open(black_box(&ID));
            assert_eq!(sign(&key, black_box(&DIGEST)), DIGEST);
        }
        microseconds(begun)
    };
    (0..rounds).map(round).collect()
}

fn microseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
}

/// As the guest's `open`: a handle of a copy of the id.
#[inline(never)]
fn open(id: &[u8]) -> Box<[u8]> {
    id.into()
}

/// As the guest's `sign-digest`: the input.
#[inline(never)]
fn sign(key: &[u8], digest: &[u8]) -> Vec<u8> {
    black_box(key);
    digest.to_vec()
}
