//! Management of keys.

use crate::client::Client;
use crate::failure::{Fault, raise, wrong_type};
use crate::operation::Operation;
use crate::report::{self, ShownKey};
use crate::value;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use symbolon_client::keys::{KeyInfo, Members, NewKey, RootOfKey};
use symbolon_client::{Client as Inner, Error};
use symbolon_fragments::names::{Index, KeyId};
use symbolon_protocol::api::{KeyQuery, KeyState, Labels};

/// What a new key is to be like, as the package says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Wanted {
    suite: String,
    threshold: u16,
    of: u16,
    managers: Option<Vec<String>>,
    purpose: String,
    customer_fragment: bool,
    shared: bool,
    on: Option<String>,
    labels: BTreeMap<String, String>,
}

/// Makes a key. `wanted` says what it is like.
#[pyfunction]
pub fn key_create(client: &Client, key: &Bound<'_, PyAny>, wanted: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let py = key.py();
    let (client, id) = (client.present(py)?, value::key(key)?);
    let wanted: Wanted = wanted
        .extract()
        .map_err(|error: PyErr| raise(py, "InvalidType", "wrong-type", &error.to_string()))?;
    let new = wanted.into_new(id, &client).map_err(|fault| fault.raise(py))?;
    shown(py, client.clone(), async move { Box::pin(client.keys().create(&new)).await })
}

/// Makes a new version.
#[pyfunction]
pub fn key_rotate(client: &Client, key: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let (client, id) = (client.present(key.py())?, value::key(key)?);
    shown(key.py(), client.clone(), async move { Box::pin(client.keys().rotate(&id)).await })
}

/// A key with its versions.
#[pyfunction]
pub fn key_show(client: &Client, key: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let (client, id) = (client.present(key.py())?, value::key(key)?);
    shown(key.py(), client.clone(), async move { client.keys().show(&id).await })
}

/// The keys that the holder may see.
#[pyfunction]
pub fn key_list(
    client: &Client,
    py: Python<'_>,
    below: Option<&Bound<'_, PyAny>>,
    state: Option<&Bound<'_, PyAny>>,
    label: Option<&Bound<'_, PyAny>>,
) -> PyResult<Operation> {
    let client = client.present(py)?;
    let query = KeyQuery {
        below: below.map(|below| value::text(below, "below")).transpose()?,
        state: state.map(key_state).transpose()?,
        label: label.map(|label| value::text(label, "label")).transpose()?,
        ..KeyQuery::default()
    };
    let work = async move { Ok(client.keys().list(query).await?) };
    Operation::new(py, work, |py, keys| report::give(py, &keys))
}

/// Sets labels, and takes away those whose value is `None`. Gives all labels that there are then.
#[pyfunction]
pub fn key_label(client: &Client, key: &Bound<'_, PyAny>, labels: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let (client, id) = (client.present(key.py())?, value::key(key)?);
    let labels: BTreeMap<String, Option<String>> =
        labels.extract().map_err(|_| wrong_type(labels, "labels", "a dict of str to str or None"))?;
    let work = async move { Ok(client.keys().label(&id, labels).await?.summary.labels) };
    Operation::new(key.py(), work, |py, labels: Labels| report::give(py, &labels))
}

/// An operation that ends with a key to show.
fn shown(
    py: Python<'_>,
    client: Inner,
    work: impl Future<Output = Result<KeyInfo, Error>> + Send + 'static,
) -> PyResult<Operation> {
    let work = async move { Ok(ShownKey::of(&work.await?, &client.root())) };
    Operation::new(py, work, |py, key| report::give(py, &key))
}

impl Wanted {
    fn into_new(self, key: KeyId, client: &Inner) -> Result<NewKey, Fault> {
        let members = match &self.managers {
            Some(names) => {
                Members::These(names.iter().map(|name| index(name, client)).collect::<Result<_, _>>()?)
            }
            None => Members::Any(self.of),
        };
        let root = match (self.on, self.shared) {
            (Some(other), _) => RootOfKey::SharedWith(other.parse().map_err(Error::from)?),
            (None, true) => RootOfKey::NewShared,
            (None, false) => RootOfKey::Dedicated,
        };
        Ok(NewKey {
            key,
            suite: named(&self.suite, "suite")?,
            t: self.threshold,
            members,
            purpose: named(&self.purpose, "purpose")?,
            customer_fragment: self.customer_fragment,
            root,
            labels: self.labels,
        })
    }
}

fn named<T: FromStr<Err: Display>>(name: &str, code: &'static str) -> Result<T, Fault> {
    name.parse().map_err(|error: T::Err| Fault::Invalid(code, error.to_string()))
}

fn index(name: &str, client: &Inner) -> Result<Index, Fault> {
    let root = client.root();
    let member = root.document().roster.iter().find(|member| member.name == name);
    let unknown = || Fault::Invalid("manager-unknown", format!("there is no fragment manager {name}"));
    member.map(|member| member.index).ok_or_else(unknown)
}

fn key_state(state: &Bound<'_, PyAny>) -> PyResult<KeyState> {
    let name = value::text(state, "state")?;
    serde_json::from_value(name.into())
        .map_err(|_| wrong_type(state, "state", "one of pending, active, disabled, scheduled, destroyed"))
}
