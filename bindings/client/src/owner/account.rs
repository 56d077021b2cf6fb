//! Founding an account: the owner's keys are made, and the first root document names everybody.

use super::folder::{Owner, OwnerError, first_root, write};
use super::signer::{self, Office};
use crate::clock::now;
use crate::secret::Protection;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use symbolon_fragments::names::Index;
use symbolon_trust::{
    AccessManager, KeyPair, Member, MemberKind, PublicKey, Role, Roles, RootDocument, RootError, Shape,
    Signed, Spread,
};

use crate::error::FileError;

/// What an account is founded with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The access manager's TLS identity and address.
    pub access_manager: AccessManager,
    /// The access manager's permit key.
    pub permit: PublicKey,
    /// The fragment managers, numbered from 1 in this order.
    pub managers: Vec<NewMember>,
    /// The least that a set must have.
    pub minimum: Shape,
    /// Where members of a set may not pile up.
    pub spread: Spread,
    /// Administrators besides the one who founds it.
    pub administrators: Vec<Administrator>,
    /// How many administrators sign root documents, grants and orders. One alone can deny.
    pub threshold: u16,
}

/// A fragment manager to be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// What people call it.
    pub name: String,
    /// Its identity.
    pub key: PublicKey,
    /// `host:port`.
    pub address: String,
    /// Who runs it.
    pub operator: String,
    /// Whose machines it runs on.
    pub cloud: String,
    /// Where those stand.
    pub region: String,
}

/// The public keys of one more administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// In the role `root`.
    pub root: PublicKey,
    /// In the role `policy`.
    pub policy: PublicKey,
    /// In the role `deny`.
    pub deny: PublicKey,
}

impl NewMember {
    /// The roster entry with this number.
    pub(super) fn numbered(self, index: Index) -> Member {
        Member {
            index,
            kind: MemberKind::FragmentManager,
            name: self.name,
            key: self.key,
            address: self.address,
            operator: self.operator,
            cloud: self.cloud,
            region: self.region,
            retired: false,
        }
    }
}

impl Owner {
    /// Founds an account in a folder that has none.
    pub fn found(folder: &Path, new: NewAccount, protection: &Protection) -> Result<Self, OwnerError> {
        let file = first_root(folder);
        if file.exists() {
            return Err(FileError::Exists { path: file }.into());
        }
        let keys = Keys::generate();
        let body = new.into_document(keys.public());
        body.check().map_err(RootError::from)?;
        keys.keep(folder, protection)?;
        let signed = Signed::by(body, [&keys.0[0]]);
        write(&file, &signed)?;
        match signed.body().roles.root.check(&signed) {
            Ok(()) => Self::open(folder),
            Err(signatures) => Err(OwnerError::MoreSignatures { file, signatures }),
        }
    }

    /// Makes an administrator's keys, for the account that another one founds.
    pub fn administrator(folder: &Path, protection: &Protection) -> Result<Administrator, OwnerError> {
        let keys = Keys::generate();
        keys.keep(folder, protection)?;
        Ok(keys.public())
    }
}

/// An administrator's keys, in the order of [`Office::ALL`].
struct Keys([KeyPair; 3]);

impl Keys {
    fn generate() -> Self {
        Self(Office::ALL.map(|_| KeyPair::generate(&mut crate::random::system())))
    }

    fn public(&self) -> Administrator {
        let [root, policy, deny] = &self.0;
        Administrator { root: root.public(), policy: policy.public(), deny: deny.public() }
    }

    fn keep(&self, folder: &Path, protection: &Protection) -> Result<(), OwnerError> {
        let keys = folder.join("keys");
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700).create(&keys).map_err(|cause| FileError::io(&keys, cause))?;
        for (office, pair) in Office::ALL.into_iter().zip(&self.0) {
            signer::keep(folder, protection, office, pair)?;
        }
        Ok(())
    }
}

impl NewAccount {
    fn into_document(self, founder: Administrator) -> RootDocument {
        let all = || self.administrators.iter().chain([&founder]);
        let roles = Roles {
            root: Role::new(self.threshold, all().map(|administrator| administrator.root)),
            policy: Role::new(self.threshold, all().map(|administrator| administrator.policy)),
            deny: Role::new(1, all().map(|administrator| administrator.deny)),
            permit: Role::new(1, [self.permit]),
        };
        let numbered = (1..).filter_map(Index::new).zip(self.managers);
        RootDocument {
            version: 1,
            previous: None,
            created: now(),
            nonce: crate::random::bytes(),
            roles,
            access_manager: self.access_manager,
            roster: numbered.map(|(index, manager)| manager.numbered(index)).collect(),
            minimum: self.minimum,
            spread: self.spread,
            key_stores: Vec::new(),
        }
    }
}
