//! The owner's grant: which holder may do what with which keys (specification §2.2).

use crate::{
    holder::Principal,
    operations::{Operation, Operations},
    root::TrustedRoot,
    signed::{Document, SignatureError, Signed},
    time::{Now, Seconds},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, KeyId, KeyPattern};

/// A grant. A later serial of the same id replaces the earlier.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The grant's number in the account.
    #[n(1)]
    pub id: u64,
    /// Which making of this grant it is.
    #[n(2)]
    pub serial: u64,
    /// The keys that it is about; at least one pattern.
    #[n(3)]
    pub keys: Vec<KeyPattern>,
    /// Who is granted.
    #[n(4)]
    pub principal: Principal,
    /// What is granted; at least one operation.
    #[n(5)]
    pub operations: Operations,
    /// Inputs a second at each manager; 0 = unlimited.
    #[n(6)]
    pub rate: u32,
    /// From when on.
    #[n(7)]
    pub not_before: Seconds,
    /// Until when, inclusive.
    #[n(8)]
    pub not_after: Seconds,
}

impl Document for Grant {
    const LABEL: &'static str = "grant";
}

impl Grant {
    /// Whether the grant names this key and operation.
    pub fn covers(&self, key: &KeyId, operation: Operation) -> bool {
        self.operations.contains(operation) && self.keys.iter().any(|pattern| pattern.covers(key))
    }
}

/// A grant that the account's `policy` role signed and that is in time.
///
/// ```compile_fail,E0423
/// # fn forge(grant: symbolon_trust::Grant) {
/// let verified = symbolon_trust::VerifiedGrant(grant);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedGrant(Grant);

/// Why a grant is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is about another account.
    #[error("the grant is another account's")]
    Account,
    /// The role `policy` didn't sign it.
    #[error("the grant is not signed by the role `policy`")]
    Signature(#[from] SignatureError),
    /// It names no key or no operation.
    #[error("the grant names no key or no operation")]
    Empty,
    /// It is not valid yet.
    #[error("the grant is valid from {not_before}; it is {now} (Unix seconds)")]
    NotYet {
        /// From when on it is valid.
        not_before: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// It is no longer valid.
    #[error("the grant was valid until {not_after}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it was valid.
        not_after: Seconds,
        /// The time of the check.
        now: Seconds,
    },
}

impl VerifiedGrant {
    /// Checks account, signatures and time.
    pub fn verify(signed: &Signed<Grant>, root: &TrustedRoot, now: Now) -> Result<Self, GrantError> {
        let grant = signed.body();
        if grant.account != root.account() {
            return Err(GrantError::Account);
        }
        root.document().roles.policy.check(signed)?;
        if grant.keys.is_empty() || grant.operations.is_empty() {
            return Err(GrantError::Empty);
        }
        let now = now.time();
        if now < grant.not_before {
            return Err(GrantError::NotYet { not_before: grant.not_before, now });
        }
        if now > grant.not_after {
            return Err(GrantError::Expired { not_after: grant.not_after, now });
        }
        Ok(Self(grant.clone()))
    }

    /// The grant.
    pub const fn grant(&self) -> &Grant {
        &self.0
    }
}
