//! A message piece by piece: bytes in, bytes out. What asynchronous streams are made of.

use crate::failure::{Fault, raise};
use crate::value;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, PoisonError};
use symbolon_client::error::StreamFailure;
use symbolon_client::{IncrementalDecryption, IncrementalEncryption};

/// A message that is written piece by piece.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Sealing(Mutex<Option<IncrementalEncryption>>);

impl Sealing {
    /// For Python.
    pub fn new(message: IncrementalEncryption) -> Self {
        Self(Mutex::new(Some(message)))
    }
}

/// A message that is read piece by piece, from behind its preamble on.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Opening(Mutex<Option<IncrementalDecryption>>);

impl Opening {
    /// For Python.
    pub fn new(message: IncrementalDecryption) -> Self {
        Self(Mutex::new(Some(message)))
    }
}

/// Takes the message out while it is worked on, so that no lock is held meanwhile; a second thread that comes in
/// between is told that the stream is closed.
fn with<T: Send, M: Send>(
    py: Python<'_>,
    message: &Mutex<Option<M>>,
    does: impl FnOnce(&mut M) -> Result<T, StreamFailure> + Send,
) -> PyResult<T> {
    let taken = take(message).ok_or_else(|| closed(py))?;
    let (taken, done) = py.detach(move || {
        let mut taken = taken;
        let done = does(&mut taken);
        (taken, done)
    });
    let done = done.map_err(|failure| Fault::from(failure).raise(py))?;
    *message.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
    Ok(done)
}

fn take<M>(message: &Mutex<Option<M>>) -> Option<M> {
    message.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn closed(py: Python<'_>) -> PyErr {
    raise(py, "Closed", "closed", "the stream is closed")
}

#[pymethods]
impl Sealing {
    /// Takes plaintext, and gives what of the ciphertext is ready.
    fn push<'py>(&self, py: Python<'py>, data: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let data = value::bytes(data, "a piece of the message")?;
        let ready = with(py, &self.0, |message| message.push(&data))?;
        Ok(PyBytes::new(py, &ready))
    }

    /// Ends the message, and gives the rest of the ciphertext.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let message = take(&self.0).ok_or_else(|| closed(py))?;
        let rest = py.detach(|| message.finish()).map_err(|failure| Fault::from(failure).raise(py))?;
        Ok(PyBytes::new(py, &rest))
    }
}

#[pymethods]
impl Opening {
    /// Takes ciphertext, and gives what of the plaintext is authentic.
    fn push<'py>(&self, py: Python<'py>, data: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let data = value::bytes(data, "a piece of the message")?;
        let ready = with(py, &self.0, |message| message.push(&data))?;
        Ok(PyBytes::new(py, &ready))
    }

    /// Ends the message, and gives the rest of the plaintext. Only now is it known to be whole.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let message = take(&self.0).ok_or_else(|| closed(py))?;
        let rest = py.detach(|| message.finish()).map_err(|failure| Fault::from(failure).raise(py))?;
        Ok(PyBytes::new(py, &rest))
    }
}
