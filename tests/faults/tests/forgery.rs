//! Members who are fewer than `t`, and forge certificates between them, neither take a key's place nor have it erased.

use symbolon_encoding::Tuple;
use symbolon_faults::{
    Shape,
    account::{account, index},
    disk::{Disk, Stored},
    schedule::{round, settled},
    world::{World, kind},
};
use symbolon_fragments::{
    Ristretto255Sha512, SuiteId,
    names::{Index, InstanceId},
    suite::{Ciphersuite, Group, Scalar, encode_element, encode_scalar},
};
use symbolon_protocol::ceremony::{Certified, Event, Flip, Message, Number, Status, Transcript};
use symbolon_trust::{Action, CeremonyKind, EpochCertificate, Signed};

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

type S = Ristretto255Sha512;
type Secret = Scalar<S>;

/// Five members of a 3-of-5 set, two of whom are hostile: 1 and 2.
fn world() -> World {
    let (disks, facts) = settled(SUITE, &Shape { t: 3, members: vec![1, 2, 3, 4, 5] }).unwrap();
    let mut world = World::new(11, disks, facts);
    (0..5).try_for_each(|at| world.start(at)).unwrap();
    world
}

/// What a member holds of the one set.
fn held(world: &World, at: usize) -> Vec<InstanceId> {
    world.nodes[at].disk.instances.keys().copied().collect()
}

/// An instance that the two hostile members made up: a sharing of a key that they know, among themselves.
fn forged(true_one: &Stored, number: Number) -> (EpochCertificate, [Secret; 2]) {
    let mut body = true_one.certificate.body().clone();
    let (f0, f1) = (Secret::from(7u64), Secret::from(8u64));
    let point = |scalar: Secret| {
        let point = <S as Ciphersuite>::Group::generator() * scalar;
        encode_element::<S>(&point).unwrap().to_vec()
    };
    body.kind = CeremonyKind::Reshare;
    body.predecessor = Some(body.instance());
    (body.serial, body.epoch) = (number.serial, number.epoch);
    (body.t, body.members, body.dealers) = (2, vec![index(1), index(2)], vec![index(1), index(2)]);
    body.ceremony = Tuple::new("forged").sha256();
    body.commitment = vec![point(f0).into(), point(f1).into()];
    body.y = point(f0);
    (body, [f0 + f1, f0 + f1 + f1])
}

fn by_the_two(body: &EpochCertificate) -> Signed<EpochCertificate> {
    Signed::by(body.clone(), account().members[..2].iter().map(AsRef::as_ref))
}

/// Gives one of the two the forged instance for the true one, so that its machine goes on from there.
fn plant(disk: &mut Disk, body: &EpochCertificate, fragment: Secret, origin: &Stored) {
    let stored = Stored {
        certificate: by_the_two(body),
        status: Status::Settled,
        origin: origin.origin.clone(),
        fragment: encode_scalar::<S>(&fragment).to_vec(),
    };
    disk.instances = [(body.instance(), stored)].into();
}

#[test]
fn a_certificate_of_two_does_not_make_the_others_erase() {
    let mut world = world();
    let before: Vec<_> = (2..5).map(|at| held(&world, at)).collect();
    let original = world.nodes[2].disk.instances.values().next().unwrap().clone();
    for serial in [0, 1, 9] {
        let (body, _) = forged(&original, Number { serial, epoch: 3 });
        let transcript = Transcript::of(&body);
        let certified = Certified { origin: original.origin.clone(), certificate: by_the_two(&body) };
        world.announce(&Message::Certificates(vec![certified]));
        for (member, key) in [index(1), index(2)].into_iter().zip(&account().members) {
            let flip = Flip { account: account().id(), index: member, transcript };
            world.announce(&Message::Flip(Signed::by(flip, [key.as_ref()])));
        }
        (2..5).try_for_each(|at| world.catch_up(at)).unwrap();
    }
    assert_eq!(before, (2..5).map(|at| held(&world, at)).collect::<Vec<_>>());
}

#[test]
fn a_key_that_two_made_up_does_not_take_the_place_of_the_true_one() {
    let mut world = world();
    let original = world.nodes[2].disk.instances.values().next().unwrap().clone();
    let (body, fragments) = forged(&original, Number { serial: 0, epoch: 2 });
    for (at, fragment) in fragments.into_iter().enumerate() {
        world.crash(at);
        let node = &mut world.nodes[at];
        plant(&mut node.disk, &body, fragment, &original);
        node.lost.insert(body.set, Number::of(original.certificate.body()));
        world.facts.certificates.insert(body.instance(), body.clone());
        world.start(at).unwrap();
    }
    world.handle(0, Event::Refresh(Vec::new())).unwrap();
    for _ in 0..8 {
        world.clock += 2;
        // Every state is checked: that the key's public point stays is one of the invariants.
        round(&mut world).unwrap_or_else(|violation| panic!("{}\n{}", violation.0, world.describe()));
    }
    let held = (2..5).map(|at| held(&world, at)).collect::<Vec<_>>();
    assert!(held.iter().all(|held| held.contains(&original.certificate.body().instance())), "{held:?}");
}

#[test]
fn who_leaves_a_set_lets_go_once_it_knows_the_order() {
    let mut world = world();
    let set = world.nodes[4].disk.instances.values().next().unwrap().certificate.body().set;
    let members: Vec<Index> = [1, 2, 3].map(index).to_vec();
    let leave = Action::Reshare { sets: vec![set], members, t: 2, exempt: vec![index(5)] };
    let order = account().order(1, world.now(), leave);
    let message = Message::Order(order.signed().clone());
    world.nodes[4].withheld = kind(&message);
    world.orders.push(order);
    world.announce(&message);
    (0..8).try_for_each(|_| round(&mut world)).unwrap_or_else(|violation| panic!("{}", violation.0));
    assert!(held(&world, 3).is_empty(), "member 4 left\n{}", world.describe());
    assert_eq!(held(&world, 4).len(), 1, "member 5 was shown no order");

    world.nodes[4].withheld = 0;
    world.crash(4);
    world.start(4).unwrap(); // it says what it holds, and is shown what it lacks
    (0..8).try_for_each(|_| round(&mut world)).unwrap_or_else(|violation| panic!("{}", violation.0));
    assert!(held(&world, 4).is_empty(), "{}", world.describe());
}
