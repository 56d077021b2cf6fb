//! `symbolon._native`: the client for Python programs.
//!
//! A shell without logic: it turns Python's values into the client's and back, and knows how to wait in both of Python's
//! ways. What users see is in `sdk-python/src/symbolon`, which only adds Python's manners.
//!
//! One rule keeps it safe after `fork`: its own locks are taken only by threads that are attached to the interpreter,
//! and held without detaching. A thread that forks is attached, so no other can hold one at that moment. Where that
//! cannot be, `try_lock` is used. Streams are the exception: like open files, they belong to one process.

mod client;
mod data_key;
mod failure;
mod file;
mod gate;
mod keeper;
mod keys;
mod landing;
mod log;
mod operation;
mod pieces;
mod progress;
mod report;
mod runtime;
mod stream;
mod unlocking;
mod value;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::{PyModule, PyResult, log, runtime};
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::client::{Client, inspect, locate, preamble_missing};
    #[pymodule_export]
    use super::data_key::DataKey;
    #[pymodule_export]
    use super::keys::{key_create, key_label, key_list, key_rotate, key_show};
    #[pymodule_export]
    use super::landing::Landing;
    #[pymodule_export]
    use super::operation::Operation;
    #[pymodule_export]
    use super::pieces::{Opening, Sealing};
    #[pymodule_export]
    use super::runtime::shut_down;
    #[pymodule_export]
    use super::stream::{Reader, Writer};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // What a panic of Rust would be to Python, if it were not turned into `symbolon.Bug` here.
        module.add("PanicException", module.py().get_type::<pyo3::panic::PanicException>())?;
        log::listen();
        runtime::end_at_exit(module)
    }
}
