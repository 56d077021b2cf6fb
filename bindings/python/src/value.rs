//! Values that callers give, checked one by one: whatever is wrong with one is said by name.

use crate::failure::{Fault, wrong_type};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyMemoryView, PyString, PyTuple};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use symbolon_client::{Context, Error};
use symbolon_fragments::names::KeyId;

/// The bytes of a `bytes`, which is used where it is, or of anything else with a buffer, which is copied: it may change
/// while other threads run.
pub fn bytes(value: &Bound<'_, PyAny>, name: &str) -> PyResult<PyBackedBytes> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.clone().into());
    }
    let copied = PyMemoryView::from(value).and_then(|view| view.call_method0("tobytes"));
    let copied = copied.ok().and_then(|bytes| bytes.cast_into::<PyBytes>().ok());
    copied.map(Into::into).ok_or_else(|| wrong_type(value, name, "bytes, bytearray or memoryview"))
}

/// A text.
pub fn text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let text = value.cast::<PyString>().map_err(|_| wrong_type(value, name, "str"))?;
    // Half of a surrogate pair is no text.
    text.to_str().map(str::to_owned).map_err(|_| wrong_type(value, name, "str in Unicode"))
}

/// A text that stands for something.
pub fn parsed<T: FromStr>(value: &Bound<'_, PyAny>, name: &str) -> PyResult<T>
where
    Error: From<T::Err>,
{
    text(value, name)?.parse().map_err(|error| Fault::from(Error::from(error)).raise(value.py()))
}

/// A key's id.
pub fn key(value: &Bound<'_, PyAny>) -> PyResult<KeyId> {
    parsed(value, "key")
}

/// A context: a mapping of text to text, or nothing.
pub fn context(value: Option<&Bound<'_, PyAny>>) -> PyResult<Context> {
    let mut context = Context::new();
    let Some(value) = value else { return Ok(context) };
    let mut add = |name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| {
        let (key, text) = (text(name, "a name of the context")?, text(value, "a value of the context")?);
        context.insert(key, text).map_err(|error| Fault::from(Error::from(error)).raise(name.py()))
    };
    if let Ok(dict) = value.cast::<PyDict>() {
        for (name, value) in dict {
            add(&name, &value)?;
        }
        return Ok(context);
    }
    let mapping = value.cast::<PyMapping>().map_err(|_| wrong_type(value, "context", "a mapping"))?;
    for pair in mapping.items()? {
        let pair = pair.cast_into::<PyTuple>()?;
        add(&pair.get_item(0)?, &pair.get_item(1)?)?;
    }
    Ok(context)
}

/// A path: text or anything with `__fspath__`.
pub fn path(value: &Bound<'_, PyAny>, name: &str) -> PyResult<PathBuf> {
    value.extract().map_err(|_| wrong_type(value, name, "a path"))
}

/// Messages with their contexts.
pub fn messages(value: &Bound<'_, PyAny>) -> PyResult<Vec<(PyBackedBytes, Context)>> {
    let message = |item: PyResult<Bound<'_, PyAny>>| {
        let (data, of): (Bound<'_, PyAny>, Option<Bound<'_, PyAny>>) = item?.extract()?;
        Ok((bytes(&data, "a message")?, context(of.as_ref())?))
    };
    value.try_iter()?.map(message).collect()
}

/// A time, of seconds.
pub fn seconds(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Duration> {
    let wrong = || wrong_type(value, name, "a positive number of seconds");
    let seconds: f64 = value.extract().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}
