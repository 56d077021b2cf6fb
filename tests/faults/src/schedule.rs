//! One schedule: a while under the adversary, then a fair relay under which a new epoch must settle.

use crate::{
    account::{ROSTER, account, index},
    check::{Facts, Violation},
    disk::Disk,
    liar::{Liar, Lie},
    world::World,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use symbolon_fragments::{
    SuiteId,
    names::{Index, InstanceId, SetId},
};
use symbolon_protocol::ceremony::{Event, Message, Status};
use symbolon_trust::Action;

/// Rounds in which a fair relay must bring a new epoch to settle.
const FAIR_ROUNDS: usize = 40;

/// `t` and the members of a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Members that make the key.
    pub t: u16,
    /// The members' numbers.
    pub members: Vec<u16>,
}

impl Shape {
    /// 2-of-2, 2-of-3, 3-of-3, 3-of-5.
    pub fn all() -> [Self; 4] {
        let shape = |t, n| Self { t, members: (1..=n).collect() };
        [shape(2, 2), shape(2, 3), shape(3, 3), shape(3, 5)]
    }

    /// The members' indexes.
    pub fn indexes(&self) -> Vec<Index> {
        self.members.iter().copied().map(index).collect()
    }
}

/// A rule of the protocol that a world breaks on purpose, so that the checks are known to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The old instance is erased as soon as the new certificate is complete.
    NoFlips,
    /// Who restarts forgets what it signed, and may sign that number again.
    SignTwice,
    /// What is stored is not durable, and read back from memory, until the instance has settled.
    Unsynced,
    /// Fragments of attempts that never completed are not erased.
    KeepFailed,
    /// Not a rule: one failure more than the bound of S1 allows.
    OneMore,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NoFlips, Self::SignTwice, Self::Unsynced, Self::KeepFailed, Self::OneMore];
}

/// What came of a schedule that violated nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Instances that were settled.
    pub settled: usize,
    /// Bad dealings that were named.
    pub accused: usize,
    /// Persists.
    pub persists: usize,
    /// Whether the fair end was due, and reached.
    pub healed: bool,
}

/// Runs the schedule of a seed, with a rule broken or none.
pub fn run(seed: u64, rule: Option<Rule>) -> Result<Outcome, Violation> {
    let mut world = setting(seed, rule)?;
    let steps = 10 + world.below(80);
    for _ in 0..steps {
        adversary(&mut world)?;
    }
    let healed = fair(&mut world)?;
    Ok(Outcome {
        settled: world.facts.flipped.keys().filter(|id| world.is_settled(**id)).count(),
        accused: world
            .alarms
            .iter()
            .filter(|(_, alarm)| matches!(alarm, symbolon_protocol::ceremony::Alarm::BadDealing(_)))
            .count(),
        persists: world.persists,
        healed,
    })
}

/// The world that a seed starts with: settled sets, mostly one, or a proposal to generate them; perhaps a liar.
fn setting(seed: u64, rule: Option<Rule>) -> Result<World, Violation> {
    let mut world = World::new(seed, vec![Disk::default(); usize::from(ROSTER)], Facts::default());
    let shape = pick_shape(&mut world);
    world.changes = world.chance(20);
    if !world.changes {
        world.nodes.truncate(shape.members.len());
    }
    let suite = if world.chance(3) { SuiteId::P256Sha256 } else { SuiteId::Ristretto255Sha512 };
    let generate = world.chance(15);
    let sets = if world.chance(12) { 2 + world.below(2) as u64 } else { 1 };
    if !generate {
        let (disks, facts) = settled_sets(suite, &shape, sets)?;
        world.nodes.iter_mut().zip(disks).for_each(|(node, disk)| node.disk = disk);
        world.facts = facts;
    }
    world.rule = rule;
    if world.chance(35) && suite == SuiteId::Ristretto255Sha512 {
        let at = world.below(shape.members.len());
        world.liar = Some(Liar { index: index(shape.members[at]), lie: None });
        lie(&mut world);
    }
    for at in 0..world.nodes.len() {
        world.start(at)?;
    }
    if generate {
        world.announce(&Message::Proposal(account().generate(suite, &shape.indexes(), shape.t, sets, 1)));
    }
    Ok(world)
}

/// Small sets are quick and show most; larger ones come now and then.
fn pick_shape(world: &mut World) -> Shape {
    let [two, two_of_three, three, three_of_five] = Shape::all();
    match world.below(100) {
        0..30 => two,
        30..80 => two_of_three,
        80..95 => three,
        _ => three_of_five,
    }
}

/// Disks, and what is true of them.
pub type Settled = (Vec<Disk>, Facts);

/// The disks after a set of this shape was generated without any fault.
pub fn settled(suite: SuiteId, shape: &Shape) -> Result<Settled, Violation> {
    settled_sets(suite, shape, 1)
}

/// The same with so many sets, generated in one ceremony.
pub fn settled_sets(suite: SuiteId, shape: &Shape, sets: u64) -> Result<Settled, Violation> {
    static DONE: Mutex<BTreeMap<(SuiteId, Shape, u64), Settled>> = Mutex::new(BTreeMap::new());
    let key = (suite, shape.clone(), sets);
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(done) = done {
        return Ok(done);
    }
    let mut world = World::new(0, vec![Disk::default(); usize::from(ROSTER)], Facts::default());
    (0..world.nodes.len()).try_for_each(|at| world.start(at))?;
    world.announce(&Message::Proposal(account().generate(suite, &shape.indexes(), shape.t, sets, 0)));
    for _ in 0..6 {
        round(&mut world)?;
    }
    if world.facts.settled.len() as u64 != sets {
        return Err(Violation("a fair relay, and yet not everything was generated".into()));
    }
    let done: (Vec<_>, _) = (world.nodes.into_iter().map(|node| node.disk).collect(), world.facts);
    DONE.lock().unwrap_or_else(PoisonError::into_inner).insert(key, done.clone());
    Ok(done)
}

/// One step of the adversary.
fn adversary(world: &mut World) -> Result<(), Violation> {
    let at = world.below(world.nodes.len());
    if world.chance(4) {
        world.fuse = Some(world.below(4));
    }
    match world.below(100) {
        0..45 => in_order(world, at, 1 + at),
        45..55 => world.catch_up(at),
        55..63 => any_order(world, at),
        63..66 => {
            world.nodes[at].next = world.log.len(); // withheld for ever
            Ok(())
        }
        66..76 => tick(world, at),
        76..82 => refresh(world, at),
        82 => {
            lie(world);
            Ok(())
        }
        83..86 => campaign(world, at),
        86..91 => toggle(world, at),
        91..95 => backup(world, at),
        95..97 => order(world),
        97 => storm(world),
        _ => {
            mood(world);
            Ok(())
        }
    }
}

fn in_order(world: &mut World, at: usize, count: usize) -> Result<(), Violation> {
    for _ in 0..count {
        let next = world.nodes[at].next;
        if next < world.log.len() {
            world.nodes[at].next += 1;
            world.deliver(at, next)?;
        }
    }
    Ok(())
}

/// Something from the log, whenever it was sent, whether it was shown before or not.
fn any_order(world: &mut World, at: usize) -> Result<(), Violation> {
    let entry = world.below(world.log.len());
    if world.log.is_empty() { Ok(()) } else { world.deliver(at, entry) }
}

fn tick(world: &mut World, at: usize) -> Result<(), Violation> {
    world.clock += if world.chance(20) { 61 } else { 2 };
    world.handle(at, Event::Tick)
}

fn refresh(world: &mut World, at: usize) -> Result<(), Violation> {
    if world.chance(50) {
        world.announce(&Message::Refresh(Vec::new()));
    }
    world.handle(at, Event::Refresh(Vec::new()))?;
    world.clock += 12;
    world.handle(at, Event::Tick)
}

fn toggle(world: &mut World, at: usize) -> Result<(), Violation> {
    if world.nodes[at].machine.is_none() {
        return world.start(at);
    }
    world.crash(at);
    Ok(())
}

/// One honest member, once a schedule, is restored from a backup or loses its disk, as in the model.
fn backup(world: &mut World, at: usize) -> Result<(), Violation> {
    if world.lies(world.nodes[at].index) || world.rolled_back.is_some() {
        return Ok(());
    }
    if world.chance(60) {
        world.nodes[at].backup = Some(world.nodes[at].disk.clone());
        return Ok(());
    }
    world.rolled_back = Some(at);
    let disk = world.nodes[at].backup.take().unwrap_or_default(); // nobody backed up: an empty disk
    world.replace_disk(at, disk)?;
    world.start(at)
}

/// The owner orders something: another shape, or the same members once more.
fn order(world: &mut World) -> Result<(), Violation> {
    if world.orders.len() >= 3 || world.facts.settled.is_empty() {
        return Ok(());
    }
    let shapes: Vec<_> =
        Shape::all().into_iter().filter(|shape| shape.members.len() <= world.nodes.len()).collect();
    let shape = shapes[world.below(shapes.len())].clone();
    let exempt = if world.chance(30) {
        vec![index(1 + u16::try_from(world.below(3)).unwrap_or(0))]
    } else {
        Vec::new()
    };
    let sets = world.facts.settled.iter().copied().collect();
    give_order(world, sets, shape.indexes(), shape.t, exempt);
    let order = world.orders.last().cloned();
    let at = world.below(world.nodes.len());
    order.map_or(Ok(()), |order| world.handle(at, Event::Order(order)))
}

fn give_order(world: &mut World, sets: Vec<SetId>, members: Vec<Index>, t: u16, exempt: Vec<Index>) {
    let serial = world.orders.len() as u64 + 1;
    let order = account().order(serial, world.now(), Action::Reshare { sets, members, t, exempt });
    world.announce(&Message::Order(order.signed().clone()));
    world.orders.push(order);
}

/// Everybody is killed and started again.
fn storm(world: &mut World) -> Result<(), Violation> {
    (0..world.nodes.len()).for_each(|at| world.crash(at));
    (0..world.nodes.len()).try_for_each(|at| world.start(at))
}

/// The relay withholds other kinds of messages, from everybody or from some.
fn mood(world: &mut World) {
    const SIGNATURES: u16 = 1 << 5 | 1 << 8;
    const FLIPS: u16 = 1 << 6;
    let kinds = [0, 0, SIGNATURES, SIGNATURES, FLIPS, 1 << 7, SIGNATURES | 1 << 7, 0xffff];
    let kinds = kinds[world.below(kinds.len())];
    for at in 0..world.nodes.len() {
        world.nodes[at].withheld = if world.chance(70) { kinds } else { 0 };
    }
}

/// An attempt gets as far as the relay likes, by everybody; then perhaps everybody is killed.
fn campaign(world: &mut World, at: usize) -> Result<(), Violation> {
    mood(world);
    let kinds = world.nodes[at].withheld;
    world.nodes.iter_mut().for_each(|node| node.withheld = kinds);
    refresh(world, at)?;
    for at in (0..world.nodes.len()).cycle().take(4 * world.nodes.len()) {
        world.catch_up(at)?;
    }
    if world.chance(50) { storm(world) } else { Ok(()) }
}

fn lie(world: &mut World) {
    let lie = if world.chance(30) { None } else { Some(Lie::ALL[world.below(Lie::ALL.len())]) };
    if let Some(liar) = &mut world.liar {
        liar.lie = lie;
    }
}

/// A fair relay shows everybody everything, and some seconds pass.
pub fn round(world: &mut World) -> Result<(), Violation> {
    world.clock += 6;
    for at in 0..world.nodes.len() {
        world.catch_up(at)?;
    }
    for at in 0..world.nodes.len() {
        world.handle(at, Event::Tick)?;
    }
    Ok(())
}

/// L1, L2: the relay is fair, everybody but the liar is up, the owner orders what is needed: a new epoch settles, and all
/// older fragments go. Says whether that was due: beyond the bound of S1 it is not.
fn fair(world: &mut World) -> Result<bool, Violation> {
    if world.rule.is_some_and(|rule| rule != Rule::KeepFailed) {
        return Ok(false);
    }
    world.fuse = None;
    let fair_from = world.log.len();
    for at in 0..world.nodes.len() {
        let liar = world.lies(world.nodes[at].index);
        world.nodes[at].next = fair_from;
        world.nodes[at].withheld = 0;
        world.crash(at);
        if !liar {
            world.start(at)?;
        }
    }
    for _ in 0..3 {
        round(world)?;
    }
    let mut due = false;
    for (set, instances) in world.held_sets() {
        let silent = world.liar.as_ref().map(|liar| liar.index);
        if world.is_within_bound(set, &instances, silent, 0) {
            due = true;
            heal(world, set, &instances)?;
        }
    }
    Ok(due)
}

/// An attempt that was under way when the owner looked may overtake the order, which then exempts the wrong members: the
/// owner looks again, as a person would.
fn heal(world: &mut World, set: SetId, instances: &[InstanceId]) -> Result<(), Violation> {
    let top = instances.iter().map(|id| world.facts.certificates[id].number()).max();
    let needs_order = world.liar.is_some() || world.rolled_back.is_some() || !world.orders.is_empty();
    for _ in 0..3 {
        let now = world.held_sets().remove(&set).unwrap_or_default();
        let (members, serial) = if needs_order {
            order_what_is_needed(world, set, &now)?
        } else {
            let certificate = &world.facts.certificates[&instances[0]];
            (certificate.members.clone(), 0)
        };
        for at in 0..world.nodes.len() {
            world.handle(at, Event::Refresh(vec![set]))?;
        }
        for _ in 0..FAIR_ROUNDS {
            round(world)?;
            if is_healed(world, set, &members, serial, top) {
                return Ok(());
            }
        }
        if !needs_order {
            return Err(Violation(format!(
                "L2: no new epoch of {set} settles without an order\n{}",
                world.describe()
            )));
        }
    }
    Err(Violation(format!("L1: no new epoch of {set} settles\n{}", world.describe())))
}

/// The owner's order: the awake members of the last order or of the newest instance, and who need not deal.
fn order_what_is_needed(
    world: &mut World,
    set: SetId,
    instances: &[InstanceId],
) -> Result<(Vec<Index>, u64), Violation> {
    let silent = world.liar.as_ref().map(|liar| liar.index);
    // What was sent before the relay turned fair is lost; so an instance counts whose certificate somebody has.
    let shown =
        world.stored(instances, silent).ok_or(Violation(format!("L1: nothing of {set} can be shown")))?;
    let certificate = world.facts.certificates[&shown].clone();
    let awake = |members: &[Index]| {
        members.iter().copied().filter(|index| Some(*index) != silent).collect::<Vec<_>>()
    };
    let ordered = world.orders.last().and_then(|order| match &order.order().action {
        Action::Reshare { members, t, .. } => Some((awake(members), *t)),
        _ => None,
    });
    let (members, t) = ordered
        .filter(|(members, t)| members.len() >= usize::from(*t).max(2))
        .unwrap_or_else(|| (awake(&certificate.members), certificate.t));
    let exempt = certificate
        .members
        .iter()
        .copied()
        .filter(|index| {
            let node = &world.nodes[usize::from(index.get()) - 1];
            Some(*index) == silent || !node.disk.instances.contains_key(&shown)
        })
        .collect();
    give_order(world, vec![set], members.clone(), t, exempt);
    Ok((members, world.orders.len() as u64))
}

/// Whether all members hold one settled instance above the old ones and nothing else, and nobody else holds anything.
fn is_healed(world: &World, set: SetId, members: &[Index], serial: u64, top: Option<(u64, u64)>) -> bool {
    world.nodes.iter().filter(|node| !world.lies(node.index)).all(|node| {
        let held: Vec<_> =
            node.disk.instances.values().filter(|stored| stored.certificate.body().set == set).collect();
        if !members.contains(&node.index) {
            return held.is_empty();
        }
        let [only] = held.as_slice() else { return false };
        let number = only.certificate.body().number();
        only.status == Status::Settled && number.0 == serial && Some(number) > top
    })
}
