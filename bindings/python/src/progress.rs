//! A callable of Python's that is told how far a file is, and ends the work by giving `False` or by raising.

use crate::failure::Fault;
use crate::gate;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use symbolon_client::{Error, FileProgress};

/// What the callable raised.
#[derive(Clone, Default)]
pub struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// An error of the client's, unless it only says that the callable ended the work by raising.
    pub fn instead_of(&self, error: Error) -> Fault {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(raised) => Fault::Python(raised),
            None => error.into(),
        }
    }
}

/// What the client tells, and where to look for what the callable raised.
pub fn of(told: Option<Py<PyAny>>) -> (FileProgress, Raised) {
    let raised = Raised::default();
    let Some(told) = told else { return (Box::new(|_| ControlFlow::Continue(())), raised) };
    let keep = raised.clone();
    let progress = move |written: u64| {
        let called = gate::attached(|py| Ok(told.call1(py, (written,))?.is(PyBool::new(py, false).as_any())));
        match called {
            Some(Ok(false)) => ControlFlow::Continue(()),
            Some(Ok(true)) | None => ControlFlow::Break(()),
            Some(Err(error)) => {
                *keep.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    (Box::new(progress), raised)
}
