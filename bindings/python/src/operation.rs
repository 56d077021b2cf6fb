//! One operation of the client: waited for by a thread of Python, or landed in an event loop.

use crate::failure::Fault;
use crate::landing::Landing;
use crate::log;
use crate::runtime::Runtime;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pyo3::prelude::*;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// How often a waiting thread looks for signals, such as that of Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// Makes a Python value of a result, on a thread that is attached.
type Give = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

/// The end of an operation.
pub type Outcome = Result<Give, Fault>;

/// Gives what an operation ended with to Python.
pub fn give(py: Python<'_>, outcome: Outcome) -> PyResult<Bound<'_, PyAny>> {
    match outcome {
        Ok(give) => give(py),
        Err(fault) => Err(fault.raise(py)),
    }
}

/// An operation that runs when it is waited for or started, once.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Operation {
    runtime: Arc<Runtime>,
    work: Mutex<Option<BoxFuture<'static, Outcome>>>,
    task: Mutex<Option<AbortHandle>>,
}

impl Operation {
    /// An operation that does `work` and gives its result by `give`.
    pub fn new<T: Send + 'static>(
        py: Python<'_>,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
        give: impl for<'py> FnOnce(Python<'py>, T) -> PyResult<Bound<'py, PyAny>> + Send + 'static,
    ) -> PyResult<Self> {
        let runtime = Runtime::present(py).map_err(|fault| fault.raise(py))?;
        log::follow_level(py);
        let given = async move {
            let result = work.await?;
            let give: Give = Box::new(move |py| give(py, result));
            Ok(give)
        };
        let work = Mutex::new(Some(guarded(given, runtime.exiting())));
        Ok(Self { runtime, work, task: Mutex::default() })
    }

    fn take(&self) -> Result<BoxFuture<'static, Outcome>, Fault> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Fault::Twice)
    }
}

#[pymethods]
impl Operation {
    /// Runs it to its end. Other threads of Python go on meanwhile; a signal's handler that raises cancels it.
    fn wait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut work = self.take().map_err(|fault| fault.raise(py))?;
        let call = self.runtime.enter_call();
        let outcome = loop {
            let tick = py.detach(|| {
                self.runtime.tokio().block_on(async { tokio::time::timeout(TICK, &mut work).await })
            });
            log::deliver(py);
            match tick {
                Ok(outcome) => break outcome,
                Err(_) => py.check_signals()?,
            }
        };
        drop(call);
        give(py, outcome)
    }

    /// Starts it; it lands with this ticket.
    fn start(&self, py: Python<'_>, landing: &Landing, ticket: u64) -> PyResult<()> {
        let work = self.take().map_err(|fault| fault.raise(py))?;
        let land = landing.place();
        let task = self.runtime.tokio().spawn(async move { land.put(ticket, work.await) });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        Ok(())
    }

    /// Ends it where it stands. It does not land any more.
    fn cancel(&self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

/// The same work, which a panic or the exit of the interpreter ends with an error.
fn guarded(
    work: impl Future<Output = Outcome> + Send + 'static,
    exiting: tokio_util::sync::CancellationToken,
) -> BoxFuture<'static, Outcome> {
    let work = AssertUnwindSafe(work).catch_unwind();
    let ended = async move {
        tokio::select! {
            biased;
            () = exiting.cancelled() => Err(Fault::Exiting),
            done = work => done.unwrap_or(Err(Fault::Panicked)),
        }
    };
    ended.boxed()
}
