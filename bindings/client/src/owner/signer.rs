//! The owner's keys, one of each role, sealed in files of their own: they may lie in different places.

use super::folder::{Owner, OwnerError};
use crate::error::FileError;
use crate::secret::{self, Protection, SecretError, Unlock};
use minicbor::Encode;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use symbolon_encoding::{Tuple, to_canonical};
use symbolon_protocol::wire::MAX_DOCUMENT;
use symbolon_trust::{Document, KeyPair, Role, Roles, Signed};

/// A role that the owner's administrators sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Office {
    /// Signs root documents.
    Root,
    /// Signs grants and orders.
    Policy,
    /// Signs deny documents.
    Deny,
}

impl Office {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Root, Self::Policy, Self::Deny];

    /// The role's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Policy => "policy",
            Self::Deny => "deny",
        }
    }

    /// The role in a root document.
    pub const fn role(self, roles: &Roles) -> &Role {
        match self {
            Self::Root => &roles.root,
            Self::Policy => &roles.policy,
            Self::Deny => &roles.deny,
        }
    }

    pub(super) const fn role_mut(self, roles: &mut Roles) -> &mut Role {
        match self {
            Self::Root => &mut roles.root,
            Self::Policy => &mut roles.policy,
            Self::Deny => &mut roles.deny,
        }
    }

    fn label(self) -> Tuple {
        Tuple::new("sealed/owner").text(self.name())
    }
}

impl fmt::Display for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn read(file: &Path, unlock: &mut dyn Unlock, office: Office) -> Result<KeyPair, SecretError> {
    let seed = secret::read(file, unlock, &office.label())?;
    let seed = seed.as_slice().try_into().map_err(|_| SecretError::Content(file.into()))?;
    Ok(KeyPair::from_seed(seed))
}

pub(super) fn key_file(folder: &Path, office: Office) -> PathBuf {
    folder.join("keys").join(format!("{office}.key"))
}

/// Seals a key into its file, never in the place of another.
pub(super) fn keep(
    folder: &Path,
    protection: &Protection,
    office: Office,
    pair: &KeyPair,
) -> Result<(), SecretError> {
    secret::create(&key_file(folder, office), protection, &office.label(), &*pair.seed())
}

/// Where the key that is to take a key's place waits.
fn successor_file(folder: &Path, office: Office) -> PathBuf {
    folder.join("keys").join(format!("{office}.next.key"))
}

/// Keys that are opened when they are first needed, and wiped with this.
pub struct Signer<'a> {
    folder: &'a Path,
    unlock: &'a mut dyn Unlock,
    open: BTreeMap<Office, KeyPair>,
    successors: BTreeMap<Office, KeyPair>,
}

impl<'a> Signer<'a> {
    /// The keys in the owner's folder.
    pub fn new(folder: &'a Path, unlock: &'a mut dyn Unlock) -> Self {
        Self { folder, unlock, open: BTreeMap::new(), successors: BTreeMap::new() }
    }

    /// The key of a role.
    pub fn key(&mut self, office: Office) -> Result<&KeyPair, SecretError> {
        match self.open.entry(office) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(place) => {
                Ok(place.insert(read(&key_file(self.folder, office), self.unlock, office)?))
            }
        }
    }

    /// The key that is to take the place of a role's: made when it is first asked for, protected as the old one is.
    pub(super) fn successor(&mut self, office: Office) -> Result<&KeyPair, SecretError> {
        let place = match self.successors.entry(office) {
            Entry::Occupied(made) => return Ok(made.into_mut()),
            Entry::Vacant(place) => place,
        };
        let file = successor_file(self.folder, office);
        if !file.exists() {
            let protection = secret::protection_of(&key_file(self.folder, office), self.unlock)?;
            let pair = KeyPair::generate(&mut crate::random::system());
            secret::create(&file, &protection, &office.label(), &*pair.seed())?;
        }
        Ok(place.insert(read(&file, self.unlock, office)?))
    }

    /// The successor takes the old key's place; the old key is gone.
    pub(super) fn succeed(&mut self, office: Office) -> Result<(), FileError> {
        let file = key_file(self.folder, office);
        let renamed = fs::rename(successor_file(self.folder, office), &file)
            .and_then(|()| File::open(self.folder.join("keys"))?.sync_all());
        renamed.map_err(|cause| FileError::io(&file, cause))?;
        self.open.remove(&office);
        self.open.extend(self.successors.remove_entry(&office));
        Ok(())
    }

    /// Signs a document in a role. Where more administrators have to sign, the document is put down for them.
    pub(super) fn sign<B: Document + Encode<()>>(
        &mut self,
        owner: &Owner,
        office: Office,
        body: B,
        name: &str,
    ) -> Result<Signed<B>, OwnerError> {
        let signed = Signed::by(body, [self.key(office)?]);
        let size = to_canonical(&signed).len();
        if size > MAX_DOCUMENT {
            return Err(OwnerError::TooLarge { size });
        }
        match office.role(&owner.root().document().roles).check(&signed) {
            Ok(()) => Ok(signed),
            Err(signatures) => {
                Err(OwnerError::MoreSignatures { file: owner.keep_unsigned(name, &signed)?, signatures })
            }
        }
    }
}
