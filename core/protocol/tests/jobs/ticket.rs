//! Leases: whatever drivers do, and whenever.

use proptest::prelude::*;
use symbolon_fragments::names::Index;
use symbolon_protocol::jobs::{Finished, LEASE, LeaseError, LeaseId, Ticket, Trouble};
use symbolon_trust::Seconds;

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// What somebody does with the one job, and how much later.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lease { driver: u16 },
    Renew { of: usize },
    GiveBack { of: usize },
    Finish,
}

fn act() -> impl Strategy<Value = (Act, u64)> {
    let act = prop_oneof![
        4 => (1u16..4).prop_map(|driver| Act::Lease { driver }),
        3 => any::<usize>().prop_map(|of| Act::Renew { of }),
        2 => any::<usize>().prop_map(|of| Act::GiveBack { of }),
        1 => Just(Act::Finish),
    ];
    (act, 0u64..4)
}

proptest! {
    /// Whatever drivers do, and whenever: one at a time has the job, nobody loses it before the time, nobody gets it after
    /// its end or its result, and the first result stays.
    #[test]
    fn one_driver_at_a_time_and_one_result(acts in prop::collection::vec(act(), 1..60)) {
        let expires = Seconds(1060);
        let (mut ticket, mut now) = (Ticket::new(expires), Seconds(1000));
        let mut given: Vec<(LeaseId, Index)> = Vec::new();
        let mut current: Option<(LeaseId, Seconds)> = None;
        let mut results = 0;
        for (act, later) in acts {
            now = now + later;
            match act {
                Act::Lease { driver } => {
                    let lease = LeaseId([u8::try_from(given.len()).unwrap(); 32]);
                    if let Some(leased) = ticket.lease(index(driver), lease, now) {
                        prop_assert!(now <= expires && results == 0);
                        prop_assert!(current.is_none_or(|(_, until)| now > until), "taken away in time");
                        given.push((lease, index(driver)));
                        current = Some((lease, now + LEASE));
                        ticket = leased;
                    }
                }
                Act::Renew { of } if !given.is_empty() => {
                    let (lease, _) = given[of % given.len()];
                    let mine = current.is_some_and(|(held, _)| held == lease);
                    match ticket.renew(lease, now) {
                        Ok(renewed) => {
                            prop_assert!(mine && now <= expires);
                            current = Some((lease, now + LEASE));
                            ticket = renewed;
                        }
                        Err(LeaseError::Lost) => prop_assert!(!mine),
                        Err(LeaseError::Expired) => prop_assert!(now > expires),
                    }
                }
                Act::GiveBack { of } if !given.is_empty() => {
                    let (lease, driver) = given[of % given.len()];
                    let mine = current.is_some_and(|(held, _)| held == lease);
                    let back = ticket.give_back(lease, Trouble::TokenAbsent, now);
                    prop_assert_eq!(back.is_ok(), mine);
                    if let Ok(back) = back {
                        (ticket, current) = (back, None);
                        prop_assert!(ticket.lease(driver, LeaseId([255; 32]), now).is_none());
                    }
                }
                Act::Finish => match ticket.finish(now) {
                    Ok(Finished::First(done)) => {
                        prop_assert!(results == 0 && now <= expires);
                        (ticket, current, results) = (done, None, 1);
                    }
                    Ok(Finished::Before) => prop_assert_eq!(results, 1),
                    Err(error) => prop_assert!(error == LeaseError::Expired && now > expires),
                },
                Act::Renew { .. } | Act::GiveBack { .. } => {}
            }
        }
    }
}

#[test]
fn a_job_whose_driver_died_is_taken_over_when_the_lease_ends() {
    let (ticket, lease) = (Ticket::new(Seconds(100)), LeaseId([1; 32]));
    let leased = ticket.lease(index(1), lease, Seconds(10)).unwrap();
    let other = LeaseId([2; 32]);
    assert!(leased.lease(index(2), other, Seconds(10 + LEASE)).is_none());
    let taken = leased.lease(index(2), other, Seconds(11 + LEASE)).unwrap();
    assert_eq!(taken.renew(lease, Seconds(11 + LEASE)), Err(LeaseError::Lost));
    // The first driver's result counts nevertheless, if it comes first.
    assert!(matches!(taken.finish(Seconds(12 + LEASE)), Ok(Finished::First(_))));
}

#[test]
fn a_job_older_than_its_time_is_over() {
    let ticket = Ticket::new(Seconds(100));
    assert!(ticket.lease(index(1), LeaseId([1; 32]), Seconds(101)).is_none());
    assert_eq!(ticket.finish(Seconds(101)), Err(LeaseError::Expired));
}
