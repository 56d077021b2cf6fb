//! Refreshing many dedicated keys at once: how long it takes until all are settled, and how many bytes are exchanged.

use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::sharing::rng;
use crate::site::Site;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::thread::sleep;
use std::time::{Duration, Instant};
use symbolon_e2e::datastore::{datastore, query};
use symbolon_fragments::{
    OldRng, Ristretto255Sha512, Suite,
    suite::{Ciphersuite, Field, Group},
};
use symbolon_protocol::api::{Id, Set, path};

/// Members, and dealers, of each set.
const MEMBERS: u64 = 3;
/// Sets that are looked at while a refresh runs.
const WATCHED: usize = 16;
/// A refresh of ten thousand sets takes a while on a slow machine.
const PATIENCE: Duration = Duration::from_mins(20);
const MIB: f64 = 1024.0 * 1024.0;

/// One refresh for each number of keys, each on a deployment of its own.
pub fn figures(counts: &[usize]) -> Vec<Figure> {
    counts.iter().flat_map(|count| refresh(&Site::start(), *count)).collect()
}

fn refresh(site: &Site, count: usize) -> [Figure; 2] {
    site.dedicated_keys(count);
    let before = epochs(site);
    assert_eq!(before.len(), count, "keys of other measurements");
    let bytes = log_bytes(site);
    let start = Instant::now();
    site.runtime.block_on(site.client.refresh(&[])).expect("it is granted");
    let took = until_settled(site, &before, start);
    let bytes = log_bytes(site) - bytes;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (sets, bytes, least) =
        (count as f64, bytes as f64 / MIB, (MEMBERS * (2 + MEMBERS) * 32) as f64 / MIB);
    [
        Figure::new(format!("refresh-{count}"), took.as_secs_f64(), "s", sets * bare())
            .note("to the bare arithmetic of all members on one core"),
        Figure::new(format!("refresh-{count}-bytes"), bytes, "MiB", sets * least)
            .note("to the bare commitments and shares"),
    ]
}

/// Each set's newest settled epoch.
fn epochs(site: &Site) -> BTreeMap<Id, u64> {
    let sets = site.runtime.block_on(site.client.sets()).expect("it is granted");
    let settled = sets.into_iter().filter(|set| set.newest.settled);
    settled.map(|set| (set.set, set.newest.epoch)).collect()
}

/// How long it took until every set had settled above its epoch before. A few are watched; when they have, the others
/// are looked at, and only where one lags behind does the clock run on.
fn until_settled(site: &Site, before: &BTreeMap<Id, u64>, start: Instant) -> Duration {
    let watched: Vec<_> = before.iter().step_by(before.len().div_ceil(WATCHED)).collect();
    let behind = |(set, epoch): &(&Id, &u64)| {
        let path = path::set(&site.deployment.account().path_id(), set);
        let now: Set = site.runtime.block_on(site.client.access().get(path)).expect("the set is there");
        !now.newest.settled || now.newest.epoch <= **epoch
    };
    loop {
        while watched.iter().any(behind) {
            assert!(start.elapsed() < PATIENCE, "a refresh of {} keys does not end", before.len());
            sleep(Duration::from_millis(20));
        }
        let took = start.elapsed();
        let now = epochs(site);
        if before.iter().all(|(set, epoch)| now.get(set).is_some_and(|newer| newer > epoch)) {
            return took;
        }
    }
}

/// Bytes of all messages of the ceremony log so far.
fn log_bytes(site: &Site) -> u64 {
    let file = datastore(&site.deployment.site().home("access-manager"));
    let rows = query(&file, "SELECT coalesce(sum(length(message)), 0) FROM ceremony_log", &[]);
    rows[0][0].as_u64().expect("a number of bytes")
}

/// Seconds of what one set cannot do without: each member commits to a polynomial and checks every dealer's share
/// against its commitment.
fn bare() -> f64 {
    type S = Ristretto255Sha512;
    let g = <S as Suite>::hash_to_group(b"a point", &[b"symbolon-benches"]);
    let scalar = <<S as Ciphersuite>::Group as Group>::Field::random(&mut OldRng(&mut rng()));
    let commit = || black_box(<S as Ciphersuite>::Group::generator() * black_box(scalar));
    let check = || S::sum_of_public_multiples(black_box(&[scalar, 2u64.into()]), &[g, g]);
    median(&seconds(200, || {
        for _ in 0..MEMBERS {
            black_box((commit(), commit()));
            for _ in 0..MEMBERS {
                black_box(commit() == check());
            }
        }
    }))
}
