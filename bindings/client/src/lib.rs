//! The one client: sessions, combination, envelope streams, key management.
//!
//! [`Client`] is one holder in one account. It gets permits from the access manager, evaluations from fragment
//! managers, and combines here; nobody else ever has a message's key. The command line, the gateway and the bindings
//! of other languages are shells around it.
#![forbid(unsafe_code)]

mod access;
mod aead;
pub mod audit;
mod bounded;
mod bulk;
pub mod chain;
mod client;
mod clock;
pub mod customer;
mod data_key;
pub mod error;
mod files;
pub mod hsm;
pub mod identity;
pub mod keys;
mod managers;
mod message;
mod notice;
pub mod owner;
mod permits;
pub mod private_file;
mod profile;
mod quorum;
mod random;
mod retry;
mod root;
mod secret;
mod status;
mod versions;

pub use access::{Access, AccessError, Subject};
pub use bulk::{
    DecryptReader, Decryption, EncryptWriter, Encryption, FileOptions, IncrementalDecryption,
    IncrementalEncryption, OutputFile, Progress, SeekReader, preamble_missing, read_preamble,
};
pub use client::{Client, Options};
pub use data_key::DataKey;
pub use error::{Error, Kind};
pub use files::FileProgress;
pub use notice::Notice;
pub use profile::{Profile, ProfileError, RouteChoice};
pub use secret::{NoUnlock, Protection, SecretError, Unlock, create_key_file};
pub use status::{ManagerStatus, Status};
pub use symbolon_envelope::{Context, ContextError, Header, Preamble};
