//! Every decoder under its seeds and under thousands of mutations of them, the same ones in each run.

use std::panic::catch_unwind;

use symbolon_fuzz::{Mutator, TARGETS, Target, Verdict};

/// Mutations for each target.
const MUTATIONS: u64 = 4_000;

#[test]
fn seeds_are_accepted() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (number, seed) in seeds.iter().enumerate() {
            assert_eq!((target.decode)(seed), Verdict::Accepted, "seed {number} of {}", target.name);
        }
    }
}

#[test]
fn mutations_are_refused_or_understood() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        let refused =
            (0..MUTATIONS).filter(|number| run(target, &seeds, *number) == Verdict::Refused).count();
        assert!(refused > 0, "{} accepts everything", target.name);
    }
}

/// One mutation; a fault names the target and the number, from which the same input comes again.
fn run(target: &Target, seeds: &[Vec<u8>], number: u64) -> Verdict {
    let input = Mutator::new(number).next(seeds);
    let verdict = catch_unwind(|| (target.decode)(&input));
    verdict.unwrap_or_else(|_| panic!("{} fails on mutation {number}: {input:02x?}", target.name))
}

#[test]
fn every_shortening_of_a_seed_is_handled() {
    for target in TARGETS {
        for seed in (target.seeds)() {
            for length in 0..seed.len() {
                let _ = (target.decode)(&seed[..length]);
            }
        }
    }
}

#[test]
fn mutations_are_replayable() {
    let seeds = vec![vec![1, 2, 3, 4], vec![5; 40]];
    let inputs = || (0..100).map(|seed| Mutator::new(seed).next(&seeds)).collect::<Vec<_>>();
    assert_eq!(inputs(), inputs());
}
