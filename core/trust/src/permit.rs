//! The access manager's permit: one holder, one key version, for a minute (specification §2.3).

use crate::{
    operations::Operations,
    root::TrustedRoot,
    signed::{Document, SignatureError, Signed},
    time::{Now, Seconds},
};
use alloc::string::String;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, KeyId, Thumbprint};

/// The longest life of a permit, in seconds: how long a stolen verdict of the access manager stays good.
pub const PERMIT_LIFETIME: u64 = 60;

/// A permit, signed by the role `permit`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Permit {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// Random; the audit log and the managers' evaluation logs meet in it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// The holder.
    #[n(2)]
    pub principal: Thumbprint,
    /// The key.
    #[n(3)]
    pub key: KeyId,
    /// The key's version.
    #[n(4)]
    pub version: u64,
    /// What is permitted.
    #[n(5)]
    pub operations: Operations,
    /// The grant that it is issued on.
    #[n(6)]
    pub grant_id: u64,
    /// That grant's serial.
    #[n(7)]
    pub grant_serial: u64,
    /// For whom the holder (a gateway) acts.
    #[n(8)]
    pub on_behalf_of: Option<String>,
    /// When it was issued.
    #[n(9)]
    pub issued: Seconds,
    /// Until when it is good, inclusive; at most a minute after.
    #[n(10)]
    pub not_after: Seconds,
}

impl Document for Permit {
    const LABEL: &'static str = "permit";
}

/// A permit that the account's `permit` role signed and that is in time.
///
/// ```compile_fail,E0423
/// # fn forge(permit: symbolon_trust::Permit) {
/// let verified = symbolon_trust::VerifiedPermit(permit);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPermit(Permit);

/// Why a permit is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermitError {
    /// It is about another account.
    #[error("the permit is another account's")]
    Account,
    /// The role `permit` didn't sign it.
    #[error("the permit is not signed by the role `permit`")]
    Signature(#[from] SignatureError),
    /// It would live longer than a minute.
    #[error("the permit lives longer than {PERMIT_LIFETIME} s")]
    TooLong,
    /// It comes from the future.
    #[error("the permit was issued at {issued}; it is only {now} (Unix seconds)")]
    NotYet {
        /// When it says it was issued.
        issued: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// It is no longer good.
    #[error("the permit was good until {not_after}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it was good.
        not_after: Seconds,
        /// The time of the check.
        now: Seconds,
    },
}

impl VerifiedPermit {
    /// Checks account, signatures, length and time.
    pub fn verify(signed: &Signed<Permit>, root: &TrustedRoot, now: Now) -> Result<Self, PermitError> {
        let permit = signed.body();
        if permit.account != root.account() {
            return Err(PermitError::Account);
        }
        root.document().roles.permit.check(signed)?;
        if permit.not_after > permit.issued + PERMIT_LIFETIME {
            return Err(PermitError::TooLong);
        }
        if !now.is_after_issue(permit.issued) {
            return Err(PermitError::NotYet { issued: permit.issued, now: now.time() });
        }
        if now.time() > permit.not_after {
            return Err(PermitError::Expired { not_after: permit.not_after, now: now.time() });
        }
        Ok(Self(permit.clone()))
    }

    /// The permit.
    pub const fn permit(&self) -> &Permit {
        &self.0
    }
}
