//! The `symbolon` binary: the command line, the roles as processes, and all of them on loopback.
//!
//! It holds no logic of the system itself: what a command does is in the client, what a role does is in the role's crate.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
