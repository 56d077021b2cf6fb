//! Jobs for HSMs: what a holder asks a driver to do, through an access manager that can neither make, change nor read it
//! (specification §10).
//!
//! A holder signs a [`Job`](symbolon_trust::Job) over a [`Request`] whose work is sealed to the drivers of a key store
//! ([`Asking`]). A driver checks all of it itself ([`Judge`]), does it, and answers with an [`Outcome`] that it signs and
//! seals to whoever asked ([`Asked`] opens it). The access manager keeps [`Ticket`]s: who works on a job, and until when.
//! Everything here is synchronous and does no I/O; queues, journals and HSMs are in the roles around it.

mod asking;
mod judge;
mod outcome;
mod request;
mod sealed;
mod secret;
mod ticket;

pub use asking::{Asked, AskedKey, Asking, NotAsked, ResultError, latest_expiry};
pub use judge::{Admitted, CheckError, Judge};
pub use outcome::{JobResult, NotAnswered, Outcome, Output, Refusal};
pub use request::{
    JobId, MAX_JOB_LIFE, MAX_WORK_BYTES, Payload, Request, Scope, Subject, Submission, Work, WrongJobId,
    submission,
};
pub use sealed::{NotSealed, SealedSecret, associated_data};
pub use secret::SecretBytes;
pub use ticket::{Finished, LEASE, LeaseError, LeaseId, PAUSE, Ticket, TicketState, Trouble};
