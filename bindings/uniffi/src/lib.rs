//! The client for Kotlin and Java, as `UniFFI` carries it across: a shell without logic of its own.
//!
//! Every operation runs on a runtime of this library, so that it goes on while nobody looks, and ends when the caller's
//! coroutine is cancelled. What people program against is `sdk-kotlin`; nothing here is meant for their eyes.

mod client;
mod customer;
mod data_key;
mod error;
mod file;
mod header;
mod key;
mod log;
mod pieces;
mod runtime;
mod seekable;
mod status;

uniffi::setup_scaffolding!();
