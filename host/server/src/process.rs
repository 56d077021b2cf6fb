//! What a role's process asks of the system: no core dumps, an end with its parent, a clean stop on a signal.

use std::io::{self, Write};

use rustix::process::{Resource, Rlimit, Signal};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Worker threads of a role. Two serve as many evaluations a CPU second as more do, and hold less memory.
pub const WORKERS: usize = 2;

/// Keeps the process's memory out of core files and away from debuggers of the same user.
pub fn protect_memory() -> io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Ends this process when the one that started it ends, however that ends.
pub fn end_with_parent() -> io::Result<()> {
    let parent = rustix::process::getppid();
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    if rustix::process::getppid() != parent {
        return Err(io::Error::other("the parent ended before we could follow it"));
    }
    Ok(())
}

/// A runtime for a role.
pub fn role_runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()
}

/// Completes on SIGTERM or SIGINT.
pub async fn stopped() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Says on stdout that the role answers now; whoever started the process may wait for the line.
pub fn announce(role: &str, address: std::net::SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "symbolon {role} is ready on {address}")?;
    stdout.flush()
}
