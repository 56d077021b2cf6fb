//! The threads on which operations run: made when they are first needed, made again in a forked child, ended when the
//! interpreter exits.

use crate::failure::Fault;
use crate::gate;
use pyo3::prelude::*;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// More threads than this wait for the network rather than for the cipher; files bring their own.
const MAX_THREADS: usize = 4;
/// How long the exit of the interpreter waits for calls that have been told to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A process's runtime.
pub struct Runtime {
    /// Threads don't live on in a forked child.
    pid: u32,
    tokio: tokio::runtime::Runtime,
    /// Told when the interpreter exits.
    exiting: CancellationToken,
    /// Threads of Python that wait inside of a call.
    calls: Arc<Calls>,
}

enum Present {
    None,
    Running(Arc<Runtime>),
    /// The interpreter exits.
    Ended,
}

static PRESENT: Mutex<Present> = Mutex::new(Present::None);

impl Runtime {
    /// This process's runtime.
    pub fn present(_: Python<'_>) -> Result<Arc<Self>, Fault> {
        let mut present = lock(&PRESENT);
        match &*present {
            Present::Ended => return Err(Fault::Exiting),
            Present::Running(runtime) if runtime.pid == std::process::id() => return Ok(runtime.clone()),
            Present::Running(_) | Present::None => {}
        }
        let new = Arc::new(Self::new()?);
        if let Present::Running(_) = &*present {
            gate::forget_parent();
        }
        // A parent's runtime can't be ended here: its threads are not there.
        mem::forget(mem::replace(&mut *present, Present::Running(new.clone())));
        Ok(new)
    }

    fn new() -> Result<Self, Fault> {
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS));
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("symbolon")
            .enable_all()
            .build()
            .map_err(Fault::from_io)?;
        Ok(Self { pid: std::process::id(), tokio, exiting: CancellationToken::new(), calls: Arc::default() })
    }

    /// Where operations run.
    pub fn tokio(&self) -> &tokio::runtime::Runtime {
        &self.tokio
    }

    /// Ends when the interpreter exits.
    pub fn exiting(&self) -> CancellationToken {
        self.exiting.clone()
    }

    /// A call that a thread of Python waits in, until this is dropped.
    pub fn enter_call(&self) -> Call {
        *lock(&self.calls.count) += 1;
        Call(self.calls.clone())
    }
}

#[derive(Default)]
struct Calls {
    count: Mutex<usize>,
    ended: Condvar,
}

impl Calls {
    fn wait_for_all(&self) {
        let busy = |count: &mut usize| *count > 0;
        drop(self.ended.wait_timeout_while(lock(&self.count), PATIENCE, busy));
    }
}

/// See [`Runtime::enter_call`].
pub struct Call(Arc<Calls>);

impl Drop for Call {
    fn drop(&mut self) {
        *lock(&self.0.count) -= 1;
        self.0.ended.notify_all();
    }
}

/// Has `shut_down` called when the interpreter exits, while other threads can still attach to it.
pub fn end_at_exit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.py().import("atexit")?.call_method1("register", (module.getattr("shut_down")?,))?;
    Ok(())
}

/// Ends all operations: whoever waits for one is told that the interpreter exits. Callbacks that are under way come to
/// their end first.
#[pyfunction]
pub fn shut_down(py: Python<'_>) -> PyResult<()> {
    let ended = mem::replace(&mut *lock(&PRESENT), Present::Ended);
    match ended {
        Present::Running(runtime) if runtime.pid == std::process::id() => {
            runtime.exiting.cancel();
            let closed = gate::close(py);
            py.detach(|| end(runtime));
            closed
        }
        of_parent => {
            mem::forget(of_parent);
            Ok(())
        }
    }
}

fn end(runtime: Arc<Runtime>) {
    runtime.calls.wait_for_all();
    if let Some(runtime) = Arc::into_inner(runtime) {
        runtime.tokio.shutdown_timeout(PATIENCE);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
