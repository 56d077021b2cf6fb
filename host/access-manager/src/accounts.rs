//! The directory of accounts that an operator lets this server serve.

use crate::{account::decode, failure::Failure};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use symbolon_fragments::names::AccountId;
use symbolon_trust::{RootDocument, Signed, TrustedRoot};

/// Why the directory of accounts can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The directory, or a file in it, can't be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A file is no first root document of an account, signed by its owner.
    #[error("{} is not the first root document of an account; take the file that `symbolon init` wrote", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An account that is served.
pub(crate) struct Installed {
    pub(crate) root: TrustedRoot,
    /// The operator's policy for it.
    pub(crate) policy: Option<PathBuf>,
}

/// Reads every `*.root` in the directory.
pub(crate) fn read(directory: &Path) -> Result<Vec<Installed>, AccountsError> {
    let unreadable = |cause| AccountsError::File { path: directory.into(), cause };
    let mut installed = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "root") {
            installed.push(read_one(&path)?);
        }
    }
    Ok(installed)
}

fn read_one(path: &Path) -> Result<Installed, AccountsError> {
    let bytes = fs::read(path).map_err(|cause| AccountsError::File { path: path.into(), cause })?;
    let root =
        found(&bytes).map_err(|cause| AccountsError::Root { path: path.into(), cause: cause.into() })?;
    let policy = path.with_extension("cedar");
    Ok(Installed { root, policy: policy.exists().then_some(policy) })
}

fn found(bytes: &[u8]) -> Result<TrustedRoot, Failure> {
    let signed: Signed<RootDocument> = decode(bytes)?;
    let account: AccountId = signed.body().account();
    Ok(TrustedRoot::install(account, signed)?)
}
