//! The key under which a role seals what it keeps, as the operator chose: in a file, or under a passphrase in a file.
//!
//! The passphrase is turned into a key once, at start-up; what a role reads and writes later costs no Argon2.

use std::path::{Path, PathBuf};

use symbolon_client::error::FileError;
use symbolon_client::private_file;
use symbolon_encoding::Tuple;
use symbolon_envelope::sealed::{self, Lock, OpenError, Passphrase, SealError, SealingKey};
use zeroize::Zeroizing;

use crate::identity::unhex;
use crate::passphrase::{PassphraseError, Passphrases};
use crate::random::system;

pub use symbolon_store::Sealing;

/// Why there is no sealing key.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The file can't be used.
    #[error("the sealing key's file can't be used")]
    File(#[from] FileError),
    /// It holds something else.
    #[error("{} does not hold what is expected there", .0.display())]
    Content(PathBuf),
    /// No passphrase came.
    #[error("the sealing key is under a passphrase")]
    Passphrase(#[from] PassphraseError),
    /// The passphrase is wrong, or the file isn't what it was.
    #[error("the sealing key in {} doesn't open", file.display())]
    Locked {
        /// The file.
        file: PathBuf,
        /// How it failed.
        #[source]
        error: OpenError,
    },
    /// A new key could not be sealed.
    #[error("the new sealing key can't be sealed")]
    Seal(#[from] SealError),
}

/// The sealing key of an existing file.
pub fn unlock(place: &Sealing, passphrases: &Passphrases) -> Result<SealingKey, SealingError> {
    match place {
        Sealing::File(path) => Ok(SealingKey::new(*unhexed(path, &private_file::read(path)?)?)),
        Sealing::Passphrase(path) => open(path, &private_file::read(path)?, passphrases),
    }
}

/// As [`unlock`], but a new key where there is no file yet.
pub fn unlock_or_make(place: &Sealing, passphrases: &Passphrases) -> Result<SealingKey, SealingError> {
    match unlock(place, passphrases) {
        Err(SealingError::File(FileError::Missing { .. })) => make(place, passphrases),
        other => other,
    }
}

fn make(place: &Sealing, passphrases: &Passphrases) -> Result<SealingKey, SealingError> {
    let key = SealingKey::generate(&mut system());
    match place {
        Sealing::File(path) => {
            let text = Zeroizing::new(hex::encode(key.expose()));
            private_file::create(path, Zeroizing::new(format!("{}\n", *text)).as_bytes())?;
        }
        Sealing::Passphrase(path) => {
            let passphrase = Passphrase::new(passphrases.chosen(&named(path))?.to_string());
            let blob = sealed::seal(Lock::Passphrase(&passphrase), &label(), key.expose(), &mut system())?;
            private_file::create(path, &blob)?;
        }
    }
    Ok(key)
}

fn open(path: &Path, blob: &[u8], passphrases: &Passphrases) -> Result<SealingKey, SealingError> {
    let passphrase = Passphrase::new(passphrases.existing(&named(path))?.to_string());
    let opened = sealed::open(Lock::Passphrase(&passphrase), &label(), blob);
    let opened = opened.map_err(|error| SealingError::Locked { file: path.to_owned(), error })?;
    let bytes = opened.as_slice().try_into().map_err(|_| SealingError::Content(path.to_owned()))?;
    Ok(SealingKey::new(bytes))
}

fn unhexed(path: &Path, content: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealingError> {
    unhex(content).ok_or_else(|| SealingError::Content(path.to_owned()))
}

fn label() -> Tuple {
    Tuple::new("sealed/sealing-key")
}

fn named(path: &Path) -> String {
    format!("the sealing key {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrases(folder: &Path, text: &str) -> Passphrases {
        let path = folder.join(text);
        private_file::create(&path, text.as_bytes()).unwrap();
        Passphrases::from(Some(path))
    }

    #[test]
    fn a_key_under_a_passphrase_opens_with_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        let right = passphrases(folder.path(), "right");
        let made = unlock_or_make(&Sealing::Passphrase(path.clone()), &right).unwrap();
        let again = unlock(&Sealing::Passphrase(path.clone()), &right).unwrap();
        assert_eq!(made.expose(), again.expose());
        let wrong = unlock(&Sealing::Passphrase(path.clone()), &passphrases(folder.path(), "wrong"));
        assert!(matches!(wrong, Err(SealingError::Locked { error: OpenError::WrongKey, .. })));
    }

    #[test]
    fn a_key_in_a_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        let made = unlock_or_make(&Sealing::File(path.clone()), &Passphrases::default()).unwrap();
        let again = unlock(&Sealing::File(path.clone()), &Passphrases::default()).unwrap();
        assert_eq!(made.expose(), again.expose());
    }

    #[test]
    fn a_missing_file_is_not_made_by_unlocking() {
        let missing = unlock(&Sealing::File("/nonexistent/sealing.key".into()), &Passphrases::default());
        assert!(matches!(missing, Err(SealingError::File(FileError::Missing { .. }))));
    }
}
