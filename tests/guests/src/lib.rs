//! Guests: in WebAssembly's text form one that keeps the contract, with the means to make each of its functions hostile,
//! made in the process that tests them; and [one in Rust](rust), made with a plugin author's own tools.
#![expect(
    clippy::missing_panics_doc,
    reason = "a fixture that isn't as it must be ends its test by panicking"
)]

pub mod contract;
pub mod crowd;
pub mod rust;
pub mod text;

use std::collections::BTreeMap;

use symbolon_plugin::{Bundle, Policy, SignatureRule};
use symbolon_trust::KeyPair;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// A guest under construction.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Bodies of exported functions that differ from the good guest's.
    bodies: BTreeMap<&'static str, String>,
    /// Further items of the core module: imports first.
    imports: String,
    items: String,
    memory: String,
    realloc: String,
    destructor: String,
    slices: &'static [&'static str],
}

/// The good guest's manifest. Its limits are short, so that hostile ones are done with soon.
pub const MANIFEST: &str = r#"
schema = 1
[plugin]
id = "org.example.guest"
version = "1.0.0"
world = "symbolon:plugin/keystore-provider@0.1.0"
summary = "A guest for tests"
license = "Apache-2.0"
[grants]
log = true
entropy = true
clock = true
invocation = true
config = ["greeting"]
[limits]
memory-mib = 4
compute-ms = 100
[instance]
warm = true
"#;

/// What an operator writes who trusts [`signer`] and gives what [`MANIFEST`] asks for.
pub fn policy() -> Policy {
    let grants = toml::from_str(
        "log = true\nentropy = true\nclock = true\ninvocation = true\nconfig = { greeting = 'hello' }",
    );
    Policy {
        signers: vec![signer().public()],
        signature: SignatureRule::Required,
        grants: grants.expect("the grants are right"),
        ..Policy::default()
    }
}

/// Whoever signs the guests.
pub fn signer() -> KeyPair {
    KeyPair::from_seed(&[7; 32])
}

/// A signed bundle of these parts.
pub fn bundle(manifest: &str, component: Vec<u8>) -> Bundle {
    let mut bundle = Bundle::new(manifest.into(), component);
    bundle.sign(&signer());
    bundle
}

impl Guest {
    /// Keeps the contract: provider and signing, with keys whose id is random.
    pub fn good() -> Self {
        Self {
            bodies: BTreeMap::new(),
            imports: String::new(),
            items: String::new(),
            memory: "2".into(),
            realloc: text::REALLOC.into(),
            destructor: String::new(),
            slices: &["signing"],
        }
    }

    /// Another body for an exported function, named as in [`text::FUNCTIONS`].
    #[must_use]
    pub fn body(mut self, function: &'static str, wat: &str) -> Self {
        assert!(text::FUNCTIONS.iter().any(|f| f.name == function), "no function {function}");
        self.bodies.insert(function, wat.into());
        self
    }

    /// A body for `sign-message` that gives back `wat` bytes: the usual place to be hostile, since the rest goes on working.
    #[must_use]
    pub fn hostile(self, wat: &str) -> Self {
        self.body("signing#sign-message", &format!("{wat} (unreachable)"))
    }

    /// Further imports.
    #[must_use]
    pub fn import(mut self, wat: &str) -> Self {
        self.imports.push_str(wat);
        self
    }

    /// Further items: functions, tables, globals, a start function.
    #[must_use]
    pub fn item(mut self, wat: &str) -> Self {
        self.items.push_str(wat);
        self
    }

    /// Another memory: pages from the start, and at most.
    #[must_use]
    pub fn memory(mut self, limits: &str) -> Self {
        self.memory = limits.into();
        self
    }

    /// Another body of the allocator that the host asks for room.
    #[must_use]
    pub fn realloc(mut self, wat: &str) -> Self {
        self.realloc = wat.into();
        self
    }

    /// Another destructor of keys.
    #[must_use]
    pub fn destructor(mut self, wat: &str) -> Self {
        self.destructor = wat.into();
        self
    }

    /// Seals, too; and keeps the secret that it is lent for that, or gives it back as it must.
    #[must_use]
    pub fn sealing(mut self, keeps: bool) -> Self {
        self.slices = &["signing", "sealing"];
        self.import(r#"(import "symbolon:types/secrets@0.1.0" "[resource-drop]secret" (func $give-back (param i32)))"#)
            .item(&text::sealing(keeps))
    }

    /// The core module, as text.
    pub fn text(&self) -> String {
        text::module(&self.bodies, &self.imports, &self.items, &self.memory, &self.realloc, &self.destructor)
    }

    /// The component, for the contract of `wit/`.
    pub fn component(&self) -> Vec<u8> {
        self.component_for(&contract::current())
    }

    /// The core module, with the contract in it as wit-bindgen writes it.
    pub fn module(&self) -> Vec<u8> {
        module(&self.text(), &contract::current(), self.slices)
    }

    /// The component, for another contract.
    pub fn component_for(&self, contract: &contract::Sources) -> Vec<u8> {
        let text = self.text().replace("@0.1.0", &format!("@{}", contract.version()));
        component(&text, contract, self.slices)
    }

    /// The component with the good guest's manifest, signed.
    pub fn bundle(&self) -> Bundle {
        bundle(MANIFEST, self.component())
    }
}

/// A core module that says what contract it is for.
fn module(text: &str, contract: &contract::Sources, slices: &[&str]) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let (resolve, world) = contract.world(slices);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the world fits");
    module
}

/// A component of such a module.
fn component(text: &str, contract: &contract::Sources, slices: &[&str]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().validate(true).module(&module(text, contract, slices));
    encoder.and_then(|mut encoder| encoder.encode()).unwrap_or_else(|error| panic!("{error:?}"))
}
