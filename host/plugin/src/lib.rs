//! The plugin host: it takes a signed component, holds it to its grants, and runs it under limits.
//!
//! The only crate that names wasmtime. Nothing is granted by default and there is no WASI: what a component can reach is
//! what `wit/` defines, its manifest asks for, and the operator's file gives. All that can be refused is refused before
//! guest code runs ([`Refusal`]); what a running call does wrong costs that call and its instance ([`Verdict`]), and is
//! never mistaken for what a plugin says itself ([`PluginError`]).
//!
//! It does not protect a secret from an operator, and it is not a second wall behind wasmtime: a fault in wasmtime's
//! compiler is a fault of this host. That is why a signature is asked for first.

mod admission;
mod bindings;
mod bundle;
mod capability;
mod engine;
mod grants;
mod guest;
mod host;
mod instance;
mod keystore;
mod limits;
mod manifest;
mod plugin;
mod policy;
pub mod reason;
mod refusal;
mod secret;
mod structure;
mod tally;
mod tenant;
mod ticker;
mod verdict;
mod version;
mod warm;

pub use bundle::{Bundle, BundleError, Digests, MAX_FILE};
pub use capability::pkcs11::TokenWish;
pub use engine::{Settings, StartError};
pub use grants::{Asked, Capability, Given, Setting};
pub use host::PluginHost;
pub use keystore::{Descriptor, GeneratedKey, KeyRef, KeySpec, Keystore, SignInput};
pub use limits::{Limits, LimitsAsked};
pub use manifest::{Manifest, ManifestError, World};
pub use plugin::Plugin;
pub use policy::{Policy, SignatureRule};
pub use refusal::{Refusal, Structure, Unsigned, Wider};
pub use tally::Tally;
pub use tenant::{Tenant, WrongTenant};
pub use verdict::{CallError, Kind, PluginError, Size, Slice, Verdict};
pub use version::{Version, WrongVersion};
