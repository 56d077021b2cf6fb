//! Where the operations of one event loop land: a queue, and a socket that wakes the loop.
//!
//! Threads of the runtime never wait for the interpreter here: they put a result into the queue and write a byte. The
//! loop takes all that has landed at once.

use crate::log;
use crate::operation::{Outcome, give};
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::io::{Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// An event loop's landing place, as the loop sees it.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Landing {
    place: Arc<Place>,
    rung: UnixStream,
}

/// An event loop's landing place, as the runtime sees it.
pub struct Place {
    landed: Mutex<Vec<(u64, Outcome)>>,
    bell: UnixStream,
}

impl Landing {
    /// Where operations are to land.
    pub fn place(&self) -> Arc<Place> {
        self.place.clone()
    }
}

#[pymethods]
impl Landing {
    #[new]
    fn new() -> PyResult<Self> {
        let (rung, bell) = UnixStream::pair()?;
        rung.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self { place: Arc::new(Place { landed: Mutex::default(), bell }), rung })
    }

    /// The descriptor that is readable when something has landed.
    fn fileno(&self) -> RawFd {
        self.rung.as_raw_fd()
    }

    /// All that has landed: ticket, result, and whether that is an exception.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut bytes = [0; 64];
        while (&self.rung).read(&mut bytes).is_ok_and(|read| read > 0) {}
        let landed = mem::take(&mut *self.place.landed.lock().unwrap_or_else(PoisonError::into_inner));
        log::deliver(py);
        let taken = landed.into_iter().map(|(ticket, outcome)| match give(py, outcome) {
            Ok(value) => (ticket, value, false),
            Err(raised) => (ticket, raised.into_value(py).into_bound(py).into_any(), true),
        });
        PyList::new(py, taken.collect::<Vec<_>>())
    }
}

impl Place {
    /// Lands an operation.
    pub fn put(&self, ticket: u64, outcome: Outcome) {
        let mut landed = self.landed.lock().unwrap_or_else(PoisonError::into_inner);
        landed.push((ticket, outcome));
        let first = landed.len() == 1;
        drop(landed);
        if first {
            // A full socket has woken the loop already; a closed one has no loop any more.
            let _ = (&self.bell).write(&[1]);
        }
    }
}
