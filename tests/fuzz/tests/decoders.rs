//! Every decoder under its seeds and under thousands of mutations of them, the same ones in each run.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

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

/// Documents that travel in messages only, and the target whose seeds have them.
const WITHIN: [(&str, &str); 7] = [
    ("join", "ceremony-message"),
    ("commit", "ceremony-message"),
    ("deal", "ceremony-message"),
    ("flip", "ceremony-message"),
    ("have", "ceremony-message"),
    ("erasure", "ceremony-message"),
    ("evaluation-head", "response"),
];

#[test]
fn every_signed_document_has_a_target() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core");
    let mut labels = BTreeSet::new();
    for room in fs::read_dir(core).unwrap() {
        labels_below(&room.unwrap().path().join("src"), &mut labels);
    }
    assert!(labels.contains("grant") && labels.contains("deal"), "the sources are not read: {labels:?}");
    for label in labels {
        let within = WITHIN.iter().find(|(document, _)| *document == label).map(|(_, target)| *target);
        let name = within.unwrap_or(&label);
        assert!(TARGETS.iter().any(|target| target.name == name), "{label} has no target");
    }
}

/// The labels of documents that the sources below define outside of their tests.
fn labels_below(folder: &Path, labels: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            labels_below(&path, labels);
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let defined = source.split("const LABEL: &'static str = \"").skip(1);
        labels.extend(defined.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
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
