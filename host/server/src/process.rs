//! What a role's process asks of the system: secrets that stay in its memory, an end with its parent, a clean stop.

use std::io::{self, Write};
use std::net::SocketAddr;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::process::{getppid, set_dumpable_behavior, set_parent_process_death_signal, setrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// Forbids core dumps and debuggers, and keeps pages out of swap. What the system refuses is logged, and the role goes on.
pub fn protect_memory() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        warn!(%error, "memory may be read by a debugger");
    }
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        warn!(%error, "core dumps stay possible");
    }
    // Pages that come later are locked as they are touched; without the limit this fails as a whole.
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if let Err(error) = mlockall(flags) {
        info!(%error, "memory may be swapped out; allow locking (ulimit -l) or disable swap");
    }
}

/// Asks the system to end this process when the thread that started it ends, however that ends.
pub fn end_with_parent() -> io::Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid() != parent {
        return Err(io::Error::other("the parent ended before it could be followed"));
    }
    Ok(())
}

/// A runtime for a role, with so many threads for its work.
pub fn runtime(workers: usize) -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers.max(1)).enable_all().build()
}

/// Completes on SIGTERM or SIGINT. From the call on, and not only from the first poll, these signals don't kill the process.
pub fn stopped() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says on stdout that the role answers now; whoever started the process may wait for the line.
pub fn announce(role: &str, address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "symbolon {role} is ready on {address}")?;
    stdout.flush()
}

/// Says on stdout that a driver takes jobs now.
pub fn announce_store(store: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "symbolon driver is ready for the key store {store}")?;
    stdout.flush()
}
