//! Every decoder of bytes that come from outside, as one list of targets that any fuzzer can drive.
//!
//! A target takes any bytes. It must not panic, whatever they are; and what a decoder accepts must be the only encoding
//! of what it understood, or two sides could understand one document differently. The normal test run mutates the seeds
//! with a seeded generator; `cargo xtask fuzz` does so for as long as one likes; `libfuzzer/` is for cargo-fuzz.

mod mutation;
mod seeds;
mod targets;

pub use mutation::Mutator;
pub use targets::TARGETS;

/// One decoder.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it decodes.
    pub name: &'static str,
    /// Decodes, and holds what was accepted against the bytes.
    pub decode: fn(&[u8]) -> Verdict,
    /// Inputs that are accepted, to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was understood.
    Accepted,
    /// It was refused, with an error.
    Refused,
}

impl<T, E> From<Result<T, E>> for Verdict {
    fn from(result: Result<T, E>) -> Self {
        if result.is_ok() { Self::Accepted } else { Self::Refused }
    }
}

/// Lets one input choose its target: for a fuzzer that knows only bytes.
///
/// # Panics
/// Where a decoder is wrong.
pub fn any(bytes: &[u8]) {
    if let Some((choice, rest)) = bytes.split_first() {
        let target = TARGETS[usize::from(*choice) % TARGETS.len()];
        let _ = (target.decode)(rest);
    }
}
