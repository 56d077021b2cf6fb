//! The directory of accounts that an operator lets this server serve.

use crate::{account::decode, failure::Failure};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use symbolon_fragments::names::AccountId;
use symbolon_trust::{Grant, RootDocument, Signed, TrustedRoot};

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
    /// A file is no grant.
    #[error("{} is not a signed grant of an account that is served here", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
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
    /// Grants that come with it, to begin with.
    pub(crate) grants: Vec<Signed<Grant>>,
}

/// Reads every `*.root` in the directory, and every `*.grant` into its account.
pub(crate) fn read(directory: &Path) -> Result<Vec<Installed>, AccountsError> {
    let unreadable = |cause| AccountsError::File { path: directory.into(), cause };
    let entries =
        fs::read_dir(directory).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let with = |extension: &'static str| {
        paths.iter().filter(move |path| path.extension().is_some_and(|e| e == extension))
    };
    let mut installed = with("root").map(|path| read_one(path)).collect::<Result<Vec<_>, _>>()?;
    with("grant").try_for_each(|path| read_grant(path, &mut installed))?;
    Ok(installed)
}

fn read_grant(path: &Path, installed: &mut [Installed]) -> Result<(), AccountsError> {
    let of_file =
        |cause: Box<dyn std::error::Error + Send + Sync>| AccountsError::Grant { path: path.into(), cause };
    let bytes = fs::read(path).map_err(|cause| AccountsError::File { path: path.into(), cause })?;
    let grant: Signed<Grant> = decode(&bytes).map_err(|failure| of_file(failure.into()))?;
    let account = installed.iter_mut().find(|account| account.root.account() == grant.body().account);
    account.ok_or_else(|| of_file(Failure::UnknownAccount.into()))?.grants.push(grant);
    Ok(())
}

fn read_one(path: &Path) -> Result<Installed, AccountsError> {
    let bytes = fs::read(path).map_err(|cause| AccountsError::File { path: path.into(), cause })?;
    let root =
        found(&bytes).map_err(|cause| AccountsError::Root { path: path.into(), cause: cause.into() })?;
    let policy = path.with_extension("cedar");
    Ok(Installed { root, policy: policy.exists().then_some(policy), grants: Vec::new() })
}

fn found(bytes: &[u8]) -> Result<TrustedRoot, Failure> {
    let signed: Signed<RootDocument> = decode(bytes)?;
    let account: AccountId = signed.body().account();
    Ok(TrustedRoot::install(account, signed)?)
}
