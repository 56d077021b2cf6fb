//! What there is to be shown, as `dict`s: keys, headers, servers. The package makes its classes of them.

use pyo3::prelude::*;
use pyo3::types::PyString;
use serde::Serialize;
use symbolon_client::keys::{KeyInfo, fingerprint};
use symbolon_client::{Client, Header, ManagerStatus, Notice, Status};
use symbolon_fragments::names::Index;
use symbolon_protocol::api::{KeyState, KeyVersion, Labels, VersionState};
use symbolon_trust::{KeyKind, TrustedRoot, VerifiedKeyCertificate};

/// Gives a value by way of JSON: nothing here is so large or so frequent that it mattered.
pub fn give<'py>(py: Python<'py>, shown: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(shown).unwrap_or_default();
    py.import("json")?.call_method1("loads", (PyString::new(py, &text),))
}

/// A key.
#[derive(Serialize)]
pub struct ShownKey {
    id: String,
    state: KeyState,
    labels: Labels,
    versions: Vec<ShownVersion>,
}

#[derive(Serialize)]
struct ShownVersion {
    version: u64,
    state: VersionState,
    destroy_at: Option<u64>,
    certificate: Option<Certificate>,
}

/// What all members of the fragment set signed.
#[derive(Serialize)]
struct Certificate {
    fingerprint: String,
    suite: &'static str,
    threshold: u16,
    managers: Vec<String>,
    shared: bool,
    purpose: String,
    customer_fragment: bool,
    ever_whole: bool,
    created: u64,
    set: String,
}

impl ShownKey {
    /// A key with all its versions, newest first.
    pub fn of(info: &KeyInfo, root: &TrustedRoot) -> Self {
        let summary = &info.entry.summary;
        let mut versions: Vec<_> = info.entry.all_versions.iter().collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.version));
        let versions = versions.into_iter().map(|version| ShownVersion::of(version, info, root)).collect();
        Self { id: summary.key.clone(), state: summary.state, labels: summary.labels.clone(), versions }
    }
}

impl ShownVersion {
    fn of(version: &KeyVersion, info: &KeyInfo, root: &TrustedRoot) -> Self {
        let certificate =
            info.certificates.iter().find(|known| known.certificate().version == version.version);
        Self {
            version: version.version,
            state: version.state,
            destroy_at: version.destroy_at,
            certificate: certificate.map(|certificate| Certificate::of(certificate, root)),
        }
    }
}

impl Certificate {
    fn of(verified: &VerifiedKeyCertificate, root: &TrustedRoot) -> Self {
        let certificate = verified.certificate();
        Self {
            fingerprint: hex::encode(fingerprint(verified)),
            suite: certificate.suite.name(),
            threshold: certificate.t,
            managers: certificate.members.iter().map(|index| name(*index, root)).collect(),
            shared: certificate.kind == KeyKind::Shared,
            purpose: certificate.purpose.to_string(),
            customer_fragment: certificate.customer_fragment,
            ever_whole: certificate.imported,
            created: certificate.created.0,
            set: certificate.set.to_string(),
        }
    }
}

fn name(index: Index, root: &TrustedRoot) -> String {
    let member = root.document().member(index);
    member.map_or_else(|| format!("member {index}"), |member| member.name.clone())
}

/// What a ciphertext says about itself.
#[derive(Serialize)]
pub struct ShownHeader {
    account: String,
    key: String,
    version: u64,
    suite: &'static str,
    purpose: String,
    writer: String,
    created: u64,
    customer_fragment: Option<String>,
    chunk: usize,
    context_pairs: u8,
}

impl From<&Header> for ShownHeader {
    fn from(header: &Header) -> Self {
        Self {
            account: header.account.to_string(),
            key: header.key.to_string(),
            version: header.version,
            suite: header.suite.name(),
            purpose: header.purpose.to_string(),
            writer: header.writer.to_string(),
            created: header.created,
            customer_fragment: header.cf.map(|id| id.to_string()),
            chunk: header.chunk.plain(),
            context_pairs: header.context_pairs,
        }
    }
}

/// How the servers are.
#[derive(Serialize)]
pub struct ShownStatus {
    access_manager: Server,
    managers: Vec<Server>,
}

/// One server: its clock, or why it doesn't answer.
#[derive(Serialize)]
struct Server {
    name: String,
    time: Option<u64>,
    took: Option<f64>,
    problem: Option<String>,
}

impl From<&Status> for ShownStatus {
    fn from(status: &Status) -> Self {
        let (time, problem) = match &status.access_manager {
            Ok(health) => (Some(health.time), None),
            Err(error) => (None, Some(error.detail())),
        };
        let access_manager = Server { name: "access-manager".to_owned(), time, took: None, problem };
        Self { access_manager, managers: status.managers.iter().map(Server::from).collect() }
    }
}

impl From<&ManagerStatus> for Server {
    fn from(manager: &ManagerStatus) -> Self {
        let (time, problem) = match &manager.status {
            Ok(status) => (Some(status.time.0), None),
            Err(reason) => (None, Some(reason.to_string())),
        };
        let took = Some(manager.took.as_secs_f64());
        Self { name: manager.member.to_string(), time, took, problem }
    }
}

/// What an operation got around.
#[derive(Serialize)]
pub struct ShownNotice {
    manager: String,
    lied: bool,
    message: String,
}

impl From<&Notice> for ShownNotice {
    fn from(notice: &Notice) -> Self {
        Self {
            manager: notice.member().to_string(),
            lied: matches!(notice, Notice::Lied(_)),
            message: notice.to_string(),
        }
    }
}

/// Who the client is.
#[derive(Serialize)]
pub struct ShownHolder {
    account: String,
    holder: String,
}

impl ShownHolder {
    /// The client's account and holder.
    pub fn of(client: &Client) -> Self {
        Self { account: client.root().account().to_string(), holder: client.holder().to_string() }
    }
}
