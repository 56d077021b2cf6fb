//! `symbolon-faults`: many schedules, or one of them again.
//!
//! ```text
//! symbolon-faults [--schedules N] [--from SEED]     N schedules (10,000) from a seed (0) on, on all cores; says where it is
//! symbolon-faults --seed SEED                       one schedule again
//! symbolon-faults --rule RULE [--schedules N]       the first schedule that shows a broken rule
//! ```

use std::process::ExitCode;
use symbolon_faults::{Rule, Total, Violation, batch, run};

/// Schedules from one word of progress to the next.
const STRETCH: u64 = 10_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = number("--seed") {
        return finish(
            run(seed, None).map(|outcome| format!("seed {seed}: {outcome:?}")).map_err(|v| (seed, v)),
        );
    }
    if let Some(at) = words.iter().position(|word| word == "--rule") {
        return broken(words.get(at + 1).map_or("", String::as_str), number("--schedules").unwrap_or(10_000));
    }
    let (from, count) = (number("--from").unwrap_or(0), number("--schedules").unwrap_or(10_000));
    finish(many(from, count).map(|total| format!("{count} schedules from seed {from}: {total:?}")))
}

/// Stretch by stretch: whoever stops it knows with which seed to go on.
fn many(from: u64, count: u64) -> Result<Total, (u64, Violation)> {
    let (mut total, mut next, end) = (Total::default(), from, from + count);
    while next < end {
        let stretch = STRETCH.min(end - next);
        total += batch(next, stretch)?;
        next += stretch;
        eprintln!("{} of {count} schedules held; go on with --from {next}", next - from);
    }
    Ok(total)
}

fn broken(name: &str, schedules: u64) -> ExitCode {
    let Some(rule) = Rule::ALL.into_iter().find(|rule| format!("{rule:?}") == name) else {
        println!("the rules are {:?}", Rule::ALL);
        return ExitCode::FAILURE;
    };
    let found = (0..schedules).find_map(|seed| Some((seed, run(seed, Some(rule)).err()?)));
    match found {
        Some((seed, violation)) => println!("{rule:?}: seed {seed}: {}", violation.0),
        None => println!("{rule:?}: not noticed in {schedules} schedules"),
    }
    ExitCode::SUCCESS
}

fn finish(result: Result<String, (u64, Violation)>) -> ExitCode {
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err((seed, violation)) => {
            println!("seed {seed}: {}\nagain: cargo run -p symbolon-faults -- --seed {seed}", violation.0);
            ExitCode::FAILURE
        }
    }
}
