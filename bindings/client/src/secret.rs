//! Secrets of a client in files: the holder's identity and customer fragments, each protected as its owner chose.

use crate::error::FileError;
use crate::private_file;
use std::path::{Path, PathBuf};
use symbolon_encoding::Tuple;
use symbolon_envelope::sealed::{self, Lock, OpenError, Passphrase, SealError, SealingKey};
use zeroize::Zeroizing;

/// What protects a secret file, besides its mode, which is always 0600.
pub enum Protection {
    /// A passphrase.
    Passphrase(Passphrase),
    /// A sealing key: 32 bytes in hexadecimal in another file.
    KeyFile(PathBuf),
    /// Nothing else.
    Plain,
}

/// Whoever knows what opens a sealed file. Asked only if a file is sealed.
pub trait Unlock {
    /// The passphrase of a file.
    fn passphrase(&mut self, file: &Path) -> Option<Zeroizing<String>>;

    /// The file with the sealing key of a file.
    fn key_file(&mut self, file: &Path) -> Option<PathBuf>;
}

/// For callers whose files are not sealed.
pub struct NoUnlock;

impl Unlock for NoUnlock {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        None
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}

/// Why a secret file can't be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is sealed under a passphrase, and none was given.
    #[error("{} is sealed under a passphrase", .0.display())]
    PassphraseNeeded(PathBuf),
    /// It is sealed under a key, and none was given.
    #[error("{} is sealed under a key file", .0.display())]
    KeyFileNeeded(PathBuf),
    /// Wrong passphrase or key, or a changed file.
    #[error("{} cannot be opened", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: OpenError,
    },
    /// It holds something else than was expected there.
    #[error("{} does not hold what is expected there", .0.display())]
    Content(PathBuf),
    /// The passphrase's cost is out of bounds.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The one line of a secret file that a person wrote: a PIN, a passphrase.
#[cfg(feature = "pkcs11")]
pub(crate) fn read_line(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let content = private_file::read(path)?;
    let line = std::str::from_utf8(&content).map_err(|_| SecretError::Content(path.into()))?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Writes a new secret file. `plain` is how the secret looks where nothing but the mode protects it.
pub(crate) fn create(
    path: &Path,
    protection: &Protection,
    label: &Tuple,
    secret: &[u8],
) -> Result<(), SecretError> {
    let content = match protection {
        Protection::Passphrase(passphrase) => seal(Lock::Passphrase(passphrase), label, secret)?,
        Protection::KeyFile(file) => seal(Lock::Key(&sealing_key(file)?), label, secret)?,
        Protection::Plain => hexadecimal(secret),
    };
    Ok(private_file::create(path, &content)?)
}

/// Reads a secret file, however it is protected.
pub(crate) fn read(
    path: &Path,
    unlock: &mut dyn Unlock,
    label: &Tuple,
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let content = private_file::read(path)?;
    match sealed::protection(&content) {
        Ok(sealed::Protection::Key) => {
            let file = unlock.key_file(path).ok_or_else(|| SecretError::KeyFileNeeded(path.to_path_buf()))?;
            open(path, Lock::Key(&sealing_key(&file)?), label, &content)
        }
        Ok(sealed::Protection::Passphrase(_)) => {
            let text =
                unlock.passphrase(path).ok_or_else(|| SecretError::PassphraseNeeded(path.to_path_buf()))?;
            let passphrase = Passphrase::new(text.as_str().into());
            open(path, Lock::Passphrase(&passphrase), label, &content)
        }
        Err(_) => unhexed(&content).ok_or_else(|| SecretError::Content(path.to_path_buf())),
    }
}

/// How an existing file is protected, for another one that is to take its place.
pub(crate) fn protection_of(path: &Path, unlock: &mut dyn Unlock) -> Result<Protection, SecretError> {
    match sealed::protection(&private_file::read(path)?) {
        Ok(sealed::Protection::Key) => {
            let file = unlock.key_file(path).ok_or_else(|| SecretError::KeyFileNeeded(path.into()))?;
            Ok(Protection::KeyFile(file))
        }
        Ok(sealed::Protection::Passphrase(cost)) => {
            let text = unlock.passphrase(path).ok_or_else(|| SecretError::PassphraseNeeded(path.into()))?;
            Ok(Protection::Passphrase(Passphrase::new(text.as_str().into()).costing(cost)))
        }
        Err(_) => Ok(Protection::Plain),
    }
}

/// Makes a sealing key in a new file.
pub fn create_key_file(path: &Path) -> Result<(), SecretError> {
    let key = SealingKey::generate(&mut crate::random::system());
    Ok(private_file::create(path, &hexadecimal(key.expose()))?)
}

fn sealing_key(path: &Path) -> Result<SealingKey, SecretError> {
    let bytes =
        unhexed(&private_file::read(path)?).and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    bytes.map(SealingKey::new).ok_or_else(|| SecretError::Content(path.to_path_buf()))
}

fn seal(lock: Lock<'_>, label: &Tuple, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    Ok(Zeroizing::new(sealed::seal(lock, label, secret, &mut crate::random::system())?))
}

fn open(
    path: &Path,
    lock: Lock<'_>,
    label: &Tuple,
    content: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    sealed::open(lock, label, content).map_err(|cause| SecretError::Open { file: path.into(), cause })
}

fn hexadecimal(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(hex::encode(secret).into_bytes());
    text.push(b'\n');
    text
}

fn unhexed(content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    hex::decode(content.trim_ascii_end()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_envelope::sealed::Cost;

    struct Knows(&'static str, PathBuf);

    impl Unlock for Knows {
        fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
            Some(Zeroizing::new(self.0.into()))
        }

        fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
            Some(self.1.clone())
        }
    }

    fn passphrase() -> Protection {
        let cheap = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        Protection::Passphrase(Passphrase::new("right".into()).costing(cheap))
    }

    #[test]
    fn each_protection_opens_as_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let (label, key) = (Tuple::new("sealed/test"), folder.path().join("key"));
        create_key_file(&key).unwrap();
        let mut knows = Knows("right", key.clone());
        for (name, protection) in
            [("p", passphrase()), ("k", Protection::KeyFile(key)), ("0", Protection::Plain)]
        {
            let path = folder.path().join(name);
            create(&path, &protection, &label, b"secret").unwrap();
            assert_eq!(*read(&path, &mut knows, &label).unwrap(), b"secret");
            let again = create(&path, &protection, &label, b"other");
            assert!(matches!(again, Err(SecretError::File(FileError::Exists { .. }))));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (label, path) = (Tuple::new("sealed/test"), folder.path().join("secret"));
        create(&path, &passphrase(), &label, b"secret").unwrap();
        let without = read(&path, &mut NoUnlock, &label);
        assert!(matches!(without, Err(SecretError::PassphraseNeeded(_))));
        let wrong = read(&path, &mut Knows("wrong", PathBuf::new()), &label);
        assert!(matches!(wrong, Err(SecretError::Open { cause: OpenError::WrongKey, .. })));
        std::fs::write(&path, b"something else").unwrap();
        assert!(matches!(read(&path, &mut NoUnlock, &label), Err(SecretError::Content(_))));
        let gone = read(&folder.path().join("gone"), &mut NoUnlock, &label);
        assert!(matches!(gone, Err(SecretError::File(FileError::Missing { .. }))));
    }
}
