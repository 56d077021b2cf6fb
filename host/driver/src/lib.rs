//! The driver role: it drives one HSM for one key store of one account.
//!
//! It opens no port. It asks the access manager's queue for jobs, checks each of them itself against the owner's documents,
//! has a provider's plugin do it on the HSM, and hands in the result, sealed to whoever asked and signed. The queue can
//! withhold jobs and documents; it can make, change and read nothing. Keys are not here: they come wrapped with each job.
//!
//! - [`Driver`]: opening with everything that can be refused, then working until it is told to stop.
//! - [`KeyStore`]: what it takes of a provider; [`PluginKeyStore`] is the one that there is.
#![forbid(unsafe_code)]

mod clock;
mod config;
mod documents;
mod driver;
mod enrol;
mod journal;
mod key_store;
mod pin;
mod plugin;
mod queue;
mod token;
mod work;

pub use config::{Config, PluginConfig};
pub use documents::DocumentsError;
pub use driver::{Driver, Keys, OpenError, RunError, read_account};
pub use enrol::{EnrolError, enrol};
pub use key_store::{Fault, Generated, KeyStore, KeyStoreError, StoredKey};
pub use plugin::{PluginError, PluginKeyStore};
