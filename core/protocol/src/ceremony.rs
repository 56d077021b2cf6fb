//! The ceremony: one protocol, and one sans-I/O machine, by which fragments are made and moved (specification §5).
//!
//! A ceremony is run by members of the roster through the access manager's log. Dealers share something verifiably,
//! every member adds up what it got, all of them sign the result: *generate* makes a key that nobody ever holds,
//! *reshare* gives the same key new fragments (refresh, repair, change of members, `t`, `n`).
//!
//! The [`Machine`] is one member's side of all ceremonies of one account. It is told what happened ([`Event`]) and says
//! what to do ([`Effect`]), in that order: what must be stored comes before what may be sent. It reads no clock, owns no
//! generator, does no I/O; the member's role around it, a property test and a replay run the same code. Its life cycle
//! is that of the model in `docs/models/ceremony.py`, transition by transition (`docs/ceremony.md`).

mod attempt;
mod dealing;
mod effect;
mod exchange;
mod fragment;
mod initiative;
mod judge;
mod knowledge;
mod lifecycle;
pub mod log;
mod machine;
mod message;
mod observer;
mod tally;

pub use crate::hpke::{ENCAPSULATED_BYTES, PUBLIC_KEY_BYTES};
pub use effect::{Alarm, Context, Effect, Event, Loading, NewInstance, Record, Saved, SavedInstance};
pub use fragment::FragmentBytes;
pub use judge::{Missing, Refusal};
pub use machine::{Machine, Standing};
pub use message::{
    Certified, Commit, Creation, Deal, Erasure, Flip, Have, HaveInstance, HaveSet, Join, MAX_MEMBERS,
    MAX_MESSAGE_BYTES, MAX_SETS, Message, Number, Proposal, SealedShares, Signatures, Status, Step,
    Transcript, Work,
};
pub use observer::{Author, Observed, observe};
pub use tally::{BadDealing, DealingFault};
