//! A member is killed at each point of a ceremony, between any two effects; with a fair relay the ceremony, or the next
//! one, settles all the same, and every ciphertext still opens.

use symbolon_faults::{
    Shape, Violation,
    account::account,
    check::Facts,
    disk::Disk,
    schedule::{round, settled},
    world::World,
};
use symbolon_fragments::SuiteId;
use symbolon_protocol::ceremony::{Event, Message, Status};

/// How many events one member handles while a set is refreshed, and how many effects one of them can have.
const EVENTS: usize = 40;
const EFFECTS: usize = 6;

fn world(shape: &Shape, generate: bool) -> Result<World, Violation> {
    let suite = SuiteId::Ristretto255Sha512;
    let (disks, facts) = if generate {
        (vec![Disk::default(); shape.members.len()], Facts::default())
    } else {
        settled(suite, shape)?
    };
    let mut world = World::new(11, disks, facts);
    world.nodes.truncate(shape.members.len());
    (0..world.nodes.len()).try_for_each(|at| world.start(at))?;
    if generate {
        world.announce(&Message::Proposal(account().generate(suite, &shape.indexes(), shape.t, 1, 5)));
    } else {
        world.handle(0, Event::Refresh(Vec::new()))?;
        world.clock += 1;
        world.handle(0, Event::Tick)?;
    }
    Ok(world)
}

/// Runs with member 0 killed after so many of the effects of its event number `event`. False if it never came to that.
fn killed(shape: &Shape, generate: bool, event: usize, effects: usize) -> Result<bool, Violation> {
    let mut world = world(shape, generate)?;
    let mut handled = 0;
    for _ in 0..6 {
        for at in 0..world.nodes.len() {
            while world.nodes[at].next < world.log.len() {
                let entry = world.nodes[at].next;
                world.nodes[at].next += 1;
                if at == 0 {
                    handled += 1;
                    world.fuse = (handled == event).then_some(effects);
                }
                world.deliver(at, entry)?;
                world.fuse = None;
                if world.nodes[0].machine.is_none() {
                    recover(&mut world, generate)?;
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

fn recover(world: &mut World, generate: bool) -> Result<(), Violation> {
    world.start(0)?;
    if generate {
        settles_by_itself(world)?;
    }
    let refreshed = |world: &World| {
        world.nodes.iter().all(|node| {
            let held: Vec<_> = node.disk.instances.values().collect();
            matches!(held.as_slice(), [one] if one.status == Status::Settled && one.certificate.body().epoch > 1)
        })
    };
    for minute in 0..6 {
        if !generate || !world.facts.settled.is_empty() {
            world.handle(1, Event::Refresh(Vec::new()))?;
        }
        world.clock += 61;
        for _ in 0..12 {
            round(world)?;
        }
        if refreshed(world) || generate && world.facts.settled.is_empty() && minute == 5 {
            return Ok(()); // a generate that was interrupted before all had signed is not tried again
        }
    }
    Err(Violation(format!("no new epoch after the crash\n{}", world.describe())))
}

/// Without any new epoch that would cover it up: where one member serves what was generated, all come to settle it.
fn settles_by_itself(world: &mut World) -> Result<(), Violation> {
    for _ in 0..30 {
        world.clock += 1;
        round(world)?;
    }
    let statuses: Vec<_> =
        world.nodes.iter().flat_map(|node| node.disk.instances.values().map(|held| held.status)).collect();
    let served = statuses.iter().any(|status| *status >= Status::Flipped);
    if served && (statuses.len() < world.nodes.len() || statuses.iter().any(|s| *s != Status::Settled)) {
        return Err(Violation(format!("generated, served, and never settled\n{}", world.describe())));
    }
    Ok(())
}

fn every_point(shape: &Shape, generate: bool) -> usize {
    let mut points = 0;
    for event in 1..EVENTS {
        for effects in 0..EFFECTS {
            match killed(shape, generate, event, effects) {
                Ok(came) => points += usize::from(came),
                Err(violation) => panic!("killed after {effects} effects of event {event}: {}", violation.0),
            }
        }
    }
    points
}

#[test]
fn killed_at_every_point_of_a_refresh() {
    for shape in &Shape::all()[..3] {
        let points = every_point(shape, false);
        assert!(points > 20, "{shape:?}: {points} points"); // signing, flipping, settling and erasing among them
    }
}

#[test]
fn killed_at_every_point_of_a_generate() {
    assert!(every_point(&Shape::all()[1], true) > 20);
}
