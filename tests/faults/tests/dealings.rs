//! Each way to deal wrongly is found by every member that it can hurt, and names the dealer; nothing is signed.

use symbolon_faults::{
    Shape, Violation,
    account::{account, index},
    check::Facts,
    disk::Disk,
    liar::{Liar, Lie},
    schedule::{round, settled},
    world::World,
};
use symbolon_fragments::{SuiteId, names::Index};
use symbolon_protocol::ceremony::{Alarm, DealingFault, Event, Message};

const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

/// What the honest members 1 and 3 say while member 2 lies in this way.
fn alarms(lie: Lie, generate: bool) -> Result<(Vec<(Index, Alarm)>, World), Violation> {
    let shape = Shape { t: 2, members: vec![1, 2, 3] };
    let (disks, facts) =
        if generate { (vec![Disk::default(); 3], Facts::default()) } else { settled(SUITE, &shape)? };
    let mut world = World::new(7, disks, facts);
    world.nodes.truncate(3);
    world.liar = Some(Liar { index: index(2), lie: Some(lie) });
    (0..3).try_for_each(|at| world.start(at))?;
    if generate {
        world.announce(&Message::Proposal(account().generate(SUITE, &shape.indexes(), 2, 1, 3)));
    } else {
        world.handle(0, Event::Refresh(Vec::new()))?;
    }
    for _ in 0..4 {
        round(&mut world)?;
    }
    let honest = |(by, _): &(Index, Alarm)| *by != index(2);
    Ok((world.alarms.iter().filter(|alarm| honest(alarm)).cloned().collect(), world))
}

/// The faults that honest members named member 2 for.
fn faults(lie: Lie, generate: bool) -> Vec<DealingFault> {
    let (alarms, world) =
        alarms(lie, generate).unwrap_or_else(|violation| panic!("{lie:?}: {}", violation.0));
    let signed =
        world.facts.signed.values().filter(|who| who.contains(&index(1)) || who.contains(&index(3))).count();
    assert_eq!(signed, usize::from(!generate), "{lie:?}: an honest member signed");
    alarms
        .into_iter()
        .filter_map(|(_, alarm)| match alarm {
            Alarm::BadDealing(bad) => Some((bad.dealer, bad.fault)),
            _ => None,
        })
        .map(|(dealer, fault)| {
            assert_eq!(dealer, index(2), "{lie:?} was blamed on somebody else");
            fault
        })
        .collect()
}

#[test]
fn a_wrong_dealing_is_named_in_a_reshare() {
    for (lie, fault) in [
        (Lie::LongCommitment, DealingFault::CommitmentLength),
        (Lie::ShortCommitment, DealingFault::CommitmentLength),
        (Lie::NoElement, DealingFault::Commitment { set: 0 }),
        (Lie::OtherConstant, DealingFault::Constant { set: 0 }),
        (Lie::WrongProof, DealingFault::ProofLength),
        (Lie::WrongShare, DealingFault::Share { set: 0 }),
        (Lie::UnreducedShare, DealingFault::ShareEncoding { set: 0 }),
        (Lie::ShortShare, DealingFault::ShareLength),
        (Lie::Garbage, DealingFault::Sealed),
    ] {
        assert_eq!(faults(lie, false), [fault, fault], "{lie:?}");
    }
}

#[test]
fn a_wrong_dealing_is_named_in_a_generate() {
    for (lie, fault) in [
        (Lie::LongCommitment, DealingFault::CommitmentLength),
        (Lie::OtherConstant, DealingFault::Proof { set: 0 }),
        (Lie::WrongProof, DealingFault::Proof { set: 0 }),
        (Lie::WrongShare, DealingFault::Share { set: 0 }),
        (Lie::Garbage, DealingFault::Sealed),
    ] {
        assert_eq!(faults(lie, true), [fault, fault], "{lie:?}");
    }
}

#[test]
fn a_dealing_without_a_share_for_everybody_is_refused_by_everybody() {
    assert_eq!(faults(Lie::MissingReceiver, false), [DealingFault::Receivers; 2]);
}

#[test]
fn who_shows_different_members_different_things_makes_no_two_certificates() {
    for lie in [Lie::TwoJoins, Lie::TwoDeals] {
        // Every state was checked while it ran; nobody honest is blamed.
        let (alarms, world) =
            alarms(lie, false).unwrap_or_else(|violation| panic!("{lie:?}: {}", violation.0));
        let complete = world.facts.certificates.keys().filter(|id| world.is_complete(**id)).count();
        assert!(complete <= 2, "{lie:?}: the first instance and at most one more, not {complete}");
        let blamed = |alarm: &Alarm| matches!(alarm, Alarm::BadDealing(bad) if bad.dealer != index(2));
        assert!(!alarms.iter().any(|(_, alarm)| blamed(alarm)), "{alarms:?}");
    }
}
