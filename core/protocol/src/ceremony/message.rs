//! What members tell each other through the ceremony log (specification §5.2).
//!
//! A message here is well formed and no more: signatures, membership and agreement are checked by the
//! [`Machine`](super::Machine).

use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_encoding::{DecodeError, Tuple, from_canonical, to_canonical};
use symbolon_fragments::{
    SuiteId,
    names::{AccountId, Index, InstanceId, SetId},
};
use symbolon_trust::{CreateRequest, Document, EpochCertificate, Grant, Order, Seconds, Signed};

/// Sets that one ceremony can carry. Its longest messages stay under [`MAX_MESSAGE_BYTES`] with it.
pub const MAX_SETS: usize = 4096;

/// The longest message that the log takes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The most members that one set can have in a ceremony.
pub const MAX_MEMBERS: usize = 64;

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Message {
    /// Somebody proposes a ceremony. Anybody may: it binds nobody.
    #[n(1)]
    Proposal(#[n(0)] Proposal),
    /// R0: a member takes part.
    #[n(2)]
    Join(#[n(0)] Signed<Join>),
    /// R1: a dealer commits.
    #[n(3)]
    Commit(#[n(0)] Signed<Commit>),
    /// R2: a dealer deals.
    #[n(4)]
    Deal(#[n(0)] Signed<Deal>),
    /// A member signs the epoch certificates of a ceremony.
    #[n(5)]
    Signatures(#[n(0)] Signatures),
    /// A member holds complete certificates, and read its fragments back.
    #[n(6)]
    Flip(#[n(0)] Signed<Flip>),
    /// What a member holds.
    #[n(7)]
    Have(#[n(0)] Signed<Have>),
    /// Certificates with the signatures that somebody knows, for those who lack some.
    #[n(8)]
    Certificates(#[n(0)] Vec<Certified>),
    /// An order of the owner.
    #[n(9)]
    Order(#[n(0)] Signed<Order>),
    /// Somebody asks that sets be refreshed; none named means all.
    #[n(10)]
    Refresh(#[n(0)] Vec<SetId>),
    /// A member erased a destroyed set.
    #[n(11)]
    Erasure(#[n(0)] Signed<Erasure>),
}

/// What is to be done, by whom, under which order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The order under which it is done; 0 if none names the sets.
    #[n(1)]
    pub serial: u64,
    /// The root document by which it is judged.
    #[n(2)]
    pub root_version: u64,
    /// The suite of all sets.
    #[n(3)]
    pub suite: SuiteId,
    /// How many members of the new instances make the key.
    #[n(4)]
    pub t: u16,
    /// The members of the new instances, ascending.
    #[n(5)]
    pub members: Vec<Index>,
    /// Who deals, ascending.
    #[n(6)]
    pub dealers: Vec<Index>,
    /// The sets.
    #[n(7)]
    pub work: Work,
}

/// The sets of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Work {
    /// New sets, one a create request.
    #[n(0)]
    Generate(#[n(0)] Vec<Creation>),
    /// New instances of sets, ascending by set.
    #[n(1)]
    Reshare(#[n(0)] Vec<Step>),
}

/// What a holder asks for, and by which right.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Creation {
    /// The request.
    #[n(0)]
    pub request: Signed<CreateRequest>,
    /// The grant.
    #[n(1)]
    pub grant: Signed<Grant>,
}

/// From which instance to which number a set goes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// The set.
    #[n(0)]
    pub set: SetId,
    /// The epoch of the new instance under the proposal's serial.
    #[n(1)]
    pub epoch: u64,
    /// The instance that is dealt from.
    #[n(2)]
    pub predecessor: InstanceId,
    /// The hash of the create request that the set was made for.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub origin: [u8; 32],
}

/// R0. The nonces of all make the ceremony; shares are sealed to the key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Join {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The proposal's hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proposal: [u8; 32],
    /// The member.
    #[n(2)]
    pub index: Index,
    /// 32 random bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
    /// The member's one-time X-Wing public key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// R1. A dealer's commitments to its polynomials.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Commit {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The proposal's hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proposal: [u8; 32],
    /// The ceremony.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ceremony: [u8; 32],
    /// The dealer.
    #[n(3)]
    pub index: Index,
    /// `t` elements a set, set after set.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub commitments: Vec<u8>,
    /// Generate: a proof of possession a set, an element and a scalar. Reshare: empty.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub proofs: Vec<u8>,
}

/// R2. A dealer's shares, sealed to each member.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Deal {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The proposal's hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proposal: [u8; 32],
    /// The ceremony.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ceremony: [u8; 32],
    /// Hash of all commitments.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub h1: [u8; 32],
    /// The dealer.
    #[n(4)]
    pub index: Index,
    /// For each member but the dealer, ascending.
    #[n(5)]
    pub shares: Vec<SealedShares>,
}

/// One receiver's shares: a scalar a set, sealed together.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SealedShares {
    /// The receiver.
    #[n(0)]
    pub receiver: Index,
    /// HPKE's encapsulated key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// HPKE's ciphertext.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// What all members of a ceremony saw, by hashes: its identity on certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Transcript {
    /// Hash of the proposal and all joins.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ceremony: [u8; 32],
    /// Hash of all commitments.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub h1: [u8; 32],
    /// Hash of all sealed shares.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub h2: [u8; 32],
}

/// A member's signatures on the epoch certificates of a ceremony; each vouches for itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Signatures {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// What the signer saw.
    #[n(1)]
    pub transcript: Transcript,
    /// The signer.
    #[n(2)]
    pub index: Index,
    /// 64 bytes a set, ascending by set id.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signatures: Vec<u8>,
}

/// The statement of a member that it stored the complete certificates of a ceremony and read its fragments back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Flip {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The member.
    #[n(1)]
    pub index: Index,
    /// The ceremony, by what it saw of it.
    #[n(2)]
    pub transcript: Transcript,
}

/// How far a member is with an instance that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// It stored its fragment and signed the certificate.
    #[n(1)]
    Signed,
    /// It stored the complete certificate, read its fragment back, and serves it.
    #[n(2)]
    Flipped,
    /// It stored every member's flip and erased everything below.
    #[n(3)]
    Settled,
}

/// The number of an instance: by it "above" and "below" are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Number {
    /// The order's serial.
    #[n(0)]
    pub serial: u64,
    /// The epoch under it, from 1.
    #[n(1)]
    pub epoch: u64,
}

/// What a member holds of some sets.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Have {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The member.
    #[n(1)]
    pub index: Index,
    /// When it said so; ascending.
    #[n(2)]
    pub time: Seconds,
    /// The sets, ascending.
    #[n(3)]
    pub sets: Vec<HaveSet>,
}

/// What a member holds of a set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HaveSet {
    /// The set.
    #[n(0)]
    pub set: SetId,
    /// The newest order that it knows for the set; 0 for none.
    #[n(1)]
    pub serial: u64,
    /// The instances, ascending by number.
    #[n(2)]
    pub instances: Vec<HaveInstance>,
}

/// An instance that a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HaveInstance {
    /// Its name.
    #[n(0)]
    pub instance: InstanceId,
    /// Its number.
    #[n(1)]
    pub number: Number,
    /// How far the member is with it.
    #[n(2)]
    pub status: Status,
}

/// An epoch certificate with signatures, and what its set was made for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Certified {
    /// The create request's body, for members that join the set later.
    #[n(0)]
    pub origin: CreateRequest,
    /// The certificate, with the signatures known to the sender.
    #[n(1)]
    pub certificate: Signed<EpochCertificate>,
}

/// The statement of a member that a set's fragments are erased for good.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Erasure {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The member.
    #[n(1)]
    pub index: Index,
    /// The set.
    #[n(2)]
    pub set: SetId,
    /// The serial of the order to destroy.
    #[n(3)]
    pub serial: u64,
}

impl Document for Join {
    const LABEL: &'static str = "join";
}
impl Document for Commit {
    const LABEL: &'static str = "commit";
}
impl Document for Deal {
    const LABEL: &'static str = "deal";
}
impl Document for Flip {
    const LABEL: &'static str = "flip";
}
impl Document for Have {
    const LABEL: &'static str = "have";
}
impl Document for Erasure {
    const LABEL: &'static str = "erasure";
}

impl Message {
    /// The message with this canonical encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        from_canonical(bytes)
    }

    /// The message's encoding, as it stands in the log.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_canonical(self)
    }
}

impl Proposal {
    /// The hash that names the proposal.
    pub fn hash(&self) -> [u8; 32] {
        Tuple::new("proposal").value(self).sha256()
    }

    /// How many sets it is about.
    pub fn sets(&self) -> usize {
        match &self.work {
            Work::Generate(creations) => creations.len(),
            Work::Reshare(steps) => steps.len(),
        }
    }

    /// Everybody who takes part: members and dealers, ascending.
    pub fn participants(&self) -> Vec<Index> {
        let mut all = [self.members.as_slice(), &self.dealers].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Transcript {
    /// The transcript that a certificate was made in.
    pub const fn of(certificate: &EpochCertificate) -> Self {
        Self { ceremony: certificate.ceremony, h1: certificate.h1, h2: certificate.h2 }
    }
}

impl Number {
    /// The number of a certificate's instance.
    pub const fn of(certificate: &EpochCertificate) -> Self {
        Self { serial: certificate.serial, epoch: certificate.epoch }
    }
}
