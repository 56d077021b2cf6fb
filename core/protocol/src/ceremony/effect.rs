//! What the machine is told, and what it wants done.

use super::{
    BadDealing, FragmentBytes, Refusal,
    message::{Flip, Message, Status, Transcript},
};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_fragments::names::{Index, InstanceId, SetId};
use symbolon_trust::{
    CreateRequest, Denials, DueDestruction, EpochCertificate, Now, Signed, TrustedRoot, VerifiedOrder,
};

/// What the machine takes from its surroundings at each step.
pub struct Context<'a> {
    /// Randomness.
    pub rng: &'a mut dyn CryptoRng,
    /// The time, by a clock that was not set back.
    pub now: Now,
    /// The account's newest root document.
    pub root: &'a TrustedRoot,
    /// What is denied in the account.
    pub denials: &'a Denials,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The member started, with what it had stored.
    Start,
    /// A message of the log: any bytes, in any order, as often as may be.
    Message(Vec<u8>),
    /// The owner's order was pushed to this member.
    Order(VerifiedOrder),
    /// Fragments were read from disk, as [`Effect::Load`] asked; what could not be read is absent.
    Loaded {
        /// What for.
        purpose: Loading,
        /// The fragments, in the order asked for.
        fragments: Vec<Option<FragmentBytes>>,
    },
    /// These sets are to be refreshed.
    Refresh(Vec<SetId>),
    /// A destruction's waiting period is over.
    Destroy(DueDestruction),
    /// Some time passed. Once a second is right.
    Tick,
}

/// What is to be done, one after the other. A [`Effect::Persist`] is durable before the next effect is looked at.
#[derive(Debug)]
pub enum Effect {
    /// Store this, in one transaction.
    Persist(Record),
    /// Append this to the log. It may get lost.
    Post(Message),
    /// Erase these instances' fragments and their wrapping keys, and forget the instances. Comes after the `Persist` that
    /// makes it right; may come again.
    Erase(Vec<InstanceId>),
    /// Read these fragments from the disk itself, not from a cache, and answer with [`Event::Loaded`].
    Load {
        /// What for; comes back with the answer.
        purpose: Loading,
        /// The instances.
        instances: Vec<InstanceId>,
    },
    /// Tell the operator.
    Alarm(Alarm),
}

/// What fragments are read from disk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loading {
    /// To deal them in the ceremony of this proposal.
    Dealing([u8; 32]),
    /// To see that they were stored, before saying so.
    Flip(Transcript),
}

/// A change of the durable state.
#[derive(Debug)]
pub enum Record {
    /// An order, for good.
    Order(VerifiedOrder),
    /// New instances, which this member is about to sign.
    Signed(Vec<NewInstance>),
    /// The complete certificates of instances whose fragments were read back: serve them.
    Flipped(Vec<Signed<EpochCertificate>>),
    /// Every member of these instances has flipped, as these statements prove.
    Settled {
        /// The instances.
        instances: Vec<InstanceId>,
        /// The statements of all members.
        flips: Vec<Signed<Flip>>,
    },
    /// A set is destroyed: no ceremony moves it again.
    Destroyed {
        /// The set.
        set: SetId,
        /// The order's serial.
        serial: u64,
    },
}

/// An instance as it is first stored.
#[derive(Debug)]
pub struct NewInstance {
    /// The certificate, with this member's signature.
    pub certificate: Signed<EpochCertificate>,
    /// This member's fragment, to be sealed.
    pub fragment: FragmentBytes,
    /// What the set was made for.
    pub origin: CreateRequest,
}

/// The durable state, as read back on start.
#[derive(Debug, Default)]
pub struct Saved {
    /// All orders.
    pub orders: Vec<VerifiedOrder>,
    /// All instances held.
    pub instances: Vec<SavedInstance>,
    /// The stored statements of settled instances.
    pub flips: Vec<Signed<Flip>>,
    /// Destroyed sets, and the serials of the orders.
    pub destroyed: Vec<(SetId, u64)>,
}

/// An instance as read back, without its fragment.
#[derive(Clone, Debug)]
pub struct SavedInstance {
    /// The certificate, with the signatures stored.
    pub certificate: Signed<EpochCertificate>,
    /// How far the member is with it.
    pub status: Status,
    /// What the set was made for.
    pub origin: CreateRequest,
}

/// What an operator should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// A dealer cheats, or its disk is broken. The attempt was left.
    #[error(transparent)]
    BadDealing(#[from] BadDealing),
    /// A member said two different things in one ceremony.
    #[error("member {0} sent two different messages where one is due")]
    Equivocation(Index),
    /// A member saw another ceremony than this one did: the log shows different things to different members, or that
    /// member lies.
    #[error("member {0} took part in another ceremony than this member saw")]
    Disagreement(Index),
    /// This member signed instances that it doesn't hold: it was restored from an old backup, lost its disk, or its
    /// identity key was stolen.
    #[error("complete certificates exist that this member signed and doesn't hold (first: {0})")]
    RolledBack(InstanceId),
    /// A fragment can't be read, or isn't the one of its certificate.
    #[error("the fragment of {0} is unreadable")]
    FragmentUnreadable(InstanceId),
    /// A ceremony was proposed that this member can't join.
    #[error("a proposed ceremony was not joined")]
    Refused(#[source] Refusal),
}
