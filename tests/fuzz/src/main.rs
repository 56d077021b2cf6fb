//! `cargo xtask fuzz [TARGET] [SECONDS]`: new mutations for as long as one likes, printed when one finds a fault.
//!
//! `cargo xtask fuzz --corpus FOLDER` writes the seeds there, as `libfuzzer/` takes them.

use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use symbolon_fuzz::{Mutator, TARGETS, Target};

/// Seconds for each target, when nothing is said.
const SECONDS: u64 = 60;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [option, folder] = words.as_slice()
        && option == "--corpus"
    {
        return write_corpus(Path::new(folder));
    }
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

/// A file a seed, whose first byte is its target's, for [`symbolon_fuzz::any`].
fn write_corpus(folder: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        (0u8..).zip(TARGETS).try_for_each(|(choice, target)| {
            let seeds = (target.seeds)();
            seeds.iter().enumerate().try_for_each(|(number, seed)| {
                let input = [&[choice], seed.as_slice()].concat();
                std::fs::write(folder.join(format!("{}-{number}", target.name)), input)
            })
        })
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
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
