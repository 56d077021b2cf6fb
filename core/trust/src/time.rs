//! Time as documents know it, and the rule that notices a clock that was set back (specification §2.11).
//!
//! Nothing here reads a clock: a role reads its own and lets its mark turn the reading into a [`Now`], which every
//! check that depends on time asks for.

use crate::order::{Action, VerifiedOrder};
use core::{fmt, ops::Add};
use minicbor::{Decode, Encode};

/// Unix time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Seconds(#[n(0)] pub u64);

impl Add<u64> for Seconds {
    type Output = Self;

    /// So many seconds later; at the end of time, the end of time.
    fn add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a clock may lie behind the high-water mark: 5 s, enough for the steps of a disciplined clock.
pub const CLOCK_TOLERANCE: u64 = 5;

/// How far in the future a document may have been issued, so that roles with slightly different clocks work together.
pub const ISSUE_TOLERANCE: u64 = 30;

/// The highest time that a role has seen. It is stored durably; it only falls by an order of the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct HighWaterMark(#[n(0)] Seconds);

/// A reading of a clock that was not set back: the time at which a check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(Seconds);

/// The clock reads a time more than 5 s before one that it had read already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock was set back: it reads {clock}, but had already read {mark} (Unix seconds)")]
pub struct ClockBehind {
    /// The clock's reading.
    pub clock: Seconds,
    /// The high-water mark.
    pub mark: Seconds,
}

impl HighWaterMark {
    /// The mark that was stored.
    pub const fn new(mark: Seconds) -> Self {
        Self(mark)
    }

    /// The mark's time.
    pub const fn time(self) -> Seconds {
        self.0
    }

    /// Takes a reading, raises the mark to it, and vouches for it.
    pub fn observe(&mut self, clock: Seconds) -> Result<Now, ClockBehind> {
        if clock + CLOCK_TOLERANCE < self.0 {
            return Err(ClockBehind { clock, mark: self.0 });
        }
        self.0 = self.0.max(clock);
        Ok(Now(clock))
    }

    /// Lowers the mark as an order says; other orders leave it.
    pub fn lower(&mut self, order: &VerifiedOrder) {
        if let Action::LowerMark { mark } = order.order().action {
            self.0 = self.0.min(mark);
        }
    }
}

impl Now {
    /// The time.
    pub const fn time(self) -> Seconds {
        self.0
    }

    /// Whether something issued at that time may be believed to exist by now.
    pub(crate) fn is_after_issue(self, issued: Seconds) -> bool {
        issued <= self.0 + ISSUE_TOLERANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_step_back_five_seconds_and_no_more() {
        let mut mark = HighWaterMark::new(Seconds(1000));
        assert_eq!(mark.observe(Seconds(995)).unwrap().time(), Seconds(995));
        assert_eq!(mark.time(), Seconds(1000));
        assert_eq!(mark.observe(Seconds(994)), Err(ClockBehind { clock: Seconds(994), mark: Seconds(1000) }));
        mark.observe(Seconds(2000)).unwrap();
        assert_eq!(mark.time(), Seconds(2000));
        assert!(mark.observe(Seconds(1000)).is_err());
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let mut mark = HighWaterMark::default();
        let now = mark.observe(Seconds(u64::MAX)).unwrap();
        assert!(now.is_after_issue(Seconds(u64::MAX)));
    }
}
