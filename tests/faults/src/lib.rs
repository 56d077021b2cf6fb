//! The ceremony's machines under seeded schedules of faults: every member of an account, a hostile relay, an owner, at
//! most one liar, in one thread, with no clock and no randomness but the seed's.
//!
//! A schedule is its seed. It runs a while under the adversary (messages lost, again, out of order, late; members killed
//! between any two effects, restored from a backup, or left with an empty disk; orders; a liar), and every state is
//! checked against the invariants of the model in `docs/models/ceremony.py`. Then the relay turns fair and a new epoch
//! must settle. The real processes are tested elsewhere; this runs the very same machine.

pub mod account;
mod batch;
pub mod check;
pub mod disk;
pub mod liar;
pub mod schedule;
pub mod world;

pub use batch::{Total, batch};
pub use check::Violation;
pub use schedule::{Outcome, Rule, Shape, run};
