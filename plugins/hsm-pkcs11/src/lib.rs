//! Root keys in an HSM, through PKCS#11: a provider of keys for Symbolon's driver.
//!
//! The HSM keeps three keys of its own ([`master`]). Every other key is generated in it, wrapped under the master key, and
//! handed out as a [`wrapped`] key with a MAC of the HSM around it; to use it, it comes back, is checked, unwrapped as a
//! session object, used and destroyed. What a token can really do, the plugin finds out by doing it ([`probe`]), since
//! modules' own word is not to be relied on.
//!
//! Nothing secret passes through here. Keys are handles, plaintexts are handles, PINs are the host's.

mod bindings;
mod cache;
mod failure;
mod key;
mod kind;
mod master;
mod mechanism;
mod probe;
mod public_key;
mod sealing;
mod setting;
mod signing;
mod state;
mod template;
mod token;
mod wrapped;
mod wrapping;

/// What this component exports: each slice is implemented where its matter is.
struct Plugin;

bindings::export!(Plugin with_types_in bindings);
