//! Reading the log without taking part: what an access manager, or an auditor, learns from it.

use super::{
    machine::signed_by_key,
    message::{Certified, Erasure, Flip, Message, Transcript},
};
use alloc::{boxed::Box, vec::Vec};
use symbolon_encoding::DecodeError;
use symbolon_fragments::names::{Index, SetId};
use symbolon_trust::{TrustedRoot, VerifiedEpochCertificate, hash};

/// Who can have written a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Only this member of the roster; its signature is on the message, unverified.
    Member(Index),
    /// Anybody: a proposal, a wish for a refresh; flips, certificates and orders, which vouch for themselves and which
    /// members show to those who lack them.
    Anybody,
}

/// What a message makes known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// An instance exists.
    Complete {
        /// Its certificate.
        certificate: Box<VerifiedEpochCertificate>,
        /// The hash of the create request that its set was made for, as the poster says.
        origin: [u8; 32],
    },
    /// A member holds, and serves, the instances of a ceremony.
    Flipped {
        /// The ceremony.
        transcript: Transcript,
        /// The member.
        index: Index,
    },
    /// A member erased a destroyed set.
    Erased {
        /// The set.
        set: SetId,
        /// The member.
        index: Index,
        /// The serial of the order to destroy.
        serial: u64,
    },
}

impl Message {
    /// Who can have written it.
    pub fn author(&self) -> Author {
        match self {
            Self::Join(join) => Author::Member(join.body().index),
            Self::Commit(commit) => Author::Member(commit.body().index),
            Self::Deal(deal) => Author::Member(deal.body().index),
            Self::Signatures(signatures) => Author::Member(signatures.index),
            Self::Have(have) => Author::Member(have.body().index),
            Self::Erasure(erasure) => Author::Member(erasure.body().index),
            Self::Proposal(_) | Self::Flip(_) | Self::Certificates(_) | Self::Order(_) | Self::Refresh(_) => {
                Author::Anybody
            }
        }
    }
}

/// What a message of the log makes known. What can't be verified makes nothing known. An instance has settled when all
/// its members have flipped the transcript that its certificate names.
pub fn observe(root: &TrustedRoot, message: &[u8]) -> Result<Vec<Observed>, DecodeError> {
    Ok(match Message::from_bytes(message)? {
        Message::Certificates(certificates) => {
            certificates.into_iter().filter_map(|certified| complete(root, certified)).collect()
        }
        Message::Flip(flip) => {
            let Flip { account, index, transcript } = *flip.body();
            let valid = account == root.account() && signed_by_key(root, index, &flip);
            valid.then_some(Observed::Flipped { transcript, index }).into_iter().collect()
        }
        Message::Erasure(erasure) => {
            let Erasure { account, index, set, serial } = *erasure.body();
            let valid = account == root.account() && signed_by_key(root, index, &erasure);
            valid.then_some(Observed::Erased { set, index, serial }).into_iter().collect()
        }
        Message::Proposal(_)
        | Message::Join(_)
        | Message::Commit(_)
        | Message::Deal(_)
        | Message::Signatures(_)
        | Message::Have(_)
        | Message::Order(_)
        | Message::Refresh(_) => Vec::new(),
    })
}

fn complete(root: &TrustedRoot, certified: Certified) -> Option<Observed> {
    let certificate = VerifiedEpochCertificate::verify(certified.certificate, root).ok()?;
    Some(Observed::Complete { certificate: Box::new(certificate), origin: hash(&certified.origin) })
}
