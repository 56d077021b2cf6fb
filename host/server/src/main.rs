//! The `symbolon` binary.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    symbolon_server::cli::main()
}
