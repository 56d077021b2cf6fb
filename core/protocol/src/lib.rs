//! Wire messages and the sans-I/O ceremony.
#![no_std]
#![forbid(unsafe_code)]
