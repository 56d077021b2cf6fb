//! The owner's orders: what changes fragment sets, gives back or destroys keys (specification §2.5).

mod book;

pub use book::{Destruction, DueDestruction, OrderBook, OrderConflict, StoredOrder, Taken, WAITING_PERIOD};

use crate::{
    members::{EligibleMembers, MembersError},
    root::{RootDocument, TrustedRoot},
    signed::{Document, SignatureError, Signed},
    time::{ISSUE_TOLERANCE, Now, Seconds},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Index, KeyId, SetId};

/// An order. Its serial names it in the account: there is one order a serial.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Order {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The order's number, ascending.
    #[n(1)]
    pub serial: u64,
    /// When the owner made it.
    #[n(2)]
    pub issued: Seconds,
    /// Until when a manager may take it, inclusive. One that was taken stays in force; one that cancels is taken at any time.
    #[n(3)]
    pub expires: Seconds,
    /// What is to be done.
    #[n(4)]
    pub action: Action,
}

/// What an order orders.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Reshare sets to these members (exclude, repair, change of members, `t`, `n`).
    #[n(1)]
    Reshare {
        /// The sets, ascending.
        #[n(0)]
        sets: Vec<SetId>,
        /// Who is to hold them, ascending.
        #[n(1)]
        members: Vec<Index>,
        /// How many are to make the key.
        #[n(2)]
        t: u16,
        /// Present holders that the first resharing may do without, ascending.
        #[n(3)]
        exempt: Vec<Index>,
    },
    /// Enable a key that a deny document up to this version disabled.
    #[n(2)]
    Enable {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// The deny document's version.
        #[n(1)]
        since: u64,
    },
    /// Destroy a key version's dedicated set.
    #[n(3)]
    Destroy {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// Its version.
        #[n(1)]
        version: u64,
        /// Not before that time, and not before the waiting period is over.
        #[n(2)]
        execute_after: Seconds,
    },
    /// Cancel a destruction that was not executed yet.
    #[n(4)]
    CancelDestruction {
        /// The key.
        #[n(0)]
        key: KeyId,
        /// The serial of the order to destroy.
        #[n(1)]
        destroy_serial: u64,
    },
    /// Lower the high-water mark of the clock.
    #[n(5)]
    LowerMark {
        /// To this time.
        #[n(0)]
        mark: Seconds,
    },
}

impl Document for Order {
    const LABEL: &'static str = "order";
}

/// An order that the account's `policy` role signed, taken in time.
///
/// ```compile_fail,E0423
/// # fn forge(order: symbolon_trust::Signed<symbolon_trust::Order>) {
/// let verified = symbolon_trust::VerifiedOrder(order);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOrder(Signed<Order>);

/// Why an order is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It is about another account.
    #[error("the order is another account's")]
    Account,
    /// The role `policy` didn't sign it.
    #[error("the order is not signed by the role `policy`")]
    Signature(#[from] SignatureError),
    /// Its lists don't ascend, or one that must have entries has none.
    #[error("the order's lists must ascend, none twice, and name at least one set")]
    Form,
    /// The members that it names may not form a set.
    #[error("the order names members that may not form a set")]
    Members(#[from] MembersError),
    /// It comes from the future.
    #[error("the order was issued at {issued}; it is only {now} (Unix seconds)")]
    NotYet {
        /// When it says it was issued.
        issued: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// It can no longer be taken.
    #[error("the order could be taken until {expires}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it could be taken.
        expires: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// Without a trustworthy clock only the mark can be lowered.
    #[error("only an order to lower the mark is taken while the clock is behind it")]
    NotAboutTheMark,
}

impl VerifiedOrder {
    /// Checks account, signatures, form and time.
    pub fn verify(signed: Signed<Order>, root: &TrustedRoot, now: Now) -> Result<Self, OrderError> {
        signed.body().check(root)?;
        signed.body().check_time(now.time(), now.is_after_issue(signed.body().issued))?;
        root.document().roles.policy.check(&signed)?;
        Ok(Self(signed))
    }

    /// Checks an order to lower the mark against the bare clock, since with a mark too far ahead there is no [`Now`].
    pub fn verify_lower_mark(
        signed: Signed<Order>,
        root: &TrustedRoot,
        clock: Seconds,
    ) -> Result<Self, OrderError> {
        if !matches!(signed.body().action, Action::LowerMark { .. }) {
            return Err(OrderError::NotAboutTheMark);
        }
        signed.body().check(root)?;
        signed.body().check_time(clock, signed.body().issued <= clock + ISSUE_TOLERANCE)?;
        root.document().roles.policy.check(&signed)?;
        Ok(Self(signed))
    }

    /// Reads back an order that was verified and stored: it stays in force although it expired, its members may have
    /// retired, and a later root document may name other policy keys.
    pub fn recall(signed: Signed<Order>, root: &TrustedRoot) -> Result<Self, OrderError> {
        if signed.body().account != root.account() {
            return Err(OrderError::Account);
        }
        let check = |document: &RootDocument| document.roles.policy.check(&signed);
        root.check_any(check)?;
        Ok(Self(signed))
    }

    /// The order.
    pub const fn order(&self) -> &Order {
        self.0.body()
    }

    /// The order with its signatures, to store or to serve.
    pub const fn signed(&self) -> &Signed<Order> {
        &self.0
    }
}

impl Order {
    /// Whether a manager whose clock says this may still take it. A cancellation keeps what its destruction would destroy for
    /// good: a manager that was away for longer than orders live must still learn of it.
    pub const fn lives_at(&self, time: Seconds) -> bool {
        time.0 <= self.expires.0 || matches!(self.action, Action::CancelDestruction { .. })
    }

    fn check(&self, root: &TrustedRoot) -> Result<(), OrderError> {
        if self.account != root.account() {
            return Err(OrderError::Account);
        }
        let Action::Reshare { sets, members, t, exempt } = &self.action else { return Ok(()) };
        let ascending = sets.is_sorted_by(|a, b| a < b) && exempt.is_sorted_by(|a, b| a < b);
        if sets.is_empty() || !ascending {
            return Err(OrderError::Form);
        }
        EligibleMembers::check(root, members, *t)?;
        Ok(())
    }

    fn check_time(&self, now: Seconds, issued: bool) -> Result<(), OrderError> {
        if !issued {
            return Err(OrderError::NotYet { issued: self.issued, now });
        }
        if !self.lives_at(now) {
            return Err(OrderError::Expired { expires: self.expires, now });
        }
        Ok(())
    }
}
