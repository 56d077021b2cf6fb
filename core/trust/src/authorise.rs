//! The three that must agree before anything is evaluated: grant, permit, holder (specification §2.11).

use crate::{
    deny::{Denials, Denied},
    grant::VerifiedGrant,
    holder::ProvenHolder,
    operations::{Operation, Operations},
    permit::VerifiedPermit,
    time::{Now, Seconds},
};
use symbolon_fragments::names::{AccountId, KeyId, Thumbprint};

/// A verdict: this holder may do this with this key version until then. It is cached by channel and permit; a manager
/// drops it when a new root or deny document comes.
///
/// ```compile_fail,E0451
/// # fn forge(verified: &symbolon_trust::Authorised) {
/// let authorised = symbolon_trust::Authorised { version: 2, ..verified.clone() };
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorised {
    account: AccountId,
    key: KeyId,
    version: u64,
    operations: Operations,
    holder: Thumbprint,
    permit: [u8; 16],
    grant: (u64, u64),
    rate: u32,
    not_after: Seconds,
}

/// Why grant, permit and holder don't agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthoriseError {
    /// Grant and permit are of different accounts.
    #[error("grant and permit are of different accounts")]
    Account,
    /// The permit was issued on another grant, or another serial of it.
    #[error("the permit was issued on another grant")]
    Grant,
    /// The grant is for somebody else.
    #[error("the grant is for another holder")]
    GrantHolder,
    /// The permit is for somebody else.
    #[error("the permit is for another holder")]
    PermitHolder,
    /// Nothing is both granted and permitted for the key.
    #[error("the grant does not cover what the permit allows")]
    NotGranted,
    /// Holder, grant or key were denied.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Authorised {
    /// Brings the three together. What is allowed is what the grant and the permit both contain.
    pub fn check(
        grant: &VerifiedGrant,
        permit: &VerifiedPermit,
        holder: &ProvenHolder,
        denials: &Denials,
    ) -> Result<Self, AuthoriseError> {
        let (grant, permit) = (grant.grant(), permit.permit());
        if grant.account != permit.account {
            return Err(AuthoriseError::Account);
        }
        if (grant.id, grant.serial) != (permit.grant_id, permit.grant_serial) {
            return Err(AuthoriseError::Grant);
        }
        if !grant.principal.is(holder) {
            return Err(AuthoriseError::GrantHolder);
        }
        if permit.principal != holder.thumbprint() {
            return Err(AuthoriseError::PermitHolder);
        }
        denials.check_holder(holder.thumbprint())?;
        denials.check_grant(grant.id, grant.serial)?;
        denials.check_key(&permit.key)?;
        denials.check_version(&permit.key, permit.version)?;
        let granted: Operations =
            Operation::ALL.into_iter().filter(|operation| grant.covers(&permit.key, *operation)).collect();
        let operations = permit.operations.and(granted);
        if operations.is_empty() {
            return Err(AuthoriseError::NotGranted);
        }
        Ok(Self {
            account: permit.account,
            key: permit.key.clone(),
            version: permit.version,
            operations,
            holder: holder.thumbprint(),
            permit: permit.id,
            grant: (grant.id, grant.serial),
            rate: grant.rate,
            not_after: permit.not_after.min(grant.not_after),
        })
    }

    /// Admits one operation at this time: what evaluating asks for.
    pub fn admit(&self, operation: Operation, now: Now) -> Result<Admission<'_>, NotAdmitted> {
        if now.time() > self.not_after {
            return Err(NotAdmitted::Expired { not_after: self.not_after, now: now.time() });
        }
        if !self.operations.contains(operation) {
            return Err(NotAdmitted::Operation(operation));
        }
        Ok(Admission { verdict: self, operation, time: now.time() })
    }

    /// The account.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The key.
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// Its version.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What is allowed.
    pub const fn operations(&self) -> Operations {
        self.operations
    }

    /// The holder.
    pub const fn holder(&self) -> Thumbprint {
        self.holder
    }

    /// The permit's id, by which evaluations are logged.
    pub const fn permit(&self) -> [u8; 16] {
        self.permit
    }

    /// The grant's id and serial.
    pub const fn grant(&self) -> (u64, u64) {
        self.grant
    }

    /// Inputs a second; 0 = unlimited.
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// Until when the verdict is good, inclusive.
    pub const fn not_after(&self) -> Seconds {
        self.not_after
    }
}

/// One operation under a verdict, at a time at which the verdict is good.
///
/// ```compile_fail,E0451
/// # fn forge<'a>(admission: symbolon_trust::Admission<'a>) {
/// let other = symbolon_trust::Admission { operation: symbolon_trust::Operation::Decrypt, ..admission };
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission<'a> {
    verdict: &'a Authorised,
    operation: Operation,
    time: Seconds,
}

/// Why a verdict doesn't admit an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The verdict is no longer good.
    #[error("the permit was good until {not_after}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it was good.
        not_after: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// The operation isn't among those that are allowed.
    #[error("{0} is not allowed")]
    Operation(Operation),
}

impl<'a> Admission<'a> {
    /// The verdict.
    pub const fn verdict(&self) -> &'a Authorised {
        self.verdict
    }

    /// The operation.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The time of admission.
    pub const fn time(&self) -> Seconds {
        self.time
    }
}
