//! Which accounts a manager serves: those of the root documents in its directory, and what it stored of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use symbolon_encoding::{DecodeError, from_canonical, to_canonical};
use symbolon_fragments::names::AccountId;
use symbolon_store::manager::{self, Rows};
use symbolon_store::{Datastore, StoreError};
use symbolon_trust::{Documents, RootDocument, RootError, Signed, TrustedRoot};

use crate::trust::{self, RecallError};

/// Why the accounts' documents are not in order.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// Directory or file can't be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file is no root document.
    #[error("{} is not a signed root document; was it copied whole?", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: DecodeError,
    },
    /// A root document isn't trusted.
    #[error("the root document {} is refused", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: RootError,
    },
    /// A root document has no predecessor here.
    #[error(
        "the root document {} is version {version}, but the versions before it are not here; put them beside it",
        path.display()
    )]
    Orphan {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// What was stored isn't valid.
    #[error("what is stored of account {account} is not valid; restore the datastore from a backup")]
    Stored {
        /// The account.
        account: AccountId,
        /// Why.
        #[source]
        cause: RecallError,
    },
    /// The owner has not signed this manager in.
    #[error("the roster of account {account} does not name this manager; give the owner its public key")]
    NotRostered {
        /// The account.
        account: AccountId,
    },
    /// The datastore failed.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// A root document in the directory.
struct Found {
    path: PathBuf,
    signed: Signed<RootDocument>,
}

/// What is believed about every account that the directory or the datastore names; new root documents are stored.
pub(crate) async fn load(store: &Datastore, directory: &Path) -> Result<Vec<Documents>, AccountsError> {
    let mut found = read_directory(directory)?;
    found.sort_by_key(|found| found.signed.body().version);
    let mut trusted = recall(store).await?;
    for document in found {
        adopt(store, &mut trusted, document).await?;
    }
    Ok(trusted.into_values().collect())
}

fn read_directory(directory: &Path) -> Result<Vec<Found>, AccountsError> {
    let unreadable = |cause| AccountsError::Unreadable { path: directory.to_owned(), cause };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<BTreeSet<_>, _>>();
    let roots = paths.map_err(unreadable)?.into_iter();
    roots
        .filter(|path| path.extension().is_some_and(|extension| extension == "root"))
        .map(read_root)
        .collect()
}

fn read_root(path: PathBuf) -> Result<Found, AccountsError> {
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) => return Err(AccountsError::Unreadable { path, cause }),
    };
    match from_canonical(&bytes) {
        Ok(signed) => Ok(Found { path, signed }),
        Err(cause) => Err(AccountsError::Malformed { path, cause }),
    }
}

async fn recall(store: &Datastore) -> Result<BTreeMap<AccountId, Documents>, AccountsError> {
    let mut read = store.read().await?;
    let mut trusted = BTreeMap::new();
    for account in manager::accounts(&mut read).await? {
        let recalled = trust::recall(&mut Rows::of(&mut read, &account), account).await;
        let recalled = recalled.map_err(|cause| AccountsError::Stored { account, cause })?;
        recalled.map(|trust| trusted.insert(account, trust));
    }
    Ok(trusted)
}

/// Takes a root document: the first of an account, the successor of what is held, or one that is held already.
async fn adopt(
    store: &Datastore,
    trusted: &mut BTreeMap<AccountId, Documents>,
    found: Found,
) -> Result<(), AccountsError> {
    let Found { path, signed } = found;
    let held = trusted.values().find(|trust| trust.root().document().nonce == signed.body().nonce);
    if held.is_some_and(|trust| trust.root().chain().iter().any(|known| known.body() == signed.body())) {
        return Ok(());
    }
    let version = signed.body().version;
    let adopted = match held {
        Some(trust) => trust.with_root(signed.clone()),
        None if version == 1 => TrustedRoot::install(signed.body().account(), signed.clone())
            .map(|root| Some(Documents::new(root))),
        None => return Err(AccountsError::Orphan { path, version }),
    };
    let adopted = adopted.map_err(|cause| AccountsError::Refused { path, cause })?;
    let Some(trust) = adopted else { return Ok(()) };
    let account = trust.root().account();
    let mut write = store.write().await?;
    Rows::of(&mut write, &account).add_root(version, &to_canonical(&signed)).await?;
    write.commit().await?;
    trusted.insert(account, trust);
    Ok(())
}
