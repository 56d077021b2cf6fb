//! A holder's word that it keeps nothing any more that a deny document takes away (specification §2.14).

use crate::{
    deny::DenyDocument,
    signed::{Document, SignatureError, Signed, hash},
    time::Seconds,
};
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Thumbprint};

/// A process of a holder has let go of every key that it had on a lease and that this deny document takes away.
///
/// It is the holder's word and no proof: a stolen holder may sign it and keep what it had. What it does prove is that
/// nobody else made it up, the access manager that passes it on included.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Acknowledgement {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The holder.
    #[n(1)]
    pub holder: Thumbprint,
    /// Which of the holder's processes: a name that it draws when it starts.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub process: [u8; 32],
    /// The deny document's version.
    #[n(3)]
    pub version: u64,
    /// The hash of `T(label, body)` of the deny document.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// When the process had let go, by its own clock.
    #[n(5)]
    pub time: Seconds,
}

impl Document for Acknowledgement {
    const LABEL: &'static str = "acknowledgement";
}

impl Acknowledgement {
    /// What a process of a holder says about a deny document.
    pub fn of(holder: Thumbprint, process: [u8; 32], deny: &DenyDocument, time: Seconds) -> Self {
        Self { account: deny.account, holder, process, version: deny.version, hash: hash(deny), time }
    }
}

/// An acknowledgement of the deny document at hand, signed by the holder that it names.
///
/// ```compile_fail,E0423
/// # fn forge(acknowledgement: symbolon_trust::Acknowledgement) {
/// let verified = symbolon_trust::VerifiedAcknowledgement(acknowledgement);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAcknowledgement(Acknowledgement);

/// Why an acknowledgement is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgementError {
    /// It is about another deny document, or another process.
    #[error("it acknowledges another deny document, or is another process's")]
    Other,
    /// The holder didn't sign it.
    #[error("the holder has not signed the acknowledgement")]
    Signature(#[from] SignatureError),
}

impl VerifiedAcknowledgement {
    /// Checks that this holder signed it, for this process and this deny document.
    pub fn verify(
        signed: &Signed<Acknowledgement>,
        holder: Thumbprint,
        process: [u8; 32],
        deny: &DenyDocument,
    ) -> Result<Self, AcknowledgementError> {
        let body = signed.body();
        if *body != Acknowledgement::of(holder, process, deny, body.time) {
            return Err(AcknowledgementError::Other);
        }
        let signers = signed.signatures().iter().map(|(key, _)| key);
        signed.check(signers.filter(|key| key.thumbprint() == holder), 1)?;
        Ok(Self(body.clone()))
    }

    /// The acknowledgement.
    pub const fn acknowledgement(&self) -> &Acknowledgement {
        &self.0
    }
}
