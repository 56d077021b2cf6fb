//! Time, memory, the stack and the log.

use std::hint::black_box;

use crate::bindings::symbolon::host::clock;
use crate::bindings::symbolon::host::log::{self, Level};

/// More than a call may log.
const LINES: usize = 10_000;
/// Bytes taken at once.
const PORTION: usize = 100_000;

pub fn spin() -> ! {
    loop {
        black_box(());
    }
}

pub fn wait() -> ! {
    loop {
        black_box(clock::monotonic_now());
    }
}

pub fn allocate() -> ! {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; PORTION]));
    }
}

pub fn recurse() -> Vec<u8> {
    vec![descend(0).to_le_bytes()[0]]
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn descend(depth: u64) -> u64 {
    // Something to do afterwards, so that the call isn't a jump.
    black_box(descend(black_box(depth + 1))).wrapping_mul(depth)
}

pub fn recurse_wide() -> Vec<u8> {
    vec![descend_wide(0)]
}

/// Rust keeps what has an address on a stack of its own, in linear memory.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn descend_wide(depth: u8) -> u8 {
    let room = black_box([depth; 4096]);
    black_box(descend_wide(room[17].wrapping_add(1))).wrapping_add(room[4095])
}

pub fn log() {
    let fields = [("name".to_owned(), "a value\nof two lines".to_owned())];
    for line in 0..LINES {
        log::emit(Level::Info, &format!("line {line} \u{1b}[2J"), &fields);
    }
}
