//! A data key in hand: it seals and opens small messages without any server.

use crate::failure::Fault;
use crate::value;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Longer messages are sealed and opened while other threads of Python go on; for shorter ones that costs more than it
/// gives.
const SHORT: usize = 16 * 1024;

/// A data key: 256 random bits that one process has in hand, and the same wrapped for keeping.
///
/// `seal` and `open` need no server. Keep `wrapped` beside the data, and get the key back by `open_data_key`.
#[pyclass(frozen, module = "symbolon")]
pub struct DataKey(symbolon_client::DataKey);

impl DataKey {
    /// For Python.
    pub fn new(key: symbolon_client::DataKey) -> Self {
        Self(key)
    }
}

#[pymethods]
impl DataKey {
    /// The key, encrypted under the key that it was made with.
    #[getter]
    fn wrapped<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.wrapped())
    }

    /// The 32 bytes of the key, for a cipher of your own. Python can't wipe them from memory.
    fn expose<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose())
    }

    /// Encrypts a message under this key, bound to a context.
    #[pyo3(signature = (plaintext, *, context = None))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        plaintext: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let plaintext = value::bytes(plaintext, "plaintext")?;
        let context = value::context(context)?;
        let sealed = unhindered(py, plaintext.len(), || self.0.seal(&plaintext, &context));
        Ok(PyBytes::new(py, &sealed.map_err(|error| Fault::from(error).raise(py))?))
    }

    /// Decrypts a message that was sealed under this key with the same context.
    #[pyo3(signature = (sealed, *, context = None))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let sealed = value::bytes(sealed, "sealed")?;
        let context = value::context(context)?;
        let opened = unhindered(py, sealed.len(), || self.0.open(&sealed, &context));
        Ok(PyBytes::new(py, &opened.map_err(|error| Fault::from(error).raise(py))?))
    }

    /// Says nothing of the key.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<{}>", slf.get_type().fully_qualified_name()?))
    }
}

/// Does longer work without the interpreter.
fn unhindered<T: Send>(py: Python<'_>, length: usize, does: impl FnOnce() -> T + Send) -> T {
    if length <= SHORT { does() } else { py.detach(does) }
}
