//! A job in the access manager's queue: who works on it, until when, and that one result counts (specification §10.3).
//!
//! Rules without rows: the access manager loads a ticket, asks what may become of it, and stores the answer. Nobody's safety
//! depends on it. A job that two drivers do by mistake gives one result that counts; one that is lost is asked for again.

use minicbor::{Decode, Encode};
use symbolon_fragments::names::Index;
use symbolon_trust::Seconds;

/// How long a driver has a job to itself, in seconds, before another takes it over. It renews its lease while it works.
pub const LEASE: u64 = 5;

/// How long a job rests, in seconds, before it is given to the driver again that gave it back.
pub const PAUSE: u64 = 1;

/// A lease's name: random, so that only who was given the lease can renew it or give it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LeaseId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// Why a driver can't do a job just now. Another may; the access manager shows it to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Trouble {
    /// The token isn't there.
    #[n(1)]
    TokenAbsent,
    /// The token refuses the PIN: the driver has stopped, since another try could lock it.
    #[n(2)]
    PinRefused,
    /// The vendor's module crashed, or takes too long.
    #[n(3)]
    Module,
    /// The driver's clock was set back.
    #[n(4)]
    Clock,
    /// The driver is stopping.
    #[n(5)]
    Stopping,
    /// The driver's own disk is full, or failed.
    #[n(6)]
    Storage,
}

/// A job's place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Until when the job may be done, inclusive.
    pub expires: Seconds,
    /// What becomes of it.
    pub state: TicketState,
}

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum TicketState {
    /// It waits for a driver; perhaps one has given it back.
    #[n(0)]
    Waiting {
        /// Who gave it back last, when, and why.
        #[n(0)]
        given_back: Option<(Index, Seconds, Trouble)>,
    },
    /// A driver works on it.
    #[n(1)]
    Leased {
        /// Which.
        #[n(0)]
        driver: Index,
        /// The lease.
        #[n(1)]
        lease: LeaseId,
        /// Until when it has the job to itself, inclusive.
        #[n(2)]
        until: Seconds,
    },
    /// It has its result.
    #[n(2)]
    Done,
}

/// Why nothing can become of a job that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// The job's time is over.
    #[error("the job's time is over")]
    Expired,
    /// The lease ended, and another driver took the job over; or it has its result.
    #[error("the lease has ended: the job was taken over, or is done")]
    Lost,
}

/// What a result is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is the first: it counts.
    First(Ticket),
    /// There is one already, and it stays.
    Before,
}

impl Ticket {
    /// A job that was just asked for.
    pub const fn new(expires: Seconds) -> Self {
        Self { expires, state: TicketState::Waiting { given_back: None } }
    }

    /// From when on some driver may have the job; nothing when it is done.
    pub fn free_at(&self) -> Option<Seconds> {
        match self.state {
            TicketState::Waiting { given_back } => Some(given_back.map_or(Seconds(0), |(_, at, _)| at)),
            TicketState::Leased { until, .. } => Some(until + 1),
            TicketState::Done => None,
        }
    }

    /// Gives the job to a driver, if nobody has it and it hasn't just given it back itself.
    #[must_use]
    pub fn lease(&self, driver: Index, lease: LeaseId, now: Seconds) -> Option<Self> {
        let free = match self.state {
            TicketState::Waiting { given_back: Some((by, at, _)) } => by != driver || now > at + PAUSE,
            TicketState::Waiting { given_back: None } => true,
            TicketState::Leased { until, .. } => now > until,
            TicketState::Done => false,
        };
        let state = TicketState::Leased { driver, lease, until: now + LEASE };
        (free && now <= self.expires).then_some(Self { state, ..*self })
    }

    /// Gives whoever has the lease more time. A lease that ended is renewed too, as long as nobody took the job over.
    pub fn renew(&self, lease: LeaseId, now: Seconds) -> Result<Self, LeaseError> {
        let driver = self.check_lease(lease)?;
        if now > self.expires {
            return Err(LeaseError::Expired);
        }
        Ok(Self { state: TicketState::Leased { driver, lease, until: now + LEASE }, ..*self })
    }

    /// Takes the job back from whoever has the lease, for others.
    pub fn give_back(&self, lease: LeaseId, trouble: Trouble, now: Seconds) -> Result<Self, LeaseError> {
        let driver = self.check_lease(lease)?;
        Ok(Self { state: TicketState::Waiting { given_back: Some((driver, now, trouble)) }, ..*self })
    }

    /// Takes a result. The first one counts, whoever has the lease by now: the work is done, and can't be undone.
    pub fn finish(&self, now: Seconds) -> Result<Finished, LeaseError> {
        match self.state {
            TicketState::Done => Ok(Finished::Before),
            _ if now > self.expires => Err(LeaseError::Expired),
            TicketState::Waiting { .. } | TicketState::Leased { .. } => {
                Ok(Finished::First(Self { state: TicketState::Done, ..*self }))
            }
        }
    }

    fn check_lease(&self, asked: LeaseId) -> Result<Index, LeaseError> {
        match self.state {
            TicketState::Leased { driver, lease, .. } if lease == asked => Ok(driver),
            TicketState::Leased { .. } | TicketState::Waiting { .. } | TicketState::Done => {
                Err(LeaseError::Lost)
            }
        }
    }
}
