//! The guest in Rust, which does what its setting `behaviour` says (`tests/guests/rust`).

use std::path::PathBuf;

use symbolon_plugin::{Bundle, Policy, Setting};
use wit_component::ComponentEncoder;

const MODULE: &str = "symbolon_hostile_guest.wasm";

/// What it asks for; the token is for those of its behaviours that flood one.
pub const MANIFEST: &str = r#"
schema = 1
[plugin]
id = "org.example.hostile"
version = "1.0.0"
world = "symbolon:plugin/keystore-provider@0.1.0"
summary = "A guest in Rust for tests"
license = "Apache-2.0"
[grants]
log = true
entropy = true
clock = true
config = ["behaviour"]
[grants.pkcs11.main]
mechanisms = ["CKM_GENERIC_SECRET_KEY_GEN"]
attributes = [
    "CKA_CLASS", "CKA_KEY_TYPE", "CKA_TOKEN", "CKA_SENSITIVE", "CKA_EXTRACTABLE", "CKA_ENCRYPT", "CKA_DECRYPT", "CKA_WRAP",
    "CKA_UNWRAP", "CKA_SIGN", "CKA_VALUE_LEN",
]
[limits]
memory-mib = 4
compute-ms = 100
[instance]
warm = true
"#;

/// The guest's file, signed by [`crate::signer`].
///
/// # Panics
/// `cargo xtask plugins` has not run, or what it made is no component's module.
pub fn bundle() -> Bundle {
    let module = std::fs::read(built(MODULE)).expect("the guest's module");
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    let component = encoder.and_then(|mut encoder| encoder.encode()).expect("a component");
    crate::bundle(MANIFEST, component)
}

/// What an operator writes who trusts [`crate::signer`], gives what [`MANIFEST`] asks for, and says how it shall behave. The
/// token is nowhere, which shows only when it is opened.
///
/// # Panics
/// Never: the grants are right.
pub fn policy(behaviour: &str) -> Policy {
    let grants = toml::from_str(
        "log = true\nentropy = true\nclock = true\npkcs11.main = { module = '/nowhere', token = 't', pin-file = '/nowhere' }",
    );
    let mut policy = Policy { grants: grants.expect("the grants are right"), ..crate::policy() };
    policy.grants.config.insert("behaviour".into(), Setting::Text(behaviour.into()));
    policy
}

/// A module that `cargo xtask plugins` built: in `$SYMBOLON_PLUGINS`, or where it puts them, below one of the folders that this
/// test lies in.
///
/// # Panics
/// If it isn't there.
pub fn built(module: &str) -> PathBuf {
    let given = std::env::var_os("SYMBOLON_PLUGINS").map(|folder| vec![PathBuf::from(folder).join(module)]);
    let candidates = given.unwrap_or_else(|| {
        let path = format!("plugins/wasm32-unknown-unknown/release/{module}");
        let us = std::env::current_exe().unwrap_or_default();
        us.ancestors().map(|folder| folder.join(&path)).collect()
    });
    let found = candidates.iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{module} is in none of {candidates:?}; run: cargo xtask plugins")).clone()
}
