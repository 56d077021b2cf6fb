//! Ten thousand schedules hold; each broken rule is noticed.

use symbolon_faults::{Rule, batch, run};

#[test]
fn ten_thousand_schedules_lose_nothing_and_mix_nothing() {
    let total = batch(0, 10_000).unwrap_or_else(|(seed, violation)| {
        panic!("{}\nagain: cargo run -p symbolon-faults -- --seed {seed}", violation.0);
    });
    // The schedules did what they are for: keys were made, moved, healed, and cheating dealers named.
    assert!(total.healed > 4_000, "{total:?}");
    assert!(total.settled > 10_000, "{total:?}");
    assert!(total.accused > 50, "{total:?}");
}

/// The first violation that a world with a broken rule shows, among so many schedules.
fn first_violation(rule: Rule, within: u64) -> Option<String> {
    (0..within).find_map(|seed| run(seed, Some(rule)).err().map(|violation| violation.0))
}

#[test]
fn a_broken_rule_is_noticed() {
    for (rule, invariant, within) in [
        (Rule::NoFlips, "S", 6_000),
        (Rule::SignTwice, "S2", 6_000),
        (Rule::Unsynced, "S", 6_000),
        (Rule::KeepFailed, "L", 1_000),
        (Rule::OneMore, "S1", 1_000),
    ] {
        let violation = first_violation(rule, within).unwrap_or_else(|| panic!("{rule:?} was not noticed"));
        assert!(violation.starts_with(invariant), "{rule:?}: {violation}");
    }
}

#[test]
fn a_seed_is_a_schedule() {
    for seed in 0..20 {
        assert_eq!(run(seed, None), run(seed, None));
    }
}
