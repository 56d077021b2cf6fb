//! Real processes for tests: the `symbolon` binary, started in private directories on free ports of the loopback, watched, and ended.
//!
//! Nothing here reaches into a role: what a test does, it does as an operator, an owner, a caller or a thief would, by the command line, the
//! configuration files, the network, or the stolen disk and memory. A failing step panics with the output of the process at fault.
#![expect(clippy::missing_panics_doc, reason = "a harness fails a test by panicking, always and everywhere")]

mod account;
mod binary;
mod caller;
mod clock;
mod command;
mod crash;
pub mod datastore;
mod deployment;
pub mod exit;
mod guardian;
mod holder;
pub mod hsm;
mod namespace;
mod party;
mod port;
mod process;
mod record;
mod recorder;
mod scan;
mod stolen;

pub use account::{Account, Credential, instance};
pub use binary::{build, symbolon};
pub use caller::Gateway;
pub use clock::{wrong_clock, wrong_clock_of};
pub use command::{Finished, run};
pub use crash::Crash;
pub use deployment::{Cli, Deployment, MANAGERS, Person, Site, new_person};
pub use guardian::Guardian;
pub use holder::{Ingredients, combine, combine_fragments, derived, ingredients};
pub use namespace::small_disk;
pub use party::{Connection, Conversation, Party, new_key, unix_time};
pub use port::free_port;
pub use process::{Process, Start};
pub use recorder::Recorder;
pub use scan::{disk_contains, memory_contains};

use std::time::{Duration, Instant};

/// How long anything that should happen at once may take on a busy machine before the test fails.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again, by real work each time, until it is so.
#[track_caller]
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it did not come to this: {what}");
    }
}
