//! What came of sending a document to everybody: who signed for it, who could not be reached, whether it is in force.

use crate::error::{DownReason, Error};
use std::time::Duration;
use symbolon_channel::{CallError, DialError};
use symbolon_fragments::names::Index;
use symbolon_protocol::wire;
use symbolon_trust::{InForce, NotInForce, ReceiptError, TrustedRoot, VerifiedReceipt};

/// One manager's answer.
#[derive(Debug)]
pub struct Delivery {
    /// The manager's number.
    pub index: Index,
    /// Its name.
    pub name: String,
    /// Its receipt, if it gave one.
    pub outcome: Result<VerifiedReceipt, DeliveryError>,
}

/// Why a manager gave no receipt.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It can't be reached, neither directly nor through the relay.
    #[error(transparent)]
    Down(DownReason),
    /// The connection broke, or no answer came.
    #[error("it did not answer")]
    Call(#[from] CallError),
    /// It refuses.
    #[error("it refuses")]
    Refused(#[source] wire::Error),
    /// Its receipt is not for this document, or not by it.
    #[error("its receipt is worth nothing")]
    Receipt(#[from] ReceiptError),
    /// It doesn't speak the protocol.
    #[error("it answers something else than was asked")]
    Protocol,
}

impl From<DialError> for DeliveryError {
    fn from(error: DialError) -> Self {
        Self::Down(error.into())
    }
}

/// What came of one document.
#[derive(Debug)]
pub struct Report {
    /// Each fragment manager that isn't retired, by number.
    pub deliveries: Vec<Delivery>,
    /// Whether the access manager has it.
    pub access_manager: Result<(), Error>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// The names of the managers that signed for it.
    pub fn signed(&self) -> impl Iterator<Item = &str> {
        self.deliveries
            .iter()
            .filter(|delivery| delivery.outcome.is_ok())
            .map(|delivery| delivery.name.as_str())
    }

    /// The managers that gave no receipt, and why.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &DeliveryError)> {
        self.deliveries
            .iter()
            .filter_map(|delivery| Some((delivery.name.as_str(), delivery.outcome.as_ref().err()?)))
    }

    /// Whether it is in force for every set that the account may have: so many managers signed that the others are
    /// fewer than the least threshold, whichever members a set has.
    pub fn in_force(&self, root: &TrustedRoot) -> Result<InForce, NotInForce> {
        let receipts = self.deliveries.iter().filter_map(|delivery| delivery.outcome.as_ref().ok());
        let members: Vec<Index> = root.document().fragment_managers().map(|member| member.index).collect();
        InForce::check(receipts, &members, root.document().minimum.t)
    }
}
