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
const EFFECTS: usize = 9;

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

/// Where and how a member dies.
#[derive(Clone, Copy, Debug)]
struct Death {
    /// The member: the first always acts before the others, the last after them.
    member: usize,
    /// In which event.
    event: usize,
    /// After so many of its effects.
    effects: usize,
    /// Whether all that it posted in its turn is lost on its way to the log: stored, and never sent.
    lost: bool,
}

/// Runs with a member killed. False if it never came to that.
fn killed(shape: &Shape, generate: bool, death: Death) -> Result<bool, Violation> {
    let mut world = world(shape, generate)?;
    let mut handled = 0;
    for _ in 0..6 {
        for at in 0..world.nodes.len() {
            let sent = world.log.len();
            while world.nodes[at].next < world.log.len() {
                let entry = world.nodes[at].next;
                world.nodes[at].next += 1;
                if at == death.member {
                    handled += 1;
                    world.fuse = (handled == death.event).then_some(death.effects);
                }
                world.deliver(at, entry)?;
                world.fuse = None;
                if world.nodes[death.member].machine.is_none() {
                    if death.lost {
                        world.log.truncate(sent);
                        world.nodes[at].next = world.nodes[at].next.min(sent);
                    }
                    recover(&mut world, generate, death.member)?;
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

fn recover(world: &mut World, generate: bool, member: usize) -> Result<(), Violation> {
    world.start(member)?;
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
    let members = [0, shape.members.len() - 1];
    let deaths = members.into_iter().flat_map(|member| {
        (1..EVENTS).flat_map(move |event| {
            (0..EFFECTS)
                .flat_map(move |effects| [false, true].map(|lost| Death { member, event, effects, lost }))
        })
    });
    let died = |death: Death| killed(shape, generate, death).unwrap_or_else(|v| panic!("{death:?}: {}", v.0));
    deaths.filter(|death| died(*death)).count()
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
