//! The client, as Python has it: methods start nothing, but make an [`Operation`] that the package waits for or lands in
//! an event loop.

use crate::data_key::DataKey;
use crate::failure::Fault;
use crate::operation::Operation;
use crate::pieces::{Opening, Sealing};
use crate::report::{self, ShownHeader, ShownHolder, ShownNotice, ShownStatus};
use crate::runtime::Runtime;
use crate::stream::{Reader, Writer};
use crate::unlocking::Unlocking;
use crate::{file, keeper, progress, value};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};
use std::mem;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use symbolon_client::{Context, Error, FileOptions, Options, Preamble, Profile};

/// A holder in an account.
#[pyclass(frozen, module = "symbolon._native")]
pub struct Client(Mutex<Present>);

/// The client of a process. A forked child makes its own of the same holder, with connections of its own.
struct Present {
    pid: u32,
    closed: bool,
    client: symbolon_client::Client,
}

impl Client {
    fn new(client: symbolon_client::Client) -> Self {
        Self(Mutex::new(Present { pid: std::process::id(), closed: false, client }))
    }

    /// This process's client.
    pub fn present(&self, py: Python<'_>) -> PyResult<symbolon_client::Client> {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = std::process::id();
        if present.pid != pid {
            let client = present.client.afresh().map_err(|error| Fault::from(error).raise(py))?;
            let closed = present.closed;
            if closed {
                client.close();
            }
            // The parent's connections are the parent's.
            mem::forget(mem::replace(&mut *present, Present { pid, closed, client }));
        }
        Ok(present.client.clone())
    }
}

/// The profile's file, in the first of the usual places.
#[pyfunction]
pub fn locate(py: Python<'_>) -> PyResult<PathBuf> {
    Profile::locate(None).map_err(|error| Fault::from(Error::from(error)).raise(py))
}

/// What a ciphertext says about itself; no key is needed.
#[pyfunction]
pub fn inspect<'py>(sealed: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let preamble = preamble(&value::bytes(sealed, "sealed")?).map_err(|fault| fault.raise(sealed.py()))?;
    report::give(sealed.py(), &ShownHeader::from(preamble.header()))
}

/// How many more bytes make the head of a ciphertext whole.
#[pyfunction]
pub fn preamble_missing(head: &Bound<'_, PyAny>) -> PyResult<usize> {
    let missing = symbolon_client::preamble_missing(&value::bytes(head, "head")?);
    missing.map_err(|error| Fault::from(error).raise(head.py()))
}

#[pymethods]
impl Client {
    /// The client of the profile in a file. `unlock` knows the passphrase of a file; `keepers` are ids and callables of
    /// customer fragments. Nothing is connected yet.
    #[staticmethod]
    fn of_file(
        file: &Bound<'_, PyAny>,
        unlock: Option<Py<PyAny>>,
        keepers: &Bound<'_, PyList>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let path = value::path(file, "file")?;
        open(keepers, unlock, deadline, || Ok(Profile::load(&path).map_err(Error::from)?))
    }

    /// The same of a profile's content, as JSON.
    #[staticmethod]
    fn of_profile(
        content: &str,
        unlock: Option<Py<PyAny>>,
        keepers: &Bound<'_, PyList>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let malformed =
            |error| Fault::Invalid("profile-form", format!("the profile is not well formed: {error}"));
        open(keepers, unlock, deadline, || serde_json::from_str(content).map_err(malformed))
    }

    /// The same client acting for somebody.
    fn on_behalf_of(&self, name: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::new(self.present(name.py())?.on_behalf_of(&value::text(name, "name")?)))
    }

    /// Ends all calls and connections. Again is fine.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let client = self.present(py)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        py.detach(|| client.close());
        Ok(())
    }

    /// Whether it was closed.
    fn is_closed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.present(py)?.is_closed())
    }

    /// Account and holder.
    fn holder<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        report::give(py, &ShownHolder::of(&self.present(py)?))
    }

    /// What operations since the last time got around.
    fn take_notices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let notices = self.present(py)?.take_notices();
        report::give(py, &notices.iter().map(ShownNotice::from).collect::<Vec<_>>())
    }

    /// How the servers are.
    fn status(&self, py: Python<'_>) -> PyResult<Operation> {
        let client = self.present(py)?;
        Operation::new(py, async move { Ok(ShownStatus::from(&client.status().await)) }, |py, status| {
            report::give(py, &status)
        })
    }

    fn encrypt(
        &self,
        plaintext: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (plaintext, key_id) = (value::bytes(plaintext, "plaintext")?, value::key(key)?);
        let context = value::context(context)?;
        let work = async move { Ok(client.encrypt(&key_id, &plaintext, &context).await?) };
        Operation::new(key.py(), work, |py, sealed| PyBytes::new(py, &sealed).into_bound_py_any(py))
    }

    fn decrypt(&self, sealed: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let py = sealed.py();
        let client = self.present(py)?;
        let (sealed, context) = (value::bytes(sealed, "sealed")?, value::context(context)?);
        let work = async move { Ok(client.decrypt(&sealed, &context).await?) };
        Operation::new(py, work, |py, plaintext| PyBytes::new(py, &plaintext).into_bound_py_any(py))
    }

    /// `messages` are pairs of bytes and context.
    fn encrypt_many(&self, messages: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (messages, key_id) = (value::messages(messages)?, value::key(key)?);
        let work = async move { Ok(client.encrypt_many(&key_id, &borrowed(&messages)).await?) };
        Operation::new(key.py(), work, |py, sealed| {
            PyList::new(py, sealed.iter().map(|sealed| PyBytes::new(py, sealed)))?.into_bound_py_any(py)
        })
    }

    /// `messages` are pairs of bytes and context.
    fn decrypt_many(&self, messages: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let py = messages.py();
        let client = self.present(py)?;
        let messages = value::messages(messages)?;
        let work = async move { Ok(client.decrypt_many(&borrowed(&messages)).await?) };
        Operation::new(py, work, |py, opened| {
            PyList::new(py, opened.iter().map(|opened| PyBytes::new(py, opened)))?.into_bound_py_any(py)
        })
    }

    fn encrypt_file(
        &self,
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        overwrite: bool,
        told: Option<Py<PyAny>>,
    ) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (source, target) = (value::path(source, "source")?, value::path(target, "target")?);
        let (key_id, context) = (value::key(key)?, value::context(context)?);
        let (progress, raised) = progress::of(told);
        let options = FileOptions { overwrite };
        let work = async move {
            let length = client.encrypt_file(&key_id, &context, &source, &target, options, progress);
            length.await.map_err(|error| raised.instead_of(error))
        };
        Operation::new(key.py(), work, |py, length| length.into_bound_py_any(py))
    }

    fn decrypt_file(
        &self,
        source: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        overwrite: bool,
        told: Option<Py<PyAny>>,
    ) -> PyResult<Operation> {
        let py = source.py();
        let client = self.present(py)?;
        let (source, target) = (value::path(source, "source")?, value::path(target, "target")?);
        let context = value::context(context)?;
        let (progress, raised) = progress::of(told);
        let options = FileOptions { overwrite };
        let work = async move {
            let length = client.decrypt_file(&context, &source, &target, options, progress);
            length.await.map_err(|error| raised.instead_of(error))
        };
        Operation::new(py, work, |py, length| length.into_bound_py_any(py))
    }

    /// A stream of the plaintext of a path or a binary file object.
    fn open_reader(
        &self,
        source: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Operation> {
        let py = source.py();
        let (client, context) = (self.present(py)?, value::context(context)?);
        let (mut source, seekable) = file::source(source)?;
        let work = async move {
            let preamble = symbolon_client::read_preamble(&mut source)?;
            let decryption = client.decryption(&preamble, &context).await?;
            Reader::new(decryption, source, seekable)
        };
        Operation::new(py, work, |py, reader| reader.into_bound_py_any(py))
    }

    /// A stream whose ciphertext goes to a path or a binary file object.
    fn open_writer(
        &self,
        target: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        overwrite: bool,
    ) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (key_id, context) = (value::key(key)?, value::context(context)?);
        let sink = file::sink(target, FileOptions { overwrite })?;
        let work = async move { Ok(Writer::new(client.encryption(&key_id, &context).await?, sink)) };
        Operation::new(key.py(), work, |py, writer| writer.into_bound_py_any(py))
    }

    /// A message to be written piece by piece.
    fn sealing(&self, key: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (key_id, context) = (value::key(key)?, value::context(context)?);
        let work = async move { Ok(client.encryption(&key_id, &context).await?.incremental()) };
        Operation::new(key.py(), work, |py, message| Sealing::new(message).into_bound_py_any(py))
    }

    /// A message to be read piece by piece, whose head is whole; gives what of the plaintext came with it.
    fn opening(&self, head: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let py = head.py();
        let (client, context) = (self.present(py)?, value::context(context)?);
        let head = value::bytes(head, "head")?;
        let preamble = preamble(&head).map_err(|fault| fault.raise(py))?;
        let work = async move {
            let mut message = client.decryption(&preamble, &context).await?.incremental();
            let ready = message.push(&head[preamble.len()..])?;
            Ok((message, ready))
        };
        Operation::new(py, work, |py, (message, ready)| {
            (Opening::new(message), PyBytes::new(py, &ready)).into_bound_py_any(py)
        })
    }

    fn data_key(&self, key: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) -> PyResult<Operation> {
        let client = self.present(key.py())?;
        let (key_id, context) = (value::key(key)?, value::context(context)?);
        let work = async move { Ok(client.data_key(&key_id, &context).await?) };
        Operation::new(key.py(), work, |py, made| DataKey::new(made).into_bound_py_any(py))
    }

    fn open_data_key(
        &self,
        wrapped: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Operation> {
        let py = wrapped.py();
        let client = self.present(py)?;
        let (wrapped, context) = (value::bytes(wrapped, "wrapped")?, value::context(context)?);
        let work = async move { Ok(client.open_data_key(&wrapped, &context).await?) };
        Operation::new(py, work, |py, opened| DataKey::new(opened).into_bound_py_any(py))
    }
}

fn borrowed(messages: &[(PyBackedBytes, Context)]) -> Vec<(&[u8], &Context)> {
    messages.iter().map(|(bytes, context)| (&bytes[..], context)).collect()
}

fn preamble(mut sealed: &[u8]) -> Result<Preamble, Fault> {
    Ok(symbolon_client::read_preamble(&mut sealed)?)
}

fn open(
    keepers: &Bound<'_, PyList>,
    unlock: Option<Py<PyAny>>,
    deadline: Option<&Bound<'_, PyAny>>,
    profile: impl FnOnce() -> Result<Profile, Fault> + Send,
) -> PyResult<Client> {
    let py = keepers.py();
    let customer_fragments = keeper::all(keepers)?;
    let deadline = deadline.map(|time| value::seconds(time, "deadline")).transpose()?;
    let runtime = Runtime::present(py).map_err(|fault| fault.raise(py))?;
    let mut unlocking = Unlocking::new(unlock);
    let opened = py.detach(|| {
        let _inside = runtime.tokio().enter();
        let options = Options { customer_fragments, ..Options::default() };
        let client = symbolon_client::Client::open_with(&profile()?, &mut unlocking, options)?;
        Ok(deadline.map_or(client.clone(), |deadline| client.within(deadline)))
    });
    opened.map(Client::new).map_err(|fault| unlocking.instead_of(fault).raise(py))
}
