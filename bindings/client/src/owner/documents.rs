//! What the owner signs: each kind of document, made from the newest one that is kept, signed, and kept.

use super::account::NewMember;
use super::drivers::CheckedDriver;
use super::folder::{Owner, OwnerError};
use super::signer::{Office, Signer};
use crate::clock::now;
use symbolon_fragments::names::{Index, KeyId, KeyPattern, SetId, Thumbprint};
use symbolon_trust::{
    Action, DenyDocument, Grant, HighWaterMark, Operations, Order, Principal, RootDocument, RootError,
    RootRule, Seconds, Signed, VerifiedDeny, VerifiedOrder,
};

/// How long managers may take an order, in seconds: a week.
pub const ORDER_LIFETIME: u64 = 7 * 86_400;

/// What a grant says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTerms {
    /// The keys.
    pub keys: Vec<KeyPattern>,
    /// Who may.
    pub holder: Thumbprint,
    /// What.
    pub operations: Operations,
    /// Inputs a second at each manager; 0 = unlimited.
    pub rate: u32,
    /// From when on.
    pub not_before: Seconds,
    /// Until when.
    pub not_after: Seconds,
}

/// A change of the root document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootChange {
    /// Signs fragment managers in, with the next numbers.
    AddManagers(Vec<NewMember>),
    /// Signs an HSM's driver in, with the next number.
    AddDriver(Box<CheckedDriver>),
    /// Retires a member: it joins no set any more, and takes no job.
    Retire(Index),
    /// Members have moved.
    Address(Index, String),
    /// The access manager has moved, or is another one.
    AccessManager(symbolon_trust::AccessManager),
    /// The access manager has another permit key.
    Permit(symbolon_trust::PublicKey),
}

/// There is no grant with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no grant {0}")]
pub struct UnknownGrant(pub u64);

impl Owner {
    /// Makes a grant with the next number.
    pub fn make_grant(
        &mut self,
        keys: &mut Signer<'_>,
        terms: GrantTerms,
    ) -> Result<Signed<Grant>, OwnerError> {
        let id = self.grants().next_back().map_or(1, |newest| newest.body().id + 1);
        let body = Grant {
            account: self.account(),
            id,
            serial: 1,
            keys: terms.keys,
            principal: Principal::Holder(terms.holder),
            operations: terms.operations,
            rate: terms.rate,
            not_before: terms.not_before,
            not_after: terms.not_after,
        };
        let signed = keys.sign(self, Office::Policy, body, &format!("{id}.grant"))?;
        self.keep_grant(signed.clone())?;
        Ok(signed)
    }

    /// Takes something away by a successor of the deny document.
    pub fn deny_more(
        &mut self,
        keys: &mut Signer<'_>,
        add: impl FnOnce(&mut DenyDocument),
    ) -> Result<Signed<DenyDocument>, OwnerError> {
        let nothing = DenyDocument::nothing(self.account());
        let held = self.deny().map_or(&nothing, VerifiedDeny::document);
        let mut body = held.successor(now());
        if let Some(rival) = self.rival() {
            body.merge(rival.document());
        }
        add(&mut body);
        let name = format!("{}.deny", body.version);
        let signed = keys.sign(self, Office::Deny, body, &name)?;
        self.keep_deny(&signed)?;
        Ok(signed)
    }

    /// The serial up to which a grant is to be revoked: all that were made.
    pub fn revocable_serial(&self, id: u64) -> Result<u64, UnknownGrant> {
        self.grant(id).map(|grant| grant.body().serial).ok_or(UnknownGrant(id))
    }

    /// Makes an order with the next serial.
    pub fn order(&mut self, keys: &mut Signer<'_>, action: Action) -> Result<Signed<Order>, OwnerError> {
        let (serial, issued) = (self.orders().highest_serial() + 1, now());
        let body =
            Order { account: self.account(), serial, issued, expires: issued + ORDER_LIFETIME, action };
        let signed = keys.sign(self, Office::Policy, body, &format!("{serial}.order"))?;
        let verified = self.verify_order(signed.clone())?;
        self.keep_order(verified)?;
        Ok(signed)
    }

    /// Enables a key again, as far as the kept deny document disabled it.
    pub fn enable(
        &mut self,
        keys: &mut Signer<'_>,
        key: &KeyId,
    ) -> Result<Option<Signed<Order>>, OwnerError> {
        let Some(since) = self.denials().disabled_since(key) else { return Ok(None) };
        self.order(keys, Action::Enable { key: key.clone(), since }).map(Some)
    }

    /// Cancels every destruction of a key that was ordered and not cancelled yet.
    pub fn cancel_destruction(
        &mut self,
        keys: &mut Signer<'_>,
        key: &KeyId,
    ) -> Result<Vec<Signed<Order>>, OwnerError> {
        let waiting = self.orders().destructions().filter(|found| found.key == key && !found.cancelled);
        let serials: Vec<u64> = waiting.map(|found| found.serial).collect();
        let cancel = |serial| Action::CancelDestruction { key: key.clone(), destroy_serial: serial };
        serials.into_iter().map(|serial| self.order(keys, cancel(serial))).collect()
    }

    /// Shares sets anew among these members.
    pub fn reshare(
        &mut self,
        keys: &mut Signer<'_>,
        mut sets: Vec<SetId>,
        mut members: Vec<Index>,
        t: u16,
        mut exempt: Vec<Index>,
    ) -> Result<Signed<Order>, OwnerError> {
        sets.sort_unstable();
        members.sort_unstable();
        exempt.sort_unstable();
        self.order(keys, Action::Reshare { sets, members, t, exempt })
    }

    /// Changes the root document.
    pub fn change_root(
        &mut self,
        keys: &mut Signer<'_>,
        change: RootChange,
    ) -> Result<Signed<RootDocument>, OwnerError> {
        let previous = self.root().document();
        let mut body = previous.successor(now());
        apply(&mut body, change)?;
        body.check_succession(previous).map_err(RootError::from)?;
        let name = format!("{}.root", body.version);
        let signed = keys.sign(self, Office::Root, body, &name)?;
        self.keep_root(signed.clone())?;
        Ok(signed)
    }

    pub(super) fn verify_order(&self, signed: Signed<Order>) -> Result<VerifiedOrder, OwnerError> {
        let now = HighWaterMark::default().observe(now())?;
        Ok(VerifiedOrder::verify(signed, self.root(), now)?)
    }
}

fn apply(body: &mut RootDocument, change: RootChange) -> Result<(), OwnerError> {
    match change {
        RootChange::AddManagers(managers) => {
            let numbered: Vec<_> = numbers(body).zip(managers).collect();
            body.roster.extend(numbered.into_iter().map(|(index, manager)| manager.numbered(index)));
        }
        RootChange::AddDriver(driver) => {
            let next = numbers(body).next();
            driver.sign_in(next.ok_or(RootError::Rule(RootRule::RosterOrder))?, body);
        }
        RootChange::Retire(index) => member(body, index)?.retired = true,
        RootChange::Address(index, address) => member(body, index)?.address = address,
        RootChange::AccessManager(access_manager) => body.access_manager = access_manager,
        RootChange::Permit(key) => body.roles.permit = symbolon_trust::Role::new(1, [key]),
    }
    Ok(())
}

/// Numbers that no member has or had, ascending.
fn numbers(body: &RootDocument) -> impl Iterator<Item = Index> + use<> {
    let first = body.roster.last().map_or(1, |last| last.index.get().saturating_add(1));
    (first..=u16::MAX).filter_map(Index::new)
}

fn member(body: &mut RootDocument, index: Index) -> Result<&mut symbolon_trust::Member, OwnerError> {
    let found = body.roster.iter_mut().find(|member| member.index == index);
    Ok(found.ok_or(symbolon_trust::UnknownMember(index))?)
}
