//! Where a profile says that a customer fragment is kept.

use super::Keeper;
use crate::error::Error;
use crate::secret::Unlock;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// A file, or a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// A file with the fragment.
    File(PathBuf),
    /// A PKCS#11 token that has it and never shows it.
    Token(TokenPlace),
}

/// A customer fragment in a PKCS#11 token: a non-extractable generic secret whose `CKA_ID` is the fragment's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenPlace {
    /// The vendor's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The fragment's id, hexadecimal.
    pub id: String,
    /// The file with the PIN, mode 0600; without it, whoever knows passphrases is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_file: Option<PathBuf>,
}

/// Why a fragment is not where it is said to be.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// `id` is not 16 bytes in hexadecimal.
    #[error("`{0}` is not the id of a customer fragment")]
    Id(String),
    /// The library can't be loaded.
    #[error("the PKCS#11 module {} cannot be used", module.display())]
    Module {
        /// The file.
        module: PathBuf,
        /// What the system or the library says.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token has no such key, or a key that shows itself.
    #[error("token {token} has no customer fragment {id} that it keeps to itself")]
    Key {
        /// The token's label.
        token: String,
        /// The fragment's id.
        id: String,
    },
    /// Two tokens have the label.
    #[error("more than one token has the label {0}")]
    Ambiguous(String),
    /// The token can't take a PIN now: one more wrong one would lock it, or it is locked.
    #[error("token {0} is locked or would be by one more wrong PIN: look at it with its vendor's tool")]
    Locked(String),
    /// There is no PIN for it.
    #[error("token {0} needs a PIN, and none was given")]
    PinNeeded(String),
    /// This build has no PKCS#11.
    #[error("this build cannot use PKCS#11 tokens")]
    NotBuilt,
}

impl Place {
    /// The keeper at this place. A file is read now; a token is opened when it is first needed.
    pub(crate) fn open(&self, unlock: &mut dyn Unlock) -> Result<Arc<dyn Keeper>, Error> {
        match self {
            Self::File(file) => Ok(Arc::new(super::load(file, unlock)?)),
            Self::Token(place) => place.open(unlock),
        }
    }

    /// The paths in it, which a profile has relative to itself.
    pub(crate) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let (first, second) = match self {
            Self::File(file) => (Some(file), None),
            // A module is named as the system's loader finds it.
            Self::Token(place) => (None, place.pin_file.as_mut()),
        };
        first.into_iter().chain(second)
    }
}

#[cfg(not(feature = "pkcs11"))]
impl TokenPlace {
    #[expect(clippy::unused_self, reason = "the same call where tokens are built in")]
    fn open(&self, _: &mut dyn Unlock) -> Result<Arc<dyn Keeper>, Error> {
        Err(crate::profile::ProfileError::CustomerFragment(PlaceError::NotBuilt).into())
    }
}
