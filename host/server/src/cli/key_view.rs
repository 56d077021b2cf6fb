//! How keys look: in a list from what the access manager says, one by one from its certificates, which it can't make.

use std::fmt;

use serde::Serialize;
use symbolon_client::keys::{KeyInfo, fingerprint};
use symbolon_fragments::names::Index;
use symbolon_protocol::api::{KeyState, KeySummary, KeyVersion, Labels, VersionState};
use symbolon_trust::{KeyKind, TrustedRoot, VerifiedKeyCertificate, VerifiedWrappedKey};

use super::date;
use super::output::Table;

/// Keys as the access manager lists them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Listed(pub Vec<KeySummary>);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "no keys yet. Make one:  symbolon key create notes");
        }
        let mut table =
            Table::new(["key", "version", "state", "fragments", "suite", "for", "created", "labels"]);
        for key in &self.0 {
            table.row([
                key.key.clone(),
                if key.version == 0 { "-".to_owned() } else { format!("v{}", key.version) },
                state_word(key.state).to_owned(),
                if key.t == 0 { format!("in {}", key.store) } else { format!("{}-of-{}", key.t, key.n) },
                if key.t == 0 { key.suite.clone() } else { group(&key.suite).to_owned() },
                purpose(key),
                date::day(key.created),
                labels(&key.labels),
            ]);
        }
        table.fmt(f)
    }
}

fn purpose(key: &KeySummary) -> String {
    let purpose = serde_json::to_value(key.purpose).ok();
    purpose.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn labels(labels: &Labels) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// The word for a state.
pub const fn state_word(state: KeyState) -> &'static str {
    match state {
        KeyState::Pending => "pending",
        KeyState::Active => "active",
        KeyState::Disabled => "disabled",
        KeyState::Scheduled => "to be destroyed",
        KeyState::Destroyed => "destroyed",
    }
}

/// A suite's name without its hash.
fn group(suite: &str) -> &str {
    suite.split('-').next().unwrap_or(suite)
}

/// A key with the versions that were asked for.
#[derive(Debug, Serialize)]
pub struct Shown {
    key: String,
    state: KeyState,
    labels: Labels,
    versions: Vec<ShownVersion>,
}

#[derive(Debug, Serialize)]
struct ShownVersion {
    version: u64,
    state: VersionState,
    destroy_at: Option<u64>,
    destroy_serial: Option<u64>,
    certificate: Option<Certificate>,
    wrapped_key: Option<WrappedKey>,
}

/// What the driver signed that had an HSM make the key.
#[derive(Debug, Serialize)]
struct WrappedKey {
    hash: String,
    store: String,
    algorithm: &'static str,
    public_key: Option<String>,
    driver: String,
    created: u64,
}

/// What all members signed.
#[derive(Debug, Serialize)]
struct Certificate {
    fingerprint: String,
    suite: &'static str,
    threshold: String,
    kind: &'static str,
    purpose: String,
    customer_fragment: bool,
    ever_whole: bool,
    created: u64,
    set: String,
    managers: Vec<Manager>,
}

#[derive(Debug, Serialize)]
struct Manager {
    name: String,
    region: String,
}

impl Shown {
    /// The newest version alone, as after creating it.
    pub fn newest(info: &KeyInfo, root: &TrustedRoot) -> Self {
        let newest = info.entry.all_versions.iter().max_by_key(|version| version.version);
        Self::of(info, newest.into_iter(), root)
    }

    /// All versions, newest first.
    pub fn all(info: &KeyInfo, root: &TrustedRoot) -> Self {
        let mut versions: Vec<&KeyVersion> = info.entry.all_versions.iter().collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.version));
        Self::of(info, versions.into_iter(), root)
    }

    /// One version, if there is one.
    pub fn version(info: &KeyInfo, number: u64, root: &TrustedRoot) -> Option<Self> {
        let version = info.entry.all_versions.iter().find(|version| version.version == number)?;
        Some(Self::of(info, std::iter::once(version), root))
    }

    fn of<'v>(info: &KeyInfo, versions: impl Iterator<Item = &'v KeyVersion>, root: &TrustedRoot) -> Self {
        let summary = &info.entry.summary;
        let versions = versions.map(|version| ShownVersion::of(version, info, root)).collect();
        Self { key: summary.key.clone(), state: summary.state, labels: summary.labels.clone(), versions }
    }
}

impl ShownVersion {
    fn of(version: &KeyVersion, info: &KeyInfo, root: &TrustedRoot) -> Self {
        let certificate =
            info.certificates.iter().find(|known| known.certificate().version == version.version);
        let wrapped = info.wrapped.iter().find(|known| known.key().version == version.version);
        Self {
            version: version.version,
            state: version.state,
            destroy_at: version.destroy_at,
            destroy_serial: version.destroy_serial,
            certificate: certificate.map(|certificate| Certificate::of(certificate, root)),
            wrapped_key: wrapped.map(|wrapped| WrappedKey::of(wrapped, root)),
        }
    }
}

const fn version_state(state: VersionState) -> &'static str {
    match state {
        VersionState::Pending => "pending",
        VersionState::Active => "active",
        VersionState::Scheduled => "to be destroyed",
        VersionState::Destroyed => "destroyed",
    }
}

impl Certificate {
    fn of(verified: &VerifiedKeyCertificate, root: &TrustedRoot) -> Self {
        let certificate = verified.certificate();
        Self {
            fingerprint: hex::encode(fingerprint(verified)),
            suite: certificate.suite.name(),
            threshold: format!("{}-of-{}", certificate.t, certificate.members.len()),
            kind: match certificate.kind {
                KeyKind::Dedicated => "dedicated",
                KeyKind::Shared => "shared",
            },
            purpose: certificate.purpose.to_string(),
            customer_fragment: certificate.customer_fragment,
            ever_whole: certificate.imported,
            created: certificate.created.0,
            set: certificate.set.to_string(),
            managers: certificate.members.iter().map(|index| Manager::of(*index, root)).collect(),
        }
    }
}

impl WrappedKey {
    fn of(wrapped: &VerifiedWrappedKey, root: &TrustedRoot) -> Self {
        let key = wrapped.key();
        Self {
            hash: hex::encode(wrapped.hash()),
            store: key.store.to_string(),
            algorithm: key.algorithm.name(),
            public_key: key.public_key.as_ref().map(hex::encode),
            driver: Manager::of(key.driver, root).name,
            created: key.created.0,
        }
    }
}

impl Manager {
    fn of(index: Index, root: &TrustedRoot) -> Self {
        let member = root.document().member(index);
        let name = member.map_or_else(|| format!("member {index}"), |member| member.name.clone());
        Self { name, region: member.map(|member| member.region.clone()).unwrap_or_default() }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.region.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{} ({})", self.name, self.region)
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.versions {
            let state = match version.state {
                VersionState::Active => state_word(self.state),
                other => version_state(other),
            };
            write!(f, "{} v{}", self.key, version.version)?;
            version.certificate.iter().try_for_each(|certificate| write!(f, "  {certificate}"))?;
            version.wrapped_key.iter().try_for_each(|wrapped| {
                write!(f, "  {}  in the key store {}, never outside an HSM", wrapped.algorithm, wrapped.store)
            })?;
            writeln!(f, "{}", if state == "active" { String::new() } else { format!("  {state}") })?;
            version.write_details(f)?;
        }
        if !self.labels.is_empty() {
            writeln!(f, "  labels  {}", labels(&self.labels))?;
        }
        Ok(())
    }
}

impl ShownVersion {
    fn write_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.destroy_at.map(date::minute) {
            writeln!(f, "  to be destroyed at {at}, until when the owner can cancel it")?;
        }
        if let Some(wrapped) = &self.wrapped_key {
            let short = format!("{}…{}", &wrapped.hash[..4], &wrapped.hash[62..]);
            return writeln!(f, "  driver  {}   wrapped key {short}", wrapped.driver);
        }
        let Some(certificate) = &self.certificate else {
            return writeln!(
                f,
                "  not certified yet: the command that was to make it finishes it, given again"
            );
        };
        let managers: Vec<String> = certificate.managers.iter().map(ToString::to_string).collect();
        let (fingerprint, signers) = (&certificate.fingerprint, managers.len());
        let short = format!("{}…{}", &fingerprint[..4], &fingerprint[62..]);
        writeln!(
            f,
            "  fragment managers  {}   certificate {short} signed by all {signers}",
            managers.join(", ")
        )
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.ever_whole { "imported: existed whole once" } else { "never existed whole" };
        write!(f, "{}  {}  {whole}", group(self.suite), self.threshold)?;
        if self.purpose != "data" {
            write!(f, "  for {}", self.purpose)?;
        }
        if self.kind == "shared" {
            write!(f, "  on a shared root")?;
        }
        if self.customer_fragment {
            write!(f, "  with a customer fragment")?;
        }
        Ok(())
    }
}
