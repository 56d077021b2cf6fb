//! Real processes for tests: the `symbolon` binary, started in private directories on free ports of the loopback, watched, and ended.
//!
//! Nothing here reaches into a role: what a test does, it does as an operator, an owner, a caller or a thief would, by the command line, the
//! configuration files, the network, or the stolen disk and memory. A failing step panics with the output of the process at fault.
#![expect(clippy::missing_panics_doc, reason = "a harness fails a test by panicking, always and everywhere")]

mod binary;
mod command;
mod deployment;
pub mod exit;
mod guardian;
mod namespace;
mod party;
mod port;
mod process;
mod recorder;
mod scan;

pub use binary::{build, symbolon};
pub use command::{Finished, run};
pub use deployment::{Cli, Deployment, MANAGERS, Site};
pub use guardian::Guardian;
pub use namespace::small_disk;
pub use party::{Conversation, Party, new_key};
pub use port::free_port;
pub use process::{Process, Start};
pub use recorder::Recorder;
pub use scan::{disk_contains, memory_contains};

use std::time::Duration;

/// How long anything that should happen at once may take on a busy machine before the test fails.
pub const PATIENCE: Duration = Duration::from_mins(1);
