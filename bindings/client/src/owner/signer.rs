//! The owner's keys, one of each role, sealed in files of their own: they may lie in different places.

use super::folder::{Owner, OwnerError};
use crate::secret::{self, Protection, SecretError, Unlock};
use minicbor::Encode;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};
use symbolon_encoding::Tuple;
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

    fn label(self) -> Tuple {
        Tuple::new("sealed/owner").text(self.name())
    }
}

impl fmt::Display for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
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

/// Keys that are opened when they are first needed, and wiped with this.
pub struct Signer<'a> {
    folder: &'a Path,
    unlock: &'a mut dyn Unlock,
    open: BTreeMap<Office, KeyPair>,
}

impl<'a> Signer<'a> {
    /// The keys in the owner's folder.
    pub fn new(folder: &'a Path, unlock: &'a mut dyn Unlock) -> Self {
        Self { folder, unlock, open: BTreeMap::new() }
    }

    /// The key of a role.
    pub fn key(&mut self, office: Office) -> Result<&KeyPair, SecretError> {
        match self.open.entry(office) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(place) => {
                let file = key_file(self.folder, office);
                let seed = secret::read(&file, self.unlock, &office.label())?;
                let seed = seed.as_slice().try_into().map_err(|_| SecretError::Content(file))?;
                Ok(place.insert(KeyPair::from_seed(seed)))
            }
        }
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
        match office.role(&owner.root().document().roles).check(&signed) {
            Ok(()) => Ok(signed),
            Err(signatures) => {
                Err(OwnerError::MoreSignatures { file: owner.keep_unsigned(name, &signed)?, signatures })
            }
        }
    }
}
