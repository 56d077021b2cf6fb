//! What comes from outside is what `deny.toml` admits: licences, sources, banned crates.
//!
//! Advisories are left to cargo-deny, since they need a database; so are the fine points of its configuration.

use std::collections::BTreeMap;

use cargo_metadata::{Metadata, Package};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, Licensee};
use symbolon_arrows::{closure, metadata, root};

const LINUX: &str = "x86_64-unknown-linux-gnu";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

fn deny() -> Deny {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    toml::from_str(&text).expect("deny.toml is TOML in cargo-deny's form")
}

/// Everything that ends up in what we ship.
fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let linked = closure(metadata, &metadata.workspace_members);
    linked.into_iter().map(|id| &metadata[id]).collect()
}

fn is_admitted(requirement: &LicenseReq, allowed: &[String]) -> bool {
    allowed.iter().any(|licence| Licensee::parse(licence).expect("an SPDX name").satisfies(requirement))
}

fn allowed_for(deny: &Deny, name: &str) -> Vec<String> {
    let exceptions = deny.licenses.exceptions.iter().filter(|exception| exception.name == name);
    deny.licenses
        .allow
        .iter()
        .cloned()
        .chain(exceptions.flat_map(|exception| exception.allow.clone()))
        .collect()
}

fn admits(deny: &Deny, package: &Package) -> bool {
    let text = package.license.as_deref().unwrap_or_default();
    let expression = Expression::parse_mode(text, spdx::ParseMode::LAX);
    let allowed = allowed_for(deny, &package.name);
    expression.is_ok_and(|expression| expression.evaluate(|requirement| is_admitted(requirement, &allowed)))
}

#[test]
fn licences_are_admitted() {
    let (deny, metadata) = (deny(), metadata(LINUX));
    let refused: BTreeMap<_, _> = shipped(&metadata)
        .into_iter()
        .filter(|package| !admits(&deny, package))
        .map(|package| (package.name.to_string(), &package.license))
        .collect();
    assert!(refused.is_empty(), "deny.toml admits none of the licences of {refused:#?}");
}

#[test]
fn every_exception_is_used() {
    let (deny, metadata) = (deny(), metadata(LINUX));
    let packages = shipped(&metadata);
    for exception in &deny.licenses.exceptions {
        assert!(
            packages.iter().any(|package| package.name.as_str() == exception.name),
            "{} isn't in the tree",
            exception.name
        );
    }
}

#[test]
fn a_licence_that_is_not_listed_is_refused() {
    let expression = Expression::parse("GPL-3.0-only OR (MIT AND SSPL-1.0)").expect("SPDX");
    assert!(!expression.evaluate(|requirement| is_admitted(requirement, &deny().licenses.allow)));
}

#[test]
fn sources_are_crates_io_or_our_own() {
    for package in &metadata(LINUX).packages {
        let source = package.source.as_ref().map(|source| source.repr.as_str());
        assert!(source.is_none_or(|source| source == CRATES_IO), "{} comes from {source:?}", package.name);
    }
}

#[test]
fn banned_crates_are_absent() {
    let metadata = metadata(LINUX);
    let packages = shipped(&metadata);
    for Ban { name, reason } in deny().bans.deny {
        assert!(!packages.iter().any(|package| package.name.as_str() == name), "{name} is banned: {reason}");
    }
}
