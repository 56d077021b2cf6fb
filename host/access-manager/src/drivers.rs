//! Which drivers ask for work just now, and by which process: two processes with one identity are told apart here.
//!
//! This is a help to operators, not a defence: whoever has a driver's identity key is that driver.

use crate::failure::Failure;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use symbolon_fragments::names::{AccountId, Index};

/// How long after its last poll a process still counts as there. One that restarts waits so long for its old self.
const GRACE: Duration = Duration::from_secs(3);

/// How long after its last poll a driver still counts as one that takes jobs.
const LATELY: Duration = Duration::from_secs(10);

type Member = (AccountId, Index);

/// Drivers that ask, or have asked.
#[derive(Default)]
pub(crate) struct Drivers(Mutex<HashMap<Member, Presence>>);

struct Presence {
    process: [u8; 32],
    polls: u32,
    seen: Instant,
}

/// A driver that asks for work, until this is dropped.
pub(crate) struct Attendance<'d> {
    drivers: &'d Drivers,
    member: Member,
    process: [u8; 32],
}

impl Drivers {
    /// A driver's process asks for work; refused while another process with its identity does.
    pub(crate) fn attend(
        &self,
        account: AccountId,
        driver: Index,
        process: [u8; 32],
    ) -> Result<Attendance<'_>, Failure> {
        let (member, now) = ((account, driver), Instant::now());
        let mut present = self.lock();
        let there = present.entry(member).or_insert(Presence { process, polls: 0, seen: now });
        if there.process != process {
            if there.polls > 0 || there.seen.elapsed() < GRACE {
                return Err(Failure::DriverTwice);
            }
            *there = Presence { process, polls: 0, seen: now };
        }
        there.polls += 1;
        Ok(Attendance { drivers: self, member, process })
    }

    /// Whether any of these drivers has asked for work lately.
    pub(crate) fn any(&self, account: AccountId, mut drivers: impl Iterator<Item = Index>) -> bool {
        let present = self.lock();
        let there = |presence: &Presence| presence.polls > 0 || presence.seen.elapsed() < LATELY;
        drivers.any(|driver| present.get(&(account, driver)).is_some_and(there))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Member, Presence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        let mut present = self.drivers.lock();
        if let Some(there) = present.get_mut(&self.member).filter(|there| there.process == self.process) {
            there.polls = there.polls.saturating_sub(1);
            there.seen = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_has_a_drivers_identity() {
        let (drivers, account) = (Drivers::default(), AccountId::new([1; 32]));
        let [one, two] = [1, 2].map(|index| Index::new(index).unwrap());
        assert!(!drivers.any(account, [one, two].into_iter()));
        let first = drivers.attend(account, one, [1; 32]).unwrap();
        let again = drivers.attend(account, one, [1; 32]).unwrap();
        assert!(matches!(drivers.attend(account, one, [2; 32]), Err(Failure::DriverTwice)));
        drivers.attend(account, two, [2; 32]).unwrap();
        assert!(drivers.any(account, [one].into_iter()));
        drop((first, again));
        // For a moment after its last poll it still counts.
        assert!(matches!(drivers.attend(account, one, [2; 32]), Err(Failure::DriverTwice)));
        drivers.lock().get_mut(&(account, one)).unwrap().seen -= GRACE;
        drivers.attend(account, one, [2; 32]).unwrap();
    }
}
