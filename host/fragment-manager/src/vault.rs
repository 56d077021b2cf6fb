//! Fragments at rest: each sealed under a wrapping key of its own, and those keys in one small file that can be erased.
//!
//! The datastore keeps sealed fragments, and backups and journals of it may keep them for long. What makes an old one
//! worthless is that its wrapping key is gone from the one file that had it. The file is sealed under the operator's
//! key, and replaced as a whole; its old content is overwritten first, which is best effort where the disk or the file
//! system keeps copies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use getrandom::SysRng;
use minicbor::{Decode, Encode};
use rand_core::{Rng as _, UnwrapErr};
use symbolon_encoding::{Tuple, from_canonical, to_canonical};
use symbolon_envelope::sealed::{self, Lock, OpenError, SealingKey};
use symbolon_fragments::names::{AccountId, InstanceId, Thumbprint};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Why wrapping keys or a fragment can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file can't be reached.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The file is damaged, or sealed under another key or for another manager.
    #[error("the wrapping keys in {} cannot be opened", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: OpenError,
    },
    /// The file holds something else.
    #[error("{} holds no wrapping keys", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The instance's wrapping key was erased, or never was here.
    #[error("there is no wrapping key for the instance")]
    NoKey,
    /// The sealed fragment is damaged, or belongs elsewhere.
    #[error("the fragment cannot be opened")]
    Fragment(#[source] OpenError),
}

/// The wrapping keys of one manager, and what they open.
pub struct Vault {
    path: PathBuf,
    identity: Thumbprint,
    sealing: SealingKey,
    keys: Mutex<WrappingKeys>,
}

type WrappingKeys = BTreeMap<(AccountId, InstanceId), WrappingKey>;

/// A key for the fragment of one instance.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct WrappingKey([u8; 32]);

/// The file's content, before it is sealed.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Entry {
    #[n(0)]
    account: AccountId,
    #[n(1)]
    instance: InstanceId,
    #[cbor(n(2), with = "minicbor::bytes")]
    key: [u8; 32],
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Vault {
    /// Opens the file, or starts without keys where there is none.
    pub fn open(path: PathBuf, identity: Thumbprint, sealing: SealingKey) -> Result<Self, VaultError> {
        let vault = Self { path, identity, sealing, keys: Mutex::default() };
        let keys = match vault.read(&vault.successor()) {
            Ok(Some(keys)) => vault.finish(keys)?,
            // Writing it was interrupted, so the file before it is whole.
            Ok(None) | Err(_) => vault.read(&vault.path)?.unwrap_or_default(),
        };
        *vault.keys() = keys;
        Ok(vault)
    }

    /// Seals fragments under new wrapping keys. When it returns, those are on the disk.
    pub fn seal(
        &self,
        account: &AccountId,
        fragments: &[(InstanceId, &[u8])],
    ) -> Result<Vec<Vec<u8>>, VaultError> {
        let mut keys = self.keys();
        let mut next = keys.clone();
        let sealed = fragments.iter().map(|(instance, fragment)| {
            let key = WrappingKey::generate();
            let sealed = key.seal(account, instance, fragment);
            next.insert((*account, *instance), key);
            sealed
        });
        let sealed = sealed.collect();
        self.write(&next)?;
        *keys = next;
        Ok(sealed)
    }

    /// Opens a sealed fragment.
    pub fn unseal(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.keys().get(&(*account, *instance)).cloned().ok_or(VaultError::NoKey)?;
        let key = SealingKey::new(key.0);
        sealed::open(Lock::Key(&key), &fragment_label(account, instance), sealed)
            .map_err(VaultError::Fragment)
    }

    /// Erases the wrapping keys of instances. When it returns, they are on no disk that obeys.
    pub fn erase(&self, account: &AccountId, instances: &[InstanceId]) -> Result<(), VaultError> {
        let gone: BTreeSet<_> = instances.iter().collect();
        let mut keys = self.keys();
        let mut next = keys.clone();
        next.retain(|(of, instance), _| of != account || !gone.contains(instance));
        if next.len() < keys.len() {
            self.write(&next)?;
            *keys = next;
        }
        Ok(())
    }

    /// Erases the wrapping keys of all instances of an account but these.
    pub fn retain(&self, account: &AccountId, held: &BTreeSet<InstanceId>) -> Result<(), VaultError> {
        let mut keys = self.keys();
        let mut next = keys.clone();
        next.retain(|(of, instance), _| of != account || held.contains(instance));
        if next.len() < keys.len() {
            self.write(&next)?;
            *keys = next;
        }
        Ok(())
    }

    fn keys(&self) -> MutexGuard<'_, WrappingKeys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn successor(&self) -> PathBuf {
        self.path.with_added_extension("new")
    }

    fn label(&self) -> Tuple {
        Tuple::new("sealed/wrapping-keys").value(&self.identity)
    }

    fn read(&self, path: &Path) -> Result<Option<WrappingKeys>, VaultError> {
        let blob = match fs::read(path) {
            Ok(blob) => blob,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(VaultError::File { path: path.to_owned(), cause }),
        };
        let content = sealed::open(Lock::Key(&self.sealing), &self.label(), &blob)
            .map_err(|cause| VaultError::Locked { path: path.to_owned(), cause })?;
        let entries: Vec<Entry> =
            from_canonical(&content).map_err(|_| VaultError::Malformed { path: path.to_owned() })?;
        let key = |entry: &Entry| ((entry.account, entry.instance), WrappingKey(entry.key));
        Ok(Some(entries.iter().map(key).collect()))
    }

    /// Writes the keys beside the file, overwrites the file, and puts the new one in its place.
    fn write(&self, keys: &WrappingKeys) -> Result<(), VaultError> {
        let entry = |((account, instance), key): (&(AccountId, InstanceId), &WrappingKey)| Entry {
            account: *account,
            instance: *instance,
            key: key.0,
        };
        let entries: Vec<Entry> = keys.iter().map(entry).collect();
        let content = Zeroizing::new(to_canonical(&entries));
        let blob = sealed::seal(Lock::Key(&self.sealing), &self.label(), &content, &mut UnwrapErr(SysRng));
        let blob = blob.expect("a key has no cost to be out of bounds");
        let path = self.successor();
        write_durably(&path, &blob).map_err(|cause| VaultError::File { path, cause })?;
        self.replace()
    }

    /// Ends a replacement that was interrupted.
    fn finish<T>(&self, keys: T) -> Result<T, VaultError> {
        self.replace()?;
        Ok(keys)
    }

    fn replace(&self) -> Result<(), VaultError> {
        let steps = || {
            overwrite(&self.path)?;
            fs::rename(self.successor(), &self.path)?;
            let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        };
        steps().map_err(|cause| VaultError::File { path: self.path.clone(), cause })
    }
}

impl WrappingKey {
    fn generate() -> Self {
        let mut key = [0; 32];
        UnwrapErr(SysRng).fill_bytes(&mut key);
        Self(key)
    }

    fn seal(&self, account: &AccountId, instance: &InstanceId, fragment: &[u8]) -> Vec<u8> {
        let key = SealingKey::new(self.0);
        sealed::seal(Lock::Key(&key), &fragment_label(account, instance), fragment, &mut UnwrapErr(SysRng))
            .expect("a key has no cost to be out of bounds")
    }
}

fn fragment_label(account: &AccountId, instance: &InstanceId) -> Tuple {
    Tuple::new("sealed/fragment").value(account).value(instance)
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Overwrites a file's content with zeros, if there is one.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId::new([1; 32]);
    const OTHER: AccountId = AccountId::new([2; 32]);

    fn open(path: &Path) -> Result<Vault, VaultError> {
        Vault::open(path.to_owned(), Thumbprint::new([3; 32]), SealingKey::new([4; 32]))
    }

    fn instance(number: u8) -> InstanceId {
        InstanceId::new([number; 32])
    }

    fn seal(vault: &Vault, number: u8) -> Vec<u8> {
        vault.seal(&ACCOUNT, &[(instance(number), b"fragment")]).unwrap().remove(0)
    }

    #[test]
    fn fragments_are_opened_again_until_their_keys_are_erased() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wrapping");
        let vault = open(&path).unwrap();
        let (first, second) = (seal(&vault, 1), seal(&vault, 2));
        drop(vault);

        let vault = open(&path).unwrap();
        assert_eq!(*vault.unseal(&ACCOUNT, &instance(1), &first).unwrap(), b"fragment");
        vault.erase(&OTHER, &[instance(1)]).unwrap();
        vault.unseal(&ACCOUNT, &instance(1), &first).unwrap();
        vault.erase(&ACCOUNT, &[instance(1)]).unwrap();
        for vault in [vault, open(&path).unwrap()] {
            assert!(matches!(vault.unseal(&ACCOUNT, &instance(1), &first), Err(VaultError::NoKey)));
            vault.unseal(&ACCOUNT, &instance(2), &second).unwrap();
        }
    }

    #[test]
    fn a_fragment_opens_in_its_own_place_only() {
        let directory = tempfile::tempdir().unwrap();
        let vault = open(&directory.path().join("wrapping")).unwrap();
        let (first, _) = (seal(&vault, 1), seal(&vault, 2));
        assert!(matches!(vault.unseal(&ACCOUNT, &instance(2), &first), Err(VaultError::Fragment(_))));
        assert!(matches!(vault.unseal(&OTHER, &instance(1), &first), Err(VaultError::NoKey)));
    }

    #[test]
    fn another_sealing_key_and_a_damaged_file_are_told_apart_from_an_empty_vault() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wrapping");
        seal(&open(&path).unwrap(), 1);
        let other = Vault::open(path.clone(), Thumbprint::new([3; 32]), SealingKey::new([5; 32]));
        assert!(matches!(other, Err(VaultError::Locked { cause: OpenError::WrongKey, .. })));
        let swapped = Vault::open(path.clone(), Thumbprint::new([9; 32]), SealingKey::new([4; 32]));
        assert!(matches!(swapped, Err(VaultError::Locked { .. })));
        fs::write(&path, b"damaged").unwrap();
        assert!(matches!(open(&path), Err(VaultError::Locked { .. })));
    }

    #[test]
    fn a_replacement_is_finished_or_undone_after_a_crash() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wrapping");
        let sealed = seal(&open(&path).unwrap(), 1);
        let successor = path.with_added_extension("new");

        // It crashed while the successor was written.
        fs::write(&successor, b"half").unwrap();
        open(&path).unwrap().unseal(&ACCOUNT, &instance(1), &sealed).unwrap();

        // It crashed after the old file was overwritten.
        fs::copy(&path, &successor).unwrap();
        overwrite(&path).unwrap();
        open(&path).unwrap().unseal(&ACCOUNT, &instance(1), &sealed).unwrap();
        assert!(!successor.exists());
        open(&path).unwrap().unseal(&ACCOUNT, &instance(1), &sealed).unwrap();
    }
}
