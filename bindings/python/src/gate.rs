//! The gate through which the library's own threads attach to the interpreter, to call code of the caller's. It closes
//! when the interpreter exits, which then waits for those inside: a thread that is attached while the interpreter is
//! taken down crashes the process.
//!
//! There is no lock in it, so that a fork finds none held.

use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often the exiting interpreter looks whether all have left.
const TICK: Duration = Duration::from_millis(1);

static CLOSED: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Does something attached; nothing once the interpreter exits.
pub fn attached<T>(does: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Python::try_attach(does)
}

/// Lets nobody in any more, and waits until all have left, or a signal's handler raises.
pub fn close(py: Python<'_>) -> PyResult<()> {
    CLOSED.store(true, Ordering::SeqCst);
    while INSIDE.load(Ordering::SeqCst) > 0 {
        py.detach(|| std::thread::sleep(TICK));
        py.check_signals()?;
    }
    Ok(())
}

/// In a forked child, nobody is inside: the parent's threads are not there.
pub fn forget_parent() {
    INSIDE.store(0, Ordering::SeqCst);
}

struct Inside {
    /// A callback may fork; in the child it leaves what it never entered there.
    pid: u32,
}

impl Inside {
    /// Comes in first and looks then, as `close` closes first and looks then: one of the two sees the other.
    fn enter() -> Option<Self> {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self { pid: std::process::id() };
        (!CLOSED.load(Ordering::SeqCst)).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.pid == std::process::id() {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
