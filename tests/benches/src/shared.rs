//! Many keys on one shared root: an operation must not care how many.

use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::site::{Site, new_key};
use std::hint::black_box;
use symbolon_client::Context;
use symbolon_client::keys::RootOfKey;
use symbolon_fragments::{SuiteId, names::KeyId};

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;
const MICROSECONDS: f64 = 1e6;

/// Keys that operations are tried on, spread over all.
const TRIED: usize = 8;

/// An operation among many keys beside one among few, on the same root.
pub fn figures(site: &Site, [few, many]: [usize; 2], rounds: usize) -> Vec<Figure> {
    site.create(vec![new_key("shared/0", SUITE, RootOfKey::NewShared)]);
    let baseline = among(site, 1..few, rounds);
    let median = among(site, few..many, rounds);
    vec![
        Figure::new("shared-root-scaling", median, "µs", baseline)
            .note("to the same among a hundredth of the keys; should stay below 1.2"),
    ]
}

/// The median of a decryption, in microseconds, once these keys are there as well.
fn among(site: &Site, keys: std::ops::Range<usize>, rounds: usize) -> f64 {
    let root: KeyId = key(0);
    let new = |n| new_key(key(n).as_str(), SUITE, RootOfKey::SharedWith(root.clone()));
    let all = keys.end;
    site.create(keys.map(new).collect());
    let sealed: Vec<_> = (0..all).step_by(all.div_ceil(TRIED)).map(|n| encrypt(site, &key(n))).collect();
    let context = Context::new();
    let decrypt =
        |sealed: &[u8]| site.runtime.block_on(site.client.decrypt(sealed, &context)).expect("it is granted");
    for sealed in &sealed {
        decrypt(sealed);
    }
    let times =
        sealed.iter().flat_map(|sealed| seconds(rounds.div_ceil(TRIED), || drop(black_box(decrypt(sealed)))));
    MICROSECONDS * median(&times.collect::<Vec<_>>())
}

fn encrypt(site: &Site, key: &KeyId) -> Vec<u8> {
    site.runtime
        .block_on(site.client.encrypt(key, b"a short message", &Context::new()))
        .expect("it is granted")
}

fn key(n: usize) -> KeyId {
    format!("shared/{n}").parse().expect("a key id")
}
