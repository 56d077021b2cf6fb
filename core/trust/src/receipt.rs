//! A manager's word that it holds a document, and when enough of them have given it (specification §2.9).

use crate::{
    members::binding_quorum,
    root::{TrustedRoot, UnknownMember},
    signed::{Document, SignatureError, Signed, hash},
    time::Seconds,
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Index};

/// Which kind of document a receipt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Installed {
    /// A root document.
    #[n(1)]
    Root,
    /// A deny document.
    #[n(2)]
    Deny,
    /// An order.
    #[n(3)]
    Order,
}

/// A member holds this document durably and acts on it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The member.
    #[n(1)]
    pub index: Index,
    /// The document's kind.
    #[n(2)]
    pub document: Installed,
    /// Its version or serial.
    #[n(3)]
    pub number: u64,
    /// The hash of `T(label, body)`.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// When the member gave the receipt.
    #[n(5)]
    pub time: Seconds,
}

impl Document for Receipt {
    const LABEL: &'static str = "receipt";
}

impl Receipt {
    /// The receipt for a document.
    pub fn of<B: Installable>(account: AccountId, index: Index, body: &B, time: Seconds) -> Self {
        Self { account, index, document: B::KIND, number: body.number(), hash: hash(body), time }
    }
}

/// A document that managers give receipts for.
pub trait Installable: Document {
    /// Its kind.
    const KIND: Installed;
    /// Its version or serial.
    fn number(&self) -> u64;
}

impl Installable for crate::RootDocument {
    const KIND: Installed = Installed::Root;

    fn number(&self) -> u64 {
        self.version
    }
}

impl Installable for crate::DenyDocument {
    const KIND: Installed = Installed::Deny;

    fn number(&self) -> u64 {
        self.version
    }
}

impl Installable for crate::Order {
    const KIND: Installed = Installed::Order;

    fn number(&self) -> u64 {
        self.serial
    }
}

/// A receipt for the document at hand that the member signed.
///
/// ```compile_fail,E0423
/// # fn forge(receipt: symbolon_trust::Receipt) {
/// let verified = symbolon_trust::VerifiedReceipt(receipt);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt(Receipt);

/// Why a receipt is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is for another account, kind, number or hash.
    #[error("the receipt is for another document")]
    Other,
    /// The roster has no such entry.
    #[error(transparent)]
    Unknown(#[from] UnknownMember),
    /// The member didn't sign it.
    #[error("the member has not signed the receipt")]
    Signature(#[from] SignatureError),
}

impl VerifiedReceipt {
    /// Checks that the member that the receipt names signed it, for this document.
    pub fn verify<B: Installable>(
        signed: &Signed<Receipt>,
        body: &B,
        root: &TrustedRoot,
    ) -> Result<Self, ReceiptError> {
        let receipt = signed.body();
        let expected = Receipt::of(root.account(), receipt.index, body, receipt.time);
        if *receipt != expected {
            return Err(ReceiptError::Other);
        }
        let member = root.member(receipt.index)?;
        signed.check([&member.key], 1)?;
        Ok(Self(receipt.clone()))
    }

    /// The receipt.
    pub const fn receipt(&self) -> &Receipt {
        &self.0
    }
}

/// A document binds every quorum of a set: `n − t + 1` of its members gave receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    signed: Vec<Index>,
}

/// A document doesn't bind a set yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of the {needed} managers that are needed have signed for it", signed.len())]
pub struct NotInForce {
    /// Members of the set that signed.
    pub signed: Vec<Index>,
    /// How many have to: `n − t + 1`.
    pub needed: usize,
}

impl InForce {
    /// Counts the receipts of a set's members, each member once.
    pub fn check<'r>(
        receipts: impl IntoIterator<Item = &'r VerifiedReceipt>,
        members: &[Index],
        t: u16,
    ) -> Result<Self, NotInForce> {
        let mut signed: Vec<Index> = receipts
            .into_iter()
            .map(|receipt| receipt.0.index)
            .filter(|index| members.contains(index))
            .collect();
        signed.sort_unstable();
        signed.dedup();
        let needed = binding_quorum(t, members.len());
        if signed.len() < needed { Err(NotInForce { signed, needed }) } else { Ok(Self { signed }) }
    }

    /// The members that signed, ascending.
    pub fn signed(&self) -> &[Index] {
        &self.signed
    }
}
