//! The `symbolon` binary's parts: the command line, the roles as processes, and all of them on loopback.
//!
//! It holds no logic of the system itself: what a command does is in the client, what a role does is in the role's crate.
//! It is a library so that another binary (a test's) can start a role from the same files.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
mod dev;
pub mod identity;
pub mod passphrase;
pub mod port;
pub mod process;
pub mod random;
pub mod sealing;
pub mod telemetry;
