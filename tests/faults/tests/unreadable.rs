//! A fragment that its member can't read holds up its own set and no other, until the owner orders that set's repair.

use std::collections::BTreeMap;

use symbolon_faults::{
    account::{account, index},
    check::Facts,
    disk::Disk,
    schedule::round,
    world::World,
};
use symbolon_fragments::{
    SuiteId,
    names::{Index, InstanceId, SetId},
};
use symbolon_protocol::ceremony::{Alarm, Event, Message, Status};
use symbolon_trust::Action;

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

fn members() -> Vec<Index> {
    [1, 2, 3].map(index).to_vec()
}

/// Three members who hold this many sets, made in one ceremony.
fn world(sets: u64) -> World {
    let mut world = World::new(3, vec![Disk::default(); 3], Facts::default());
    (0..3).try_for_each(|at| world.start(at)).unwrap();
    world.announce(&Message::Proposal(account().generate(SUITE, &members(), 2, sets, 9)));
    (0..6).try_for_each(|_| round(&mut world)).unwrap();
    world
}

/// The newest settled epoch of each set that a member holds.
fn epochs(world: &World, at: usize) -> BTreeMap<SetId, (InstanceId, u64)> {
    let settled = world.nodes[at].disk.instances.iter().filter(|(_, held)| held.status == Status::Settled);
    settled.map(|(id, held)| (held.certificate.body().set, (*id, held.certificate.body().epoch))).collect()
}

fn some_minutes(world: &mut World) {
    for _ in 0..8 {
        world.clock += 31;
        (0..4).try_for_each(|_| round(world)).unwrap_or_else(|violation| panic!("{}", violation.0));
    }
}

#[test]
fn the_other_sets_of_its_ceremony_go_on() {
    let mut world = world(4);
    let before = epochs(&world, 1);
    assert_eq!(before.len(), 4);
    let broken: Vec<_> = before.iter().take(2).map(|(set, (instance, _))| (*set, *instance)).collect();
    world.nodes[1].disk.unreadable.extend(broken.iter().map(|(_, instance)| *instance));

    world.handle(0, Event::Refresh(Vec::new())).unwrap();
    some_minutes(&mut world);
    for at in 0..3 {
        for (set, (_, epoch)) in epochs(&world, at) {
            let stays = broken.iter().any(|(other, _)| *other == set);
            assert_eq!(epoch == 1, stays, "member {at}\n{}", world.describe());
        }
    }
    for (_, instance) in &broken {
        let alarm = (index(2), Alarm::FragmentUnreadable(*instance));
        assert!(world.alarms.contains(&alarm), "{:?}", world.alarms);
    }

    let sets = broken.iter().map(|(set, _)| *set).collect();
    let repair = Action::Reshare { sets, members: members(), t: 2, exempt: vec![index(2)] };
    let order = account().order(1, world.now(), repair);
    world.orders.push(order.clone());
    world.announce(&Message::Order(order.signed().clone()));
    some_minutes(&mut world);
    for at in 0..3 {
        let repaired = epochs(&world, at);
        let anew = |(set, instance): &(SetId, InstanceId)| repaired[set].0 != *instance;
        assert!(broken.iter().all(anew), "member {at}\n{}", world.describe());
    }
}
