//! Stored keys, sets and versions as the interface shows them.

use crate::{failure::Failure, policy::KeyFacts};
use std::collections::BTreeMap;
use symbolon_fragments::{
    SuiteId,
    names::{Index, KeyId, Purpose},
};
use symbolon_protocol::api::{
    self, Id, Instance, Key, KeyKind, KeyState, KeySummary, KeyVersion, VersionState,
};
use symbolon_store::access::{InstanceRow, KeyRow, ListedKey, NewVersion, VersionRow, VersionStatus};
use symbolon_trust::KeyAlgorithm;

/// What the interface calls the store that isn't inside an HSM.
const FRAGMENTS: &str = "fragments";

/// The number of a purpose that only keys in HSMs have.
const SIGNING: u8 = 4;

/// A line of the list.
pub(crate) fn line(listed: &ListedKey) -> Result<KeySummary, Failure> {
    summary(&listed.key, &listed.row, &listed.version)
}

/// A key with all its versions, newest first.
pub(crate) fn key(key: &KeyId, row: &KeyRow, versions: &[VersionRow]) -> Result<Key, Failure> {
    let standing = versions.iter().find(|version| row.current == 0 || version.version.version == row.current);
    let standing = standing.ok_or_else(|| Failure::internal("a key without versions"))?;
    let all_versions = versions.iter().map(version).collect::<Result<_, _>>()?;
    Ok(Key { summary: summary(key.as_str(), row, standing)?, all_versions })
}

fn summary(key: &str, row: &KeyRow, standing: &VersionRow) -> Result<KeySummary, Failure> {
    let version = &standing.version;
    Ok(KeySummary {
        key: key.to_owned(),
        store: store(version),
        state: state(&row.state)?,
        version: row.current,
        versions: row.newest,
        suite: suite_name(version)?.to_owned(),
        kind: kind(version.shared),
        purpose: shown_purpose(version)?,
        customer_fragment: version.customer_fragment,
        t: version.t,
        n: u16::try_from(version.members.len()).unwrap_or(u16::MAX),
        ever_whole: standing.imported,
        created: version.created,
        labels: row.labels.clone(),
    })
}

fn version(row: &VersionRow) -> Result<KeyVersion, Failure> {
    let version = &row.version;
    let proof = row.certificate.clone().map(Into::into);
    let (certificate, wrapped_key) = if version.store.is_none() { (proof, None) } else { (None, proof) };
    Ok(KeyVersion {
        version: version.version,
        store: store(version),
        state: match row.status {
            VersionStatus::Pending => VersionState::Pending,
            VersionStatus::Active => VersionState::Active,
            VersionStatus::Scheduled => VersionState::Scheduled,
            VersionStatus::Destroyed => VersionState::Destroyed,
        },
        set: version.set.map(|set| Id(*set.as_bytes())),
        suite: suite_name(version)?.to_owned(),
        kind: kind(version.shared),
        purpose: shown_purpose(version)?,
        customer_fragment: version.customer_fragment,
        t: version.t,
        members: numbers(&version.members),
        ever_whole: row.imported,
        created: version.created,
        request: version.request.clone().into(),
        certificate,
        wrapped_key,
        destroy_at: row.destroy_at,
        destroy_serial: row.destroy_serial,
    })
}

/// An instance of a set.
pub(crate) fn instance(row: &InstanceRow) -> Instance {
    let instance = &row.instance;
    Instance {
        instance: Id(*instance.instance.as_bytes()),
        serial: instance.serial,
        epoch: instance.epoch,
        t: instance.t,
        members: numbers(&instance.members),
        flipped: row.flipped.clone(),
        settled: row.settled,
        completed: row.completed,
        certificate: instance.certificate.clone().into(),
    }
}

/// A key version as a policy sees it.
pub(crate) fn facts<'a>(
    key: &'a KeyId,
    row: &VersionRow,
    labels: &'a BTreeMap<String, String>,
) -> Result<KeyFacts<'a>, Failure> {
    Ok(KeyFacts {
        key,
        version: row.version.version,
        purpose: purpose_name(&row.version)?,
        kind: kind_name(row.version.shared),
        customer_fragment: row.version.customer_fragment,
        labels,
    })
}

/// The suite with this number.
pub(crate) fn suite(number: u8) -> Result<SuiteId, Failure> {
    SuiteId::try_from(u64::from(number)).map_err(Failure::internal)
}

/// The algorithm of a key in an HSM.
fn algorithm(version: &NewVersion) -> Result<Option<KeyAlgorithm>, Failure> {
    let unknown = || Failure::internal("an algorithm that there is not");
    let found = version.store.as_ref().map(|_| KeyAlgorithm::of_number(version.suite).ok_or_else(unknown));
    found.transpose()
}

fn store(version: &NewVersion) -> String {
    version.store.clone().unwrap_or_else(|| FRAGMENTS.to_owned())
}

fn suite_name(version: &NewVersion) -> Result<&'static str, Failure> {
    match algorithm(version)? {
        Some(algorithm) => Ok(algorithm.name()),
        None => Ok(suite(version.suite)?.name()),
    }
}

fn purpose(number: u8) -> Result<Purpose, Failure> {
    let all = [Purpose::Data, Purpose::DataKey, Purpose::Wrap];
    let found = all.into_iter().find(|purpose| purpose.number() == number);
    found.ok_or_else(|| Failure::internal("a purpose that there is not"))
}

/// The number of what a key in an HSM is for: wrapping, or, beside the purposes that keys of fragments have, signing.
pub(crate) const fn hsm_purpose(algorithm: KeyAlgorithm) -> u8 {
    if algorithm.signs() { SIGNING } else { Purpose::Wrap.number() }
}

/// Its name in policies.
pub(crate) const fn hsm_purpose_name(algorithm: KeyAlgorithm) -> &'static str {
    if algorithm.signs() { "sign" } else { Purpose::Wrap.name() }
}

fn purpose_name(version: &NewVersion) -> Result<&'static str, Failure> {
    match algorithm(version)? {
        Some(algorithm) => Ok(hsm_purpose_name(algorithm)),
        None => Ok(purpose(version.purpose)?.name()),
    }
}

fn shown_purpose(version: &NewVersion) -> Result<api::Purpose, Failure> {
    if algorithm(version)?.is_some_and(KeyAlgorithm::signs) {
        return Ok(api::Purpose::Sign);
    }
    Ok(match purpose(version.purpose)? {
        Purpose::Data => api::Purpose::Data,
        Purpose::DataKey => api::Purpose::DataKey,
        Purpose::Wrap => api::Purpose::Wrap,
    })
}

fn kind(shared: bool) -> KeyKind {
    if shared { KeyKind::Shared } else { KeyKind::Dedicated }
}

/// A kind's name in policies.
pub(crate) fn kind_name(shared: bool) -> &'static str {
    if shared { "shared" } else { "dedicated" }
}

/// A state's name in the datastore.
pub(crate) const fn state_name(state: KeyState) -> &'static str {
    match state {
        KeyState::Pending => "pending",
        KeyState::Active => "active",
        KeyState::Disabled => "disabled",
        KeyState::Scheduled => "scheduled",
        KeyState::Destroyed => "destroyed",
    }
}

/// The state of that name in the datastore.
pub(crate) fn state(name: &str) -> Result<KeyState, Failure> {
    let all =
        [KeyState::Pending, KeyState::Active, KeyState::Disabled, KeyState::Scheduled, KeyState::Destroyed];
    let found = all.into_iter().find(|state| state_name(*state) == name);
    found.ok_or_else(|| Failure::internal("a key state that there is not"))
}

fn numbers(members: &[Index]) -> Vec<u16> {
    members.iter().map(|member| member.get()).collect()
}
