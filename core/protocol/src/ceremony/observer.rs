//! Reading the log without taking part: what an access manager, or an auditor, learns from it.

use super::{
    machine::signed_by_key,
    message::{Erasure, Flip, Message, Transcript},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_encoding::DecodeError;
use symbolon_fragments::names::{AccountId, Index, InstanceId, SetId};
use symbolon_trust::{TrustedRoot, VerifiedEpochCertificate, hash};

/// Who can have written a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Only this member of the roster; its signature is on the message, unverified.
    Member(Index),
    /// Anybody: a proposal, a wish for a refresh, certificates or orders, which vouch for themselves.
    Anybody,
}

/// What a message makes known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// An instance exists.
    Complete {
        /// Its certificate.
        certificate: VerifiedEpochCertificate,
        /// The hash of the create request that its set was made for, as the poster says.
        origin: [u8; 32],
    },
    /// A member holds, and serves, an instance.
    Flipped {
        /// The instance.
        instance: InstanceId,
        /// The member.
        index: Index,
    },
    /// All members of an instance hold it.
    Settled {
        /// The instance.
        instance: InstanceId,
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

/// Follows an account's log. Rebuilt by observing the log again, in order or not.
#[derive(Debug)]
pub struct Observer {
    account: AccountId,
    transcripts: BTreeMap<Transcript, Ceremony>,
}

#[derive(Debug, Default)]
struct Ceremony {
    instances: BTreeMap<InstanceId, Vec<Index>>,
    flipped: BTreeSet<Index>,
}

impl Message {
    /// Who can have written it.
    pub fn author(&self) -> Author {
        match self {
            Self::Join(join) => Author::Member(join.body().index),
            Self::Commit(commit) => Author::Member(commit.body().index),
            Self::Deal(deal) => Author::Member(deal.body().index),
            Self::Signatures(signatures) => Author::Member(signatures.index),
            Self::Flip(flip) => Author::Member(flip.body().index),
            Self::Have(have) => Author::Member(have.body().index),
            Self::Erasure(erasure) => Author::Member(erasure.body().index),
            Self::Proposal(_) | Self::Certificates(_) | Self::Order(_) | Self::Refresh(_) => Author::Anybody,
        }
    }
}

impl Observer {
    /// An observer who has seen nothing.
    pub const fn new(account: AccountId) -> Self {
        Self { account, transcripts: BTreeMap::new() }
    }

    /// What a message of the log makes known. What is not verifiable makes nothing known.
    pub fn observe(&mut self, root: &TrustedRoot, message: &[u8]) -> Result<Vec<Observed>, DecodeError> {
        let mut out = Vec::new();
        match Message::from_bytes(message)? {
            Message::Certificates(certificates) => {
                for certified in certificates {
                    let Ok(certificate) = VerifiedEpochCertificate::verify(certified.certificate, root)
                    else {
                        continue;
                    };
                    self.complete(&certificate, hash(&certified.origin), &mut out);
                }
            }
            Message::Flip(flip) => {
                let Flip { account, index, transcript } = *flip.body();
                if account == self.account && signed_by_key(root, index, &flip) {
                    self.flipped(transcript, index, &mut out);
                }
            }
            Message::Erasure(erasure) => {
                let Erasure { account, index, set, serial } = *erasure.body();
                if account == self.account && signed_by_key(root, index, &erasure) {
                    out.push(Observed::Erased { set, index, serial });
                }
            }
            Message::Proposal(_)
            | Message::Join(_)
            | Message::Commit(_)
            | Message::Deal(_)
            | Message::Signatures(_)
            | Message::Have(_)
            | Message::Order(_)
            | Message::Refresh(_) => {}
        }
        Ok(out)
    }

    fn complete(
        &mut self,
        certificate: &VerifiedEpochCertificate,
        origin: [u8; 32],
        out: &mut Vec<Observed>,
    ) {
        let (body, instance) = (certificate.certificate(), certificate.instance());
        let ceremony = self.transcripts.entry(Transcript::of(body)).or_default();
        if ceremony.instances.insert(instance, body.members.clone()).is_some() {
            return;
        }
        out.push(Observed::Complete { certificate: certificate.clone(), origin });
        out.extend(ceremony.flipped.iter().map(|index| Observed::Flipped { instance, index: *index }));
        out.extend(ceremony.is_settled(&body.members).then_some(Observed::Settled { instance }));
    }

    fn flipped(&mut self, transcript: Transcript, index: Index, out: &mut Vec<Observed>) {
        let ceremony = self.transcripts.entry(transcript).or_default();
        if !ceremony.flipped.insert(index) {
            return;
        }
        for (instance, members) in &ceremony.instances {
            out.push(Observed::Flipped { instance: *instance, index });
            out.extend(ceremony.is_settled(members).then_some(Observed::Settled { instance: *instance }));
        }
    }
}

impl Ceremony {
    fn is_settled(&self, members: &[Index]) -> bool {
        members.iter().all(|index| self.flipped.contains(index))
    }
}
