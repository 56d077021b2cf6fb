//! The closed list of errors that a fragment manager answers with.
//!
//! A code says whose move it is; the details are numbers and names that the asker knows or needs, never another
//! holder's, never free text.

use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::Purpose;
use symbolon_trust::{EpochCertificate, Operation, Seconds, Signed};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(flat)]
pub enum Error {
    /// Too many requests of this channel are in flight.
    #[n(0)]
    #[error("too many requests in flight")]
    Busy,
    /// The request isn't the canonical encoding of any.
    #[n(1)]
    #[error("malformed request")]
    Malformed,
    /// The response would not fit a frame: ask for less.
    #[n(2)]
    #[error("the response would not fit a frame")]
    TooLarge,
    /// The manager doesn't serve the account.
    #[n(3)]
    #[error("the account is unknown here")]
    UnknownAccount,
    /// The manager's clock reads a time before one that it had read already. It does nothing until that is mended.
    #[n(4)]
    #[error("the manager's clock was set back: it reads {clock}, but had already read {mark} (Unix seconds)")]
    ClockBehind {
        /// What its clock reads.
        #[n(0)]
        clock: Seconds,
        /// Its high-water mark.
        #[n(1)]
        mark: Seconds,
    },
    /// The grant's rate is used up.
    #[n(5)]
    #[error("the grant's rate is used up; try again in {retry_after_ms} ms")]
    RateExceeded {
        /// When as many inputs will be admitted, in milliseconds.
        #[n(0)]
        retry_after_ms: u64,
    },
    /// A document that the request carries doesn't pass.
    #[n(6)]
    #[error("the {document} was refused: {reason}")]
    Refused {
        /// Which one.
        #[n(0)]
        document: Document,
        /// Why.
        #[n(1)]
        reason: Refusal,
    },
    /// The channel's holder, or its grant, was revoked, or the key is disabled.
    #[n(7)]
    #[error("denied: {0}")]
    Denied(#[n(0)] Denial),
    /// No verdict has this handle: authorise anew.
    #[n(8)]
    #[error("no verdict has this handle")]
    HandleUnknown,
    /// The verdict behind the handle is over: authorise anew.
    #[n(9)]
    #[error("the verdict was good until {not_after}; it is {now} (Unix seconds)")]
    VerdictExpired {
        /// Until when it was good.
        #[n(0)]
        not_after: Seconds,
        /// The manager's clock.
        #[n(1)]
        now: Seconds,
    },
    /// Neither grant nor permit allows it.
    #[n(10)]
    #[error("the operation `{operation}` is not allowed")]
    NotAllowed {
        /// The operation that would be needed.
        #[n(0)]
        operation: Operation,
    },
    /// An input to be encrypted names another writer than the channel's holder.
    #[n(11)]
    #[error("an input names another writer")]
    WrongWriter,
    /// An input to be encrypted is too old, or from the future.
    #[n(12)]
    #[error("an input was created at {created}; it is {now} (Unix seconds)")]
    NotFresh {
        /// What the input says.
        #[n(0)]
        created: Seconds,
        /// The manager's clock.
        #[n(1)]
        now: Seconds,
    },
    /// An input has another purpose than the key.
    #[n(13)]
    #[error("the key's purpose is `{purpose}`")]
    WrongPurpose {
        /// What the key is for.
        #[n(0)]
        purpose: Purpose,
    },
    /// The manager has certified no such key version.
    #[n(14)]
    #[error("the key version is unknown here")]
    UnknownKey,
    /// The manager doesn't hold the instance asked for.
    #[n(15)]
    #[error("the instance is not held here; {} are", served.len())]
    NotHeld {
        /// The certificates of those that it does serve of the key's set, newest first.
        #[n(0)]
        served: Vec<Signed<EpochCertificate>>,
    },
    /// The key version was destroyed.
    #[n(16)]
    #[error("the key version was destroyed")]
    Destroyed,
    /// The set isn't one that may serve the key that is to be certified, or not yet.
    #[n(17)]
    #[error("the set cannot serve this key: {0}")]
    Unsuitable(#[n(0)] Unsuitable),
    /// The manager's datastore takes no more: its disk is full.
    #[n(18)]
    #[error("the manager's disk is full")]
    Full,
    /// Something inside the manager failed; its log says what. Others may do.
    #[n(19)]
    #[error("the manager failed")]
    Failed,
}

/// Documents that a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Document {
    /// A grant.
    #[n(0)]
    Grant,
    /// A permit.
    #[n(1)]
    Permit,
    /// A create request.
    #[n(2)]
    Create,
    /// A root document.
    #[n(3)]
    Root,
    /// A deny document.
    #[n(4)]
    Deny,
    /// An order.
    #[n(5)]
    Order,
    /// A key certificate.
    #[n(6)]
    KeyCertificate,
}

impl core::fmt::Display for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Grant => "grant",
            Self::Permit => "permit",
            Self::Create => "create request",
            Self::Root => "root document",
            Self::Deny => "deny document",
            Self::Order => "order",
            Self::KeyCertificate => "key certificate",
        })
    }
}

/// Why a document doesn't pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(flat)]
pub enum Refusal {
    /// It is another account's.
    #[n(0)]
    #[error("it is another account's")]
    Account,
    /// Too few of the keys that must sign it did.
    #[n(1)]
    #[error("{got} of {needed} signatures")]
    TooFewSignatures {
        /// Signatures that count.
        #[n(0)]
        got: u64,
        /// Signatures needed.
        #[n(1)]
        needed: u64,
    },
    /// A signature that counts is wrong.
    #[n(2)]
    #[error("a signature is wrong")]
    WrongSignature,
    /// Its content breaks a rule of its form.
    #[n(3)]
    #[error("its content is not well formed")]
    Form,
    /// Its time has not come.
    #[n(4)]
    #[error("it is good from {from}; it is {now} (Unix seconds)")]
    NotYet {
        /// From when it is good.
        #[n(0)]
        from: Seconds,
        /// The manager's clock.
        #[n(1)]
        now: Seconds,
    },
    /// Its time is over.
    #[n(5)]
    #[error("it was good until {until}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it was good.
        #[n(0)]
        until: Seconds,
        /// The manager's clock.
        #[n(1)]
        now: Seconds,
    },
    /// It would be good for longer than allowed.
    #[n(6)]
    #[error("it would be good for too long")]
    TooLong,
    /// It names another holder than the channel's.
    #[n(7)]
    #[error("it names another holder")]
    Holder,
    /// It doesn't cover the key.
    #[n(8)]
    #[error("it does not cover the key")]
    Key,
    /// It doesn't belong with the request's other document.
    #[n(9)]
    #[error("the documents don't belong together")]
    Mismatch,
    /// A newer one is held.
    #[n(10)]
    #[error("{offered} is older than {held}, which is held")]
    Older {
        /// Version or serial offered.
        #[n(0)]
        offered: u64,
        /// Version or serial held.
        #[n(1)]
        held: u64,
    },
    /// Another one of the same number is held.
    #[n(11)]
    #[error("another one of number {number} is held")]
    Fork {
        /// Version or serial.
        #[n(0)]
        number: u64,
    },
    /// It isn't the next one after the one that is held.
    #[n(12)]
    #[error("it does not follow number {held}, which is held")]
    NotNext {
        /// Version held.
        #[n(0)]
        held: u64,
    },
    /// It lacks what its predecessor had.
    #[n(13)]
    #[error("it lacks an entry of its predecessor")]
    NotCumulative,
    /// Members, threshold or times are not what the root document allows.
    #[n(14)]
    #[error("the root document does not allow it")]
    NotAllowed,
}

/// What was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(flat)]
pub enum Denial {
    /// The grant.
    #[n(0)]
    #[error("the grant was revoked")]
    Grant,
    /// The holder.
    #[n(1)]
    #[error("the holder was revoked")]
    Holder,
    /// The key.
    #[n(2)]
    #[error("the key is disabled")]
    Key,
    /// The key version.
    #[n(3)]
    #[error("the key version is destroyed, or is about to be")]
    Destroyed,
}

/// Why a set can't serve a key that is to be certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(flat)]
pub enum Unsuitable {
    /// No such set is held here.
    #[n(0)]
    #[error("it is not held here")]
    Unknown,
    /// Its first instance is not settled yet: try again.
    #[n(1)]
    #[error("its first instance is not settled yet")]
    Unsettled,
    /// It was made for another create request, or has another suite, threshold or members than the request.
    #[n(2)]
    #[error("it was not made for this request")]
    OtherRequest,
    /// Another certificate of this key version was signed before.
    #[n(3)]
    #[error("another certificate of this key version was signed")]
    OtherCertificate,
    /// Versions ascend; a higher one was certified.
    #[n(4)]
    #[error("version {newest} was certified already")]
    Version {
        /// The newest version certified.
        #[n(0)]
        newest: u64,
    },
}
