//! The one client: sessions, combination, envelope streams, key management.
#![forbid(unsafe_code)]

mod aead;
mod bulk;
pub mod customer;
pub mod error;
pub mod identity;
mod profile;
mod random;
mod secret;

pub use bulk::{
    DecryptReader, Decryption, EncryptWriter, Encryption, FileOptions, IncrementalDecryption,
    IncrementalEncryption, OutputFile, Progress, SeekReader, read_preamble,
};
pub use error::Error;
pub use profile::{Profile, ProfileError, RouteChoice};
pub use secret::{NoUnlock, Protection, SecretError, Unlock, create_key_file};
