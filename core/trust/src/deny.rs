//! The deny document: everything that was taken away from an account's holders, in one place (specification §2.4).

use crate::{
    order::{Action, VerifiedOrder},
    root::TrustedRoot,
    signed::{Document, SignatureError, Signed},
    time::Seconds,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, KeyId, Thumbprint};

/// Revocations and disablings, cumulative. The highest version counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DenyDocument {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// 1 for the first, higher for each successor.
    #[n(1)]
    pub version: u64,
    /// When the owner made it.
    #[n(2)]
    pub issued: Seconds,
    /// Revoked grants, ascending by id.
    #[n(3)]
    pub grants: Vec<DeniedGrant>,
    /// Holders that may do nothing any more, ascending.
    #[n(4)]
    pub holders: Vec<Thumbprint>,
    /// Disabled keys, ascending.
    #[n(5)]
    pub keys: Vec<DisabledKey>,
}

/// A revoked grant: this serial and all below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DeniedGrant {
    /// The grant's id.
    #[n(0)]
    pub id: u64,
    /// The highest serial that is revoked.
    #[n(1)]
    pub serial: u64,
}

/// A disabled key, all its versions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DisabledKey {
    /// The key.
    #[n(0)]
    pub key: KeyId,
    /// The version of the deny document that disabled it last.
    #[n(1)]
    pub since: u64,
}

impl Document for DenyDocument {
    const LABEL: &'static str = "deny";
}

impl DenyDocument {
    /// The document that an account starts with: nothing is denied. It is version 0 and needs no signature.
    pub const fn nothing(account: AccountId) -> Self {
        Self {
            account,
            version: 0,
            issued: Seconds(0),
            grants: Vec::new(),
            holders: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// A successor with the same entries, to which more can be added.
    #[must_use]
    pub fn successor(&self, issued: Seconds) -> Self {
        Self { version: self.version + 1, issued: issued.max(self.issued), ..self.clone() }
    }

    /// Takes over every entry of another document, where two administrators made successors at the same time.
    pub fn merge(&mut self, other: &Self) {
        self.version = self.version.max(other.version + 1);
        for grant in &other.grants {
            self.deny_grant(grant.id, grant.serial);
        }
        for holder in &other.holders {
            self.deny_holder(*holder);
        }
        for disabled in &other.keys {
            match self.keys.binary_search_by(|known| known.key.cmp(&disabled.key)) {
                Ok(at) => self.keys[at].since = self.keys[at].since.max(disabled.since),
                Err(at) => self.keys.insert(at, disabled.clone()),
            }
        }
    }

    /// Revokes a grant up to this serial.
    pub fn deny_grant(&mut self, id: u64, serial: u64) {
        match self.grants.binary_search_by_key(&id, |grant| grant.id) {
            Ok(at) => self.grants[at].serial = self.grants[at].serial.max(serial),
            Err(at) => self.grants.insert(at, DeniedGrant { id, serial }),
        }
    }

    /// Denies a holder everything.
    pub fn deny_holder(&mut self, holder: Thumbprint) {
        if let Err(at) = self.holders.binary_search(&holder) {
            self.holders.insert(at, holder);
        }
    }

    /// Disables a key, from this version of the document on.
    pub fn disable_key(&mut self, key: KeyId) {
        match self.keys.binary_search_by(|disabled| disabled.key.cmp(&key)) {
            Ok(at) => self.keys[at].since = self.version,
            Err(at) => self.keys.insert(at, DisabledKey { key, since: self.version }),
        }
    }

    fn check(&self) -> Result<(), DenyError> {
        let ascending = self.grants.is_sorted_by(|a, b| a.id < b.id)
            && self.holders.is_sorted_by(|a, b| a < b)
            && self.keys.is_sorted_by(|a, b| a.key < b.key);
        let possible = self.keys.iter().all(|key| (1..=self.version).contains(&key.since));
        if ascending && possible && self.version > 0 { Ok(()) } else { Err(DenyError::Form) }
    }

    fn contains(&self, earlier: &Self) -> bool {
        let grant = |old: &DeniedGrant| self.grants.iter().any(|g| g.id == old.id && g.serial >= old.serial);
        let key = |old: &DisabledKey| self.keys.iter().any(|k| k.key == old.key && k.since >= old.since);
        earlier.grants.iter().all(grant)
            && earlier.holders.iter().all(|holder| self.holders.binary_search(holder).is_ok())
            && earlier.keys.iter().all(key)
    }
}

/// A deny document that the account's `deny` role signed.
///
/// ```compile_fail,E0423
/// # fn forge(deny: symbolon_trust::Signed<symbolon_trust::DenyDocument>) {
/// let verified = symbolon_trust::VerifiedDeny(deny);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDeny(Signed<DenyDocument>);

/// Why a deny document is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DenyError {
    /// It is about another account.
    #[error("the deny document is another account's")]
    Account,
    /// The role `deny` didn't sign it.
    #[error("the deny document is not signed by the role `deny`")]
    Signature(#[from] SignatureError),
    /// Its lists don't ascend, or a key was disabled in the future.
    #[error("the deny document's lists must ascend, none twice, none since a later version")]
    Form,
    /// It is older than the one that is held.
    #[error("the deny document is version {offered}; version {held} is held")]
    Older {
        /// The version that was offered.
        offered: u64,
        /// The version that is held.
        held: u64,
    },
    /// It has the held one's version, but says something else.
    #[error("there is another deny document of version {0}")]
    Fork(u64),
    /// It gives back what its predecessor took.
    #[error("the deny document lacks an entry of its predecessor")]
    NotCumulative,
}

impl VerifiedDeny {
    /// Checks account, form and signatures.
    pub fn verify(signed: Signed<DenyDocument>, root: &TrustedRoot) -> Result<Self, DenyError> {
        let body = signed.body();
        if body.account != root.account() {
            return Err(DenyError::Account);
        }
        body.check()?;
        root.document().roles.deny.check(&signed)?;
        Ok(Self(signed))
    }

    /// Reads back a document that was verified and stored: it stays in force although a later root document may name
    /// other deny keys.
    pub fn recall(signed: Signed<DenyDocument>, root: &TrustedRoot) -> Result<Self, DenyError> {
        if signed.body().account != root.account() {
            return Err(DenyError::Account);
        }
        root.check_any(|document| document.roles.deny.check(&signed))?;
        Ok(Self(signed))
    }

    /// Checks that this document may take the place of that one; the same document may.
    pub fn check_succession(&self, held: &Self) -> Result<(), DenyError> {
        let (new, old) = (self.document(), held.document());
        if new == old {
            return Ok(());
        }
        if new.version < old.version {
            return Err(DenyError::Older { offered: new.version, held: old.version });
        }
        if new.version == old.version {
            return Err(DenyError::Fork(old.version));
        }
        if new.contains(old) { Ok(()) } else { Err(DenyError::NotCumulative) }
    }

    /// The document.
    pub const fn document(&self) -> &DenyDocument {
        self.0.body()
    }

    /// The document with its signatures, to store or to serve.
    pub const fn signed(&self) -> &Signed<DenyDocument> {
        &self.0
    }
}

/// What is denied in an account right now: its deny document, less the keys that the owner enabled again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denials {
    version: u64,
    grants: BTreeMap<u64, u64>,
    holders: Vec<Thumbprint>,
    keys: BTreeMap<KeyId, u64>,
    /// Key versions that an order destroys, or destroyed, and no order spares, each with that order's serial.
    destroyed: BTreeSet<(KeyId, u64, u64)>,
}

/// Why something that would be allowed is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The grant was revoked.
    #[error("the grant {id} was revoked up to serial {serial}")]
    Grant {
        /// The grant's id.
        id: u64,
        /// The highest revoked serial.
        serial: u64,
    },
    /// The holder was denied.
    #[error("the holder was denied")]
    Holder,
    /// The key is disabled.
    #[error("the key is disabled")]
    Key,
    /// The key version is destroyed, or waits for it: an order that cancels it in time gives the key back.
    #[error("the key version is destroyed, or is about to be (order {0})")]
    Destroyed(u64),
}

impl Denials {
    /// What this deny document (none: an account that never denied anything) and these orders amount to.
    pub fn new<'o>(deny: Option<&VerifiedDeny>, orders: impl IntoIterator<Item = &'o VerifiedOrder>) -> Self {
        let mut denials = deny.map(VerifiedDeny::document).map(Self::of).unwrap_or_default();
        let mut spared = Vec::new();
        for order in orders {
            match &order.order().action {
                Action::Enable { key, since } => denials.enable(key, *since),
                Action::Destroy { key, version, .. } => {
                    denials.destroyed.insert((key.clone(), *version, order.order().serial));
                }
                Action::CancelDestruction { key, destroy_serial } => spared.push((key, *destroy_serial)),
                Action::Reshare { .. } | Action::LowerMark { .. } => {}
            }
        }
        denials.destroyed.retain(|(key, _, serial)| !spared.contains(&(key, *serial)));
        denials
    }

    fn of(document: &DenyDocument) -> Self {
        Self {
            version: document.version,
            grants: document.grants.iter().map(|grant| (grant.id, grant.serial)).collect(),
            holders: document.holders.clone(),
            keys: document.keys.iter().map(|disabled| (disabled.key.clone(), disabled.since)).collect(),
            destroyed: BTreeSet::new(),
        }
    }

    fn enable(&mut self, key: &KeyId, since: u64) {
        self.keys.retain(|disabled, when| disabled != key || *when > since);
    }

    /// The version of the deny document behind it; 0 if there is none.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Refuses a revoked grant.
    pub fn check_grant(&self, id: u64, serial: u64) -> Result<(), Denied> {
        match self.grants.get(&id) {
            Some(revoked) if serial <= *revoked => Err(Denied::Grant { id, serial: *revoked }),
            _ => Ok(()),
        }
    }

    /// Refuses a denied holder.
    pub fn check_holder(&self, holder: Thumbprint) -> Result<(), Denied> {
        if self.holders.binary_search(&holder).is_ok() { Err(Denied::Holder) } else { Ok(()) }
    }

    /// Refuses a disabled key.
    pub fn check_key(&self, key: &KeyId) -> Result<(), Denied> {
        if self.keys.contains_key(key) { Err(Denied::Key) } else { Ok(()) }
    }

    /// Refuses a key version that is destroyed, or is about to be.
    pub fn check_version(&self, key: &KeyId, version: u64) -> Result<(), Denied> {
        let mut orders = self.destroyed.range((key.clone(), version, 0)..=(key.clone(), version, u64::MAX));
        match orders.next_back() {
            Some((_, _, serial)) => Err(Denied::Destroyed(*serial)),
            None => Ok(()),
        }
    }

    /// The version of the deny document that disabled the key, if it is disabled: what an order to enable it names.
    pub fn disabled_since(&self, key: &KeyId) -> Option<u64> {
        self.keys.get(key).copied()
    }
}
