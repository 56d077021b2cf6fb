//! The fragment manager role: it holds one fragment of each key and evaluates admitted inputs with it.
//!
//! It checks grant, permit and holder itself, believes nothing that isn't signed by the owner, the access manager's
//! permit key or the members of a set, and never sees another's fragment, a derived key or a plaintext.
//!
//! [`FragmentManager::open`] reads configuration, datastore and accounts, [`FragmentManager::serve`] answers channels.
#![forbid(unsafe_code)]

mod account;
mod accounts;
mod authorise;
mod ceremony;
mod certify;
mod channels;
mod clock;
mod config;
mod destroy;
mod evaluate;
mod fragments;
mod install;
mod log;
mod manager;
mod news;
mod rate;
mod refusal;
mod renew;
mod session;
mod sets;
mod trust;
mod vault;
mod witness;

pub use account::{Account, Notice};
pub use accounts::AccountsError;
pub use clock::Clock;
pub use config::Config;
pub use log::Log;
pub use manager::{Disguise, FragmentManager, OpenError};
pub use sets::{BoxFuture, FragmentError, FragmentSource, Served, ServedSet, Sets};
pub use trust::RecallError;
pub use vault::{Vault, VaultError};
