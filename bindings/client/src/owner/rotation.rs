//! Rotating the owner's own keys: a root document names a new key in the place of the old one, and both sign for it.
//!
//! The new key lies beside the old one until the document is complete, so neither a crash nor a second administrator who
//! takes a week to sign loses either. Whatever the old key signed and nobody vouches for any more is signed anew.

use super::cosign::Waiting;
use super::folder::{Owner, OwnerError};
use super::signer::{Office, Signer};
use crate::clock::now;
use std::path::PathBuf;
use symbolon_trust::{Grant, Principal, PublicKey, Role, RootDocument, RootError, Signed, hash};

/// What had to be signed anew.
#[derive(Clone, Debug, Default)]
pub struct Renewed {
    /// Grants that are complete again, to be published.
    pub grants: Vec<Signed<Grant>>,
    /// Grants that wait for other administrators' signatures: nobody can use them before.
    pub waiting: Vec<PathBuf>,
}

impl Owner {
    /// Replaces this folder's key of a role. Where the root document waits for other administrators, calling it again when
    /// they have signed goes on.
    pub fn rotate_key(&mut self, keys: &mut Signer<'_>, office: Office) -> Result<Renewed, OwnerError> {
        let next = keys.successor(office)?.public();
        if !office.role(&self.root().document().roles).keys.contains(&next) {
            let root = self.root_naming(keys, office, next)?;
            self.keep_root(root)?;
        }
        keys.succeed(office)?;
        self.renew(keys)
    }

    fn root_naming(
        &self,
        keys: &mut Signer<'_>,
        office: Office,
        next: PublicKey,
    ) -> Result<Signed<RootDocument>, OwnerError> {
        let name = format!("{}.root", self.root().document().version + 1);
        let file = self.folder().join("unsigned").join(&name);
        let proposed = match Waiting::read(&file) {
            Ok(Waiting::Root(signed)) if self.is_such_a_root(&signed, office, next) => signed,
            _ => {
                let body = self.successor_naming(keys, office, next)?;
                let mut signed = Signed::by(body, [keys.key(Office::Root)?]);
                if office == Office::Root {
                    signed.sign(keys.successor(office)?);
                }
                signed
            }
        };
        let old = &self.root().document().roles.root;
        let enough = old.check(&proposed).and_then(|()| proposed.body().roles.root.check(&proposed));
        match enough {
            Ok(()) => Ok(proposed),
            Err(signatures) => {
                Err(OwnerError::MoreSignatures { file: self.keep_unsigned(&name, &proposed)?, signatures })
            }
        }
    }

    fn is_such_a_root(&self, signed: &Signed<RootDocument>, office: Office, next: PublicKey) -> bool {
        let body = signed.body();
        body.previous == Some(hash(self.root().document())) && office.role(&body.roles).keys.contains(&next)
    }

    fn successor_naming(
        &self,
        keys: &mut Signer<'_>,
        office: Office,
        next: PublicKey,
    ) -> Result<RootDocument, OwnerError> {
        let old = keys.key(office)?.public();
        let previous = self.root().document();
        let role = office.role(&previous.roles);
        if !role.keys.contains(&old) {
            return Err(OwnerError::NotInOffice(office));
        }
        let others = role.keys.iter().copied().filter(|key| *key != old);
        let renewed = Role::new(role.threshold, others.chain([next]));
        let mut body = previous.successor(now());
        *office.role_mut(&mut body.roles) = renewed;
        body.check_succession(previous).map_err(RootError::from)?;
        Ok(body)
    }

    /// Signs anew what the newest root document's roles no longer vouch for.
    fn renew(&mut self, keys: &mut Signer<'_>) -> Result<Renewed, OwnerError> {
        let roles = self.root().document().roles.clone();
        let mut renewed = Renewed::default();
        for grant in self.unvouched(&roles.policy) {
            let name = format!("{}.grant", grant.id);
            let body = Grant { serial: grant.serial + 1, ..grant };
            match keys.sign(self, Office::Policy, body, &name) {
                Ok(signed) => {
                    self.keep_grant(signed.clone())?;
                    renewed.grants.push(signed);
                }
                Err(OwnerError::MoreSignatures { file, .. }) => renewed.waiting.push(file),
                Err(error) => return Err(error),
            }
        }
        if self.deny().is_some_and(|deny| roles.deny.check(deny.signed()).is_err()) {
            self.deny_more(keys, |_| ())?;
        }
        Ok(renewed)
    }

    /// Grants that are good but for their signatures.
    fn unvouched(&self, policy: &Role) -> Vec<Grant> {
        let unvouched = self.standing_grants().filter(|signed| policy.check(signed).is_err());
        unvouched.map(|signed| signed.body().clone()).collect()
    }

    /// Grants that holders can use, now or later.
    pub fn usable_grants(&self) -> impl Iterator<Item = &Signed<Grant>> {
        let policy = &self.root().document().roles.policy;
        self.standing_grants().filter(move |signed| policy.check(signed).is_ok())
    }

    /// Grants that are neither revoked nor over.
    fn standing_grants(&self) -> impl Iterator<Item = &Signed<Grant>> {
        let (denials, now) = (self.denials(), now());
        self.grants().filter(move |signed| {
            let grant = signed.body();
            let Principal::Holder(holder) = grant.principal;
            let denied = denials.check_grant(grant.id, grant.serial).and(denials.check_holder(holder));
            grant.not_after >= now && denied.is_ok()
        })
    }
}
