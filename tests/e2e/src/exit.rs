//! The exit codes of `symbolon`, as its help lists them. Written out again: a test of an interface does not ask the implementation.

/// A fault of the program.
pub const BUG: i32 = 1;
/// The command line is wrong.
pub const USAGE: i32 = 2;
/// Not allowed: ask the owner.
pub const DENIED: i32 = 3;
/// There is no such thing.
pub const NOT_FOUND: i32 = 4;
/// The state of the thing doesn't allow it.
pub const CONFLICT: i32 = 5;
/// An argument, a file or an input is not well formed.
pub const INVALID: i32 = 6;
/// A ciphertext, a document or a log does not verify.
pub const INTEGRITY: i32 = 7;
/// Try again later.
pub const UNAVAILABLE: i32 = 8;
/// A file or a device of this machine.
pub const LOCAL: i32 = 9;
