//! A role's own keys, as files on its own machine: made there, never carried away.
//!
//! A fragment manager's is sealed under its sealing key. The access manager's and a person's are protected by the mode
//! of the file alone: what they can do is in `docs/threat-model.md`, and it is no decrypting.

use std::path::{Path, PathBuf};

use symbolon_client::error::FileError;
use symbolon_client::private_file;
use symbolon_encoding::Tuple;
use symbolon_envelope::sealed::{self, Lock, OpenError, SealError, SealingKey};
use symbolon_protocol::hpke::ReceiverKey;
use symbolon_trust::KeyPair;
use zeroize::Zeroizing;

use crate::random::system;

/// Why an identity can't be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file can't be used.
    #[error("the identity file can't be used")]
    File(#[from] FileError),
    /// It holds something else.
    #[error("{} does not hold what is expected there", .0.display())]
    Content(PathBuf),
    /// It is sealed under another key, or was changed.
    #[error("the identity in {} doesn't open", file.display())]
    Sealed {
        /// The file.
        file: PathBuf,
        /// How it failed.
        #[source]
        error: OpenError,
    },
    /// It could not be sealed.
    #[error("the new identity can't be sealed")]
    Seal(#[from] SealError),
}

/// The identity in `path`, sealed under `key` where there is one.
pub fn load(path: &Path, key: Option<&SealingKey>) -> Result<KeyPair, IdentityError> {
    let content = private_file::read(path)?;
    let seed = match key {
        Some(key) => unseal(path, key, &label(), &content)?,
        None => unhex(&content).ok_or_else(|| IdentityError::Content(path.to_owned()))?,
    };
    Ok(KeyPair::from_seed(&seed))
}

/// The identity in `path`; a new one where there is no file yet.
pub fn load_or_make(path: &Path, key: Option<&SealingKey>) -> Result<KeyPair, IdentityError> {
    match load(path, key) {
        Err(IdentityError::File(FileError::Missing { .. })) => make(path, key),
        other => other,
    }
}

fn make(path: &Path, key: Option<&SealingKey>) -> Result<KeyPair, IdentityError> {
    let pair = KeyPair::generate(&mut system());
    let seed = pair.seed();
    let content = match key {
        Some(key) => Zeroizing::new(sealed::seal(Lock::Key(key), &label(), seed.as_ref(), &mut system())?),
        None => Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(*seed))).into_bytes()),
    };
    private_file::create(path, &content)?;
    Ok(pair)
}

/// The key in `path` that jobs are sealed to, sealed under `key`.
pub fn load_job_key(path: &Path, key: &SealingKey) -> Result<ReceiverKey, IdentityError> {
    let seed = unseal(path, key, &job_label(), &private_file::read(path)?)?;
    ReceiverKey::from_seed(seed.as_ref()).ok_or_else(|| IdentityError::Content(path.to_owned()))
}

/// As [`load_job_key`], but a new key where there is no file yet.
pub fn load_or_make_job_key(path: &Path, key: &SealingKey) -> Result<ReceiverKey, IdentityError> {
    match load_job_key(path, key) {
        Err(IdentityError::File(FileError::Missing { .. })) => {
            let made = ReceiverKey::generate(&mut system());
            let blob = sealed::seal(Lock::Key(key), &job_label(), made.seed(), &mut system())?;
            private_file::create(path, &blob)?;
            Ok(made)
        }
        other => other,
    }
}

fn label() -> Tuple {
    Tuple::new("sealed/identity")
}

fn job_label() -> Tuple {
    Tuple::new("sealed/job-key")
}

fn unseal(
    path: &Path,
    key: &SealingKey,
    label: &Tuple,
    content: &[u8],
) -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let opened = sealed::open(Lock::Key(key), label, content);
    let opened = opened.map_err(|error| IdentityError::Sealed { file: path.to_owned(), error })?;
    let seed =
        <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| IdentityError::Content(path.to_owned()))?;
    Ok(Zeroizing::new(seed))
}

/// Thirty-two bytes in hex and an end of line.
pub(crate) fn unhex(content: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(content.trim_ascii_end(), bytes.as_mut()).ok()?;
    Some(bytes)
}
