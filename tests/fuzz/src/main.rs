//! `cargo xtask fuzz [TARGET] [SECONDS]`: new mutations for as long as one likes, printed when one finds a fault.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use symbolon_fuzz::{Mutator, TARGETS, Target};

/// Seconds for each target, when nothing is said.
const SECONDS: u64 = 60;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(SECONDS);
    let named: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| word.parse::<u64>().is_err()).collect();
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|target| named.is_empty() || named.contains(&target.name)).collect();
    if chosen.is_empty() {
        eprintln!(
            "error: no such target; there are {}",
            TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
        );
        return ExitCode::FAILURE;
    }
    let sound = chosen.iter().filter(|target| fuzz(target, Duration::from_secs(seconds))).count();
    if sound == chosen.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the target stood all of it.
fn fuzz(target: &Target, time: Duration) -> bool {
    let seeds = (target.seeds)();
    let began = Instant::now();
    let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()) << 24;
    let mut tried = 0;
    while began.elapsed() < time {
        let input = Mutator::new(first + tried).next(&seeds);
        if catch_unwind(|| (target.decode)(&input)).is_err() {
            eprintln!("{} fails on mutation {}: {input:02x?}", target.name, first + tried);
            return false;
        }
        tried += 1;
    }
    println!("{:20} {tried:>10} inputs", target.name);
    true
}
