//! Signing what another administrator made: a document goes from hand to hand as a file until enough have signed it.

use super::folder::{Owner, OwnerError, write};
use super::signer::{Office, Signer};
use crate::error::FileError;
use minicbor::{Decode, Encode};
use std::fs;
use std::path::Path;
use symbolon_encoding::from_canonical;
use symbolon_trust::{DenyDocument, Document, Grant, Order, Role, RootDocument, SignatureError, Signed};

/// A document that waits for signatures, of whatever kind its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A root document.
    Root(Signed<RootDocument>),
    /// A grant.
    Grant(Signed<Grant>),
    /// A deny document.
    Deny(Signed<DenyDocument>),
    /// An order.
    Order(Signed<Order>),
}

impl Waiting {
    /// Reads a document from a file.
    pub fn read(file: &Path) -> Result<Self, OwnerError> {
        let bytes = fs::read(file).map_err(|cause| FileError::io(file, cause))?;
        let found = decode(&bytes).map(Self::Root);
        let found = found.or_else(|| decode(&bytes).map(Self::Grant));
        let found = found.or_else(|| decode(&bytes).map(Self::Deny));
        let found = found.or_else(|| decode(&bytes).map(Self::Order));
        found.ok_or_else(|| OwnerError::Document(file.into()))
    }
}

fn decode<B>(bytes: &[u8]) -> Option<Signed<B>>
where
    B: Encode<()> + for<'b> Decode<'b, ()>,
{
    from_canonical(bytes).ok()
}

/// Signs an account's first root document in its file: there is no owner's folder to open before it is complete.
pub fn sign_first_root(
    file: &Path,
    mut signed: Signed<RootDocument>,
    keys: &mut Signer<'_>,
) -> Result<Result<(), SignatureError>, OwnerError> {
    signed.sign(keys.key(Office::Root)?);
    write(file, &signed)?;
    Ok(signed.body().roles.root.check(&signed))
}

impl Owner {
    /// Adds this administrator's signature to the document in a file. With enough signatures it is kept as if it had
    /// been made here; else the file waits for the next administrator.
    pub fn sign_too(
        &mut self,
        file: &Path,
        waiting: Waiting,
        keys: &mut Signer<'_>,
    ) -> Result<(), OwnerError> {
        let roles = self.root().document().roles.clone();
        match waiting {
            Waiting::Root(signed) => {
                let signed = add(file, signed, keys, Office::Root, &roles.root)?;
                self.keep_root(signed)
            }
            Waiting::Grant(signed) => {
                let signed = add(file, signed, keys, Office::Policy, &roles.policy)?;
                self.keep_grant(signed)
            }
            Waiting::Deny(signed) => {
                let signed = add(file, signed, keys, Office::Deny, &roles.deny)?;
                self.keep_deny(&signed)
            }
            Waiting::Order(signed) => {
                let signed = add(file, signed, keys, Office::Policy, &roles.policy)?;
                let verified = self.verify_order(signed)?;
                self.keep_order(verified)
            }
        }
    }
}

fn add<B: Document + Encode<()>>(
    file: &Path,
    mut signed: Signed<B>,
    keys: &mut Signer<'_>,
    office: Office,
    role: &Role,
) -> Result<Signed<B>, OwnerError> {
    signed.sign(keys.key(office)?);
    write(file, &signed)?;
    match role.check(&signed) {
        Ok(()) => Ok(signed),
        Err(signatures) => Err(OwnerError::MoreSignatures { file: file.into(), signatures }),
    }
}
