//! A plugin to begin with: a provider of keys that reads a setting and has no store behind it yet. It offers no algorithm,
//! so nobody asks it for keys.

mod bindings {
    #![expect(clippy::pedantic, reason = "generated; the contracts are documented in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "symbolon:plugin/keystore-provider",
        generate_all,
    });
}

use bindings::exports::symbolon::keystore::provider::{Descriptor, Guest, GuestKey, Key, KeyInfo, KeySpec};
use bindings::symbolon::host::{config, log};
use bindings::symbolon::types::errors::{Error, Kind};
use bindings::symbolon::types::values::{Attributes, Value};

/// What this component exports.
struct Plugin;

/// A key of the store; there is none yet.
enum NoKey {}

impl Guest for Plugin {
    type Key = NoKey;

    fn describe() -> Result<Descriptor, Error> {
        Ok(Descriptor {
            name: "example".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            algorithms: Vec::new(),
            attributes: Vec::new(),
        })
    }

    fn check_config() -> Result<(), Error> {
        endpoint().map(drop)
    }

    fn health() -> Result<Attributes, Error> {
        let endpoint = endpoint()?;
        log::emit(log::Level::Info, &format!("this is where {endpoint} would be asked"), &[]);
        Ok(vec![("endpoint".into(), Value::Text(endpoint))])
    }

    fn generate(spec: KeySpec, _binding: Vec<u8>) -> Result<Key, Error> {
        Err(error(Kind::Unsupported, "algorithm.unknown", format!("no store makes {}", spec.algorithm)))
    }

    fn open(_id: Vec<u8>, _binding: Vec<u8>) -> Result<Key, Error> {
        Err(error(Kind::NotFound, "example.no-store", "no store has keys"))
    }
}

impl GuestKey for NoKey {
    fn info(&self) -> Result<KeyInfo, Error> {
        match *self {}
    }

    fn destroy(&self) -> Result<(), Error> {
        match *self {}
    }
}

/// The operator's setting.
fn endpoint() -> Result<String, Error> {
    match config::get("endpoint") {
        Some(Value::Text(endpoint)) => Ok(endpoint),
        Some(_) => Err(error(Kind::Invalid, "config.value", "`endpoint` has to be a text")),
        None => Err(error(Kind::Invalid, "config.missing", "`endpoint` is missing")),
    }
}

fn error(kind: Kind, reason: &str, message: impl Into<String>) -> Error {
    Error {
        kind,
        reason: reason.into(),
        message: message.into(),
        retry_after_ms: None,
        attributes: Vec::new(),
    }
}

bindings::export!(Plugin with_types_in bindings);
