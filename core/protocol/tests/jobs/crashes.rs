//! Two drivers, a queue and a requester, with crashes everywhere: no job is lost, and no effect shows twice.
//!
//! A driver is its journal and what it has in memory; a crash takes the memory. The rules are those of the roles: a driver
//! stores its answer before it sends it, and sends the stored one where it has one.

use crate::support::{NOW, index};
use proptest::prelude::*;
use symbolon_protocol::jobs::{Finished, LEASE, LeaseId, Ticket, TicketState};
use symbolon_trust::Seconds;

/// The access manager: a ticket and the result that counts, both durable.
struct Queue {
    ticket: Ticket,
    result: Option<u32>,
    leases: u8,
}

/// A driver's stages with the one job. What it has beside the journal is gone after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Memory {
    #[default]
    Idle,
    Leased,
    /// The HSM has answered; nothing is stored yet.
    Worked(u32),
    /// The answer is stored and has to be sent.
    Stored,
}

#[derive(Default)]
struct Driver {
    journal: Option<u32>,
    memory: Memory,
    /// How often the HSM did the work for this driver after its answer had been stored.
    repeated: u32,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Step(usize),
    Crash(usize),
    /// The answer is sent, and the connection breaks before the driver hears of it.
    SentUnheard(usize),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0usize..2).prop_map(Event::Step),
        2 => (0usize..2).prop_map(Event::Crash),
        1 => (0usize..2).prop_map(Event::SentUnheard),
        2 => (0u64..=LEASE + 1).prop_map(Event::Wait),
    ]
}

struct World {
    queue: Queue,
    drivers: [Driver; 2],
    now: Seconds,
    /// Each run of the HSM gives another answer, as a signature or a sealed secret does.
    runs: u32,
    seen: Vec<u32>,
}

impl World {
    fn new() -> Self {
        let ticket = Ticket::new(NOW + 10_000);
        let queue = Queue { ticket, result: None, leases: 0 };
        Self { queue, drivers: Default::default(), now: NOW, runs: 0, seen: Vec::new() }
    }

    fn step(&mut self, who: usize) {
        self.drivers[who].memory = match self.drivers[who].memory {
            Memory::Idle => self.lease(who),
            Memory::Leased => match self.drivers[who].journal {
                Some(_) => Memory::Stored,
                None => self.work(who),
            },
            Memory::Worked(answer) => {
                self.drivers[who].journal = Some(answer);
                Memory::Stored
            }
            Memory::Stored => {
                self.send(who);
                Memory::Idle
            }
        };
    }

    fn lease(&mut self, who: usize) -> Memory {
        let lease = LeaseId([self.queue.leases; 32]);
        let number = u16::try_from(who + 1).unwrap();
        match self.queue.ticket.lease(index(number), lease, self.now) {
            Some(leased) => {
                self.queue.ticket = leased;
                self.queue.leases = self.queue.leases.wrapping_add(1);
                Memory::Leased
            }
            None => Memory::Idle,
        }
    }

    fn work(&mut self, who: usize) -> Memory {
        self.runs += 1;
        self.drivers[who].repeated += u32::from(self.drivers[who].journal.is_some());
        Memory::Worked(self.runs)
    }

    fn send(&mut self, who: usize) {
        let answer = self.drivers[who].journal.expect("only a stored answer is sent");
        match self.queue.ticket.finish(self.now) {
            Ok(Finished::First(done)) => {
                (self.queue.ticket, self.queue.result) = (done, Some(answer));
            }
            Ok(Finished::Before) => {}
            Err(error) => panic!("{error}"),
        }
        self.seen.extend(self.queue.result);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(who) => self.step(who),
            Event::Crash(who) => self.drivers[who].memory = Memory::Idle,
            Event::SentUnheard(who) if self.drivers[who].memory == Memory::Stored => self.send(who),
            Event::SentUnheard(_) => {}
            Event::Wait(seconds) => self.now = self.now + seconds,
        }
    }
}

proptest! {
    #[test]
    fn one_result_is_seen_and_none_is_lost(events in prop::collection::vec(event(), 0..80)) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
        }
        // At last one driver lives, and time goes on.
        world.drivers[1].memory = Memory::Idle;
        for _ in 0..8 {
            world.now = world.now + LEASE + 1;
            world.step(0);
        }
        prop_assert_eq!(world.queue.ticket.state, TicketState::Done);
        prop_assert!(world.queue.result.is_some());
        prop_assert!(world.seen.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", world.seen);
        prop_assert!(world.drivers.iter().all(|driver| driver.repeated == 0));
    }
}
