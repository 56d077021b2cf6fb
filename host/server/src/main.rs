//! The `symbolon` binary.
#![forbid(unsafe_code)]

fn main() {}
