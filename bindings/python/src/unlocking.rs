//! Passphrases of a profile's files, from a callable of Python's that is asked only if a file has one.

use crate::failure::Fault;
use crate::gate;
use pyo3::prelude::*;
use std::path::{Path, PathBuf};
use symbolon_client::Unlock;
use zeroize::Zeroizing;

/// Whoever is asked, and what it raised.
pub struct Unlocking {
    asked: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Unlocking {
    /// `asked(file: str) -> str | None`.
    pub fn new(asked: Option<Py<PyAny>>) -> Self {
        Self { asked, raised: None }
    }

    /// What the callable raised, which is why there was a fault.
    pub fn instead_of(self, fault: Fault) -> Fault {
        self.raised.map_or(fault, Fault::Python)
    }
}

impl Unlock for Unlocking {
    fn passphrase(&mut self, file: &Path) -> Option<Zeroizing<String>> {
        let asked = self.asked.as_ref()?;
        let answer = gate::attached(|py| {
            let answer = asked.bind(py).call1((file.as_os_str(),))?;
            if answer.is_none() { Ok(None) } else { crate::value::text(&answer, "a passphrase").map(Some) }
        });
        match answer? {
            Ok(answer) => answer.map(Zeroizing::new),
            Err(raised) => {
                self.raised = Some(raised);
                None
            }
        }
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
