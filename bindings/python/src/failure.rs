//! What goes wrong, as Python's exceptions: the client's kind is the class, its code is the attribute.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use std::error::Error as StdError;
use std::io;
use symbolon_client::Error;
use symbolon_client::error::{Kind, StreamFailure};

/// Why an operation has no result.
pub enum Fault {
    /// The client says so.
    Client(Box<Error>),
    /// Code of the caller raised an exception.
    Python(PyErr),
    /// The call is wrong in a way that only this shell knows: code and message.
    Invalid(&'static str, String),
    /// A panic.
    Panicked,
    /// The interpreter exits.
    Exiting,
    /// An operation was waited for again.
    Twice,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<StreamFailure> for Fault {
    fn from(failure: StreamFailure) -> Self {
        Error::from(failure).into()
    }
}

impl Fault {
    /// Sorts an error of a stream: an exception of a file object, a failure of the message, or the system's word.
    pub fn from_io(error: io::Error) -> Self {
        let error = match error.downcast::<PyErr>() {
            Ok(raised) => return Self::Python(raised),
            Err(error) => error,
        };
        error.downcast::<StreamFailure>().unwrap_or_else(StreamFailure::Read).into()
    }

    /// The exception.
    pub fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Client(error) => of_client(py, &error),
            Self::Python(raised) => raised,
            Self::Invalid(code, message) => raise(py, "Invalid", code, &message),
            Self::Panicked => raise(py, "Bug", "panicked", "a fault in the program: a task panicked"),
            Self::Exiting => raise(py, "Closed", "exiting", "the interpreter exits"),
            Self::Twice => raise(py, "Bug", "internal", "an operation was started twice"),
        }
    }
}

/// A value of a type that the call doesn't take.
pub fn wrong_type(value: &Bound<'_, PyAny>, name: &str, wanted: &str) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    raise(value.py(), "InvalidType", "wrong-type", &format!("{name} must be {wanted}, not {given}"))
}

/// An exception of one of the package's classes.
pub fn raise(py: Python<'_>, class: &str, code: &str, message: &str) -> PyErr {
    raised(py, class, code, message, None, None).unwrap_or_else(|error| error)
}

fn of_client(py: Python<'_>, error: &Error) -> PyErr {
    let cause = match caller_raised(py, error) {
        // The caller's file failed: that is all there is to say. So it is where a callback ends the program.
        Some((raised, true)) => return raised,
        Some((raised, false)) if !raised.is_instance_of::<PyException>(py) => return raised,
        cause => cause.map(|(raised, _)| raised),
    };
    let class = if error.code() == "closed" { "Closed" } else { class(error.kind()) };
    let exception = raised(
        py,
        class,
        error.code(),
        &error.detail(),
        error.retry_after().map(|after| after.as_secs_f64()),
        error.advice(),
    );
    let exception = exception.unwrap_or_else(|error| error);
    if cause.is_some() {
        exception.set_cause(py, cause);
    }
    exception
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Denied => "Denied",
        Kind::NotFound => "NotFound",
        Kind::Conflict => "Conflict",
        Kind::Invalid => "Invalid",
        Kind::Integrity => "Integrity",
        Kind::Unavailable => "Unavailable",
        Kind::Bug => "Bug",
    }
}

/// The exception of the caller's code that an error comes from, and whether a file object raised it.
fn caller_raised(py: Python<'_>, error: &Error) -> Option<(PyErr, bool)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(raised) = error.downcast_ref::<PyErr>() {
            return Some((raised.clone_ref(py), false));
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(raised) = inner.and_then(|inner| inner.downcast_ref::<PyErr>()) {
            return Some((raised.clone_ref(py), true));
        }
        next = error.source();
    }
    None
}

fn raised(
    py: Python<'_>,
    class: &str,
    code: &str,
    message: &str,
    retry_after: Option<f64>,
    advice: Option<String>,
) -> PyResult<PyErr> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let errors = ERRORS.get_or_try_init(py, || Ok::<_, PyErr>(py.import("symbolon._errors")?.unbind()))?;
    let class: Bound<'_, PyType> = errors.bind(py).getattr(class)?.cast_into()?;
    let details = PyDict::new(py);
    details.set_item("code", code)?;
    details.set_item("retry_after", retry_after)?;
    details.set_item("advice", advice)?;
    Ok(PyErr::from_value(class.call((message,), Some(&details))?))
}
