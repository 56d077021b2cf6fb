//! The child process of `symbolon_pkcs11` alone, for tests that start no `symbolon`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    symbolon_pkcs11::broker::main()
}
