//! What must be true in every state, whoever knows it: the invariants of the model (`docs/models/ceremony.py`).

use crate::{account::START, schedule::Rule, world::World};
use std::collections::{BTreeMap, BTreeSet};
use symbolon_fragments::{
    Binding, Commitment, Evaluation, Fields, Input, Instance, KeyScope,
    names::{Index, InstanceId, Purpose, SetId, Thumbprint},
};
use symbolon_protocol::ceremony::{Alarm, Number, Record, Status};
use symbolon_trust::EpochCertificate;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

/// What is true, whoever knows it.
#[derive(Clone, Default)]
pub struct Facts {
    /// All certificates that any member stored.
    pub certificates: BTreeMap<InstanceId, EpochCertificate>,
    /// Who stored and signed an instance.
    pub signed: BTreeMap<InstanceId, BTreeSet<Index>>,
    /// Who stored that it flipped.
    pub flipped: BTreeMap<InstanceId, BTreeSet<Index>>,
    /// Sets that had a settled instance once.
    pub settled: BTreeSet<SetId>,
    points: BTreeMap<SetId, Vec<u8>>,
    ciphertexts: BTreeMap<SetId, Commitment>,
    changed: Option<SetId>,
}

impl Facts {
    /// Notes what a member stored.
    pub fn note(&mut self, index: Index, record: &Record) {
        match record {
            Record::Signed(new) => new.iter().for_each(|new| {
                let body = new.certificate.body();
                self.certificates.insert(body.instance(), body.clone());
                self.signed.entry(body.instance()).or_default().insert(index);
                let point = self.points.entry(body.set).or_insert_with(|| body.y.clone());
                if *point != body.y {
                    self.changed = Some(body.set);
                }
            }),
            Record::Flipped(certificates) => certificates.iter().for_each(|certificate| {
                self.flipped.entry(certificate.body().instance()).or_default().insert(index);
            }),
            Record::Settled { instances, .. } => {
                let sets = instances.iter().filter_map(|id| Some(self.certificates.get(id)?.set));
                self.settled.extend(sets);
            }
            Record::Order(_) | Record::Destroyed { .. } => {}
        }
    }
}

impl World {
    fn honest<'a>(&'a self, members: &'a [Index]) -> impl Iterator<Item = Index> + 'a {
        members.iter().copied().filter(|index| !self.lies(*index))
    }

    fn all_in(&self, of: &BTreeMap<InstanceId, BTreeSet<Index>>, id: InstanceId) -> bool {
        let members = self.facts.certificates.get(&id).map(|c| c.members.as_slice()).unwrap_or_default();
        let who = of.get(&id);
        self.honest(members).all(|index| who.is_some_and(|who| who.contains(&index)))
    }

    /// Whether the certificate of an instance can be complete: a liar's signature is on every certificate.
    pub fn is_complete(&self, id: InstanceId) -> bool {
        self.all_in(&self.facts.signed, id)
    }

    /// Whether all flips of an instance can be known.
    pub fn is_settled(&self, id: InstanceId) -> bool {
        self.all_in(&self.facts.flipped, id)
    }

    fn holds(&self, index: Index, id: InstanceId) -> bool {
        self.nodes[usize::from(index.get()) - 1].disk.instances.contains_key(&id)
    }

    fn status(&self, index: Index, id: InstanceId) -> Option<Status> {
        self.nodes[usize::from(index.get()) - 1].disk.instances.get(&id).map(|stored| stored.status)
    }

    fn failed(&self, index: Index, set: SetId) -> bool {
        self.nodes[usize::from(index.get()) - 1].lost.contains_key(&set)
    }

    /// All instances that some honest member holds, by set.
    pub fn held_sets(&self) -> BTreeMap<SetId, Vec<InstanceId>> {
        let mut sets: BTreeMap<SetId, Vec<InstanceId>> = BTreeMap::new();
        let honest = self.nodes.iter().filter(|node| !self.lies(node.index));
        for (id, stored) in honest.flat_map(|node| &node.disk.instances) {
            let instances = sets.entry(stored.certificate.body().set).or_default();
            if !instances.contains(id) {
                instances.push(*id);
            }
        }
        sets
    }

    /// Checks everything that must hold in every state.
    pub fn check(&self) -> Result<(), Violation> {
        if let Some(set) = self.facts.changed {
            return Err(Violation(format!("the public point of {set} changed")));
        }
        self.check_agreement()?;
        self.held_sets().iter().try_for_each(|(set, instances)| self.check_no_loss(*set, instances))
    }

    /// S2: never two complete certificates for one set and number.
    fn check_agreement(&self) -> Result<(), Violation> {
        let mut numbers = BTreeMap::new();
        for (id, certificate) in &self.facts.certificates {
            if self.is_complete(*id)
                && let Some(other) = numbers.insert((certificate.set, certificate.number()), id)
            {
                return Err(Violation(format!("S2: {other} and {id} are complete and have one number")));
            }
        }
        Ok(())
    }

    /// S1: within the bound, t honest members hold one instance whose certificate can be shown.
    fn check_no_loss(&self, set: SetId, instances: &[InstanceId]) -> Result<(), Violation> {
        let silences: Vec<Option<Index>> = match &self.liar {
            Some(liar) => vec![Some(liar.index)],
            None => std::iter::once(None).chain(self.nodes.iter().map(|node| Some(node.index))).collect(),
        };
        for silent in silences {
            let spare = usize::from(self.rule == Some(Rule::OneMore));
            if self.is_within_bound(set, instances, silent, spare) && self.shown(instances, silent).is_none()
            {
                return Err(Violation(format!("S1: no instance of {set} is served by t honest members")));
            }
        }
        Ok(())
    }

    /// Whether liars, silent and failed members are at most n - t of the newest settled instance and of each complete one
    /// above.
    pub fn is_within_bound(
        &self,
        set: SetId,
        instances: &[InstanceId],
        silent: Option<Index>,
        spare: usize,
    ) -> bool {
        let number = |id: &InstanceId| Number::of(&self.facts.certificates[id]);
        let Some(top) = instances.iter().filter(|id| self.is_settled(**id)).map(number).max() else {
            return false;
        };
        instances.iter().filter(|id| number(id) >= top && self.is_complete(**id)).all(|id| {
            let certificate = &self.facts.certificates[id];
            let bad = |index: &&Index| Some(**index) == silent || self.failed(**index, set);
            let bad = certificate.members.iter().filter(bad).count();
            bad <= certificate.members.len() - usize::from(certificate.t) + spare
        })
    }

    /// The newest instance that t honest members, not silent, hold, and whose certificate can be shown: somebody stored it,
    /// or the relay still has all signatures.
    pub fn shown(&self, instances: &[InstanceId], silent: Option<Index>) -> Option<InstanceId> {
        self.newest(instances, silent, true)
    }

    /// The same, if the relay has lost what nobody stored.
    pub fn stored(&self, instances: &[InstanceId], silent: Option<Index>) -> Option<InstanceId> {
        self.newest(instances, silent, false)
    }

    fn newest(&self, instances: &[InstanceId], silent: Option<Index>, relay: bool) -> Option<InstanceId> {
        let mut shown: Vec<_> = instances
            .iter()
            .filter(|id| {
                let certificate = &self.facts.certificates[*id];
                let awake = |index: &Index| Some(*index) != silent;
                let holders =
                    self.honest(&certificate.members).filter(awake).filter(|index| self.holds(*index, **id));
                let stored = self.nodes.iter().any(|node| {
                    awake(&node.index)
                        && !self.lies(node.index)
                        && self.status(node.index, **id).is_some_and(|status| status >= Status::Flipped)
                });
                let silent_member = silent.is_some_and(|silent| certificate.members.contains(&silent));
                let provable = stored || relay && self.is_complete(**id) && !silent_member;
                provable && holders.count() >= certificate.t.into()
            })
            .collect();
        shown.sort_by_key(|id| self.facts.certificates[*id].number());
        shown.last().copied().copied()
    }

    /// S3: a member erases only if all honest members of some instance above hold that one or a newer one, or a newer one
    /// is settled.
    pub fn check_erasure(&self, at: usize, erased: InstanceId) -> Result<(), Violation> {
        let node = &self.nodes[at];
        let Some(certificate) = self.facts.certificates.get(&erased).filter(|_| !self.lies(node.index))
        else {
            return Ok(());
        };
        let set = certificate.set;
        let number = |id: &InstanceId| Number::of(&self.facts.certificates[id]);
        let same_set = self.facts.certificates.iter().filter(|(_, c)| c.set == set);
        let above: Vec<_> = same_set.map(|(id, _)| *id).filter(|id| number(id) > number(&erased)).collect();
        let has = |index: Index, least: Number| {
            let disk = &self.nodes[usize::from(index.get()) - 1].disk;
            disk.instances
                .values()
                .any(|s| s.certificate.body().set == set && Number::of(s.certificate.body()) >= least)
        };
        let safe = above.iter().any(|id| {
            let members = &self.facts.certificates[id].members;
            self.is_complete(*id)
                && self.honest(members).all(|index| {
                    self.failed(index, set)
                        || has(index, number(id))
                        || above.iter().any(|newer| number(newer) > number(id) && self.is_settled(*newer))
                })
        });
        if safe { Ok(()) } else { Err(Violation(format!("S3: {} erases {erased} too early", node.index))) }
    }

    /// S4: every ciphertext still opens, with any t fragments that are served under one name.
    pub fn check_opens(&mut self, certificate: &EpochCertificate) -> Result<(), Violation> {
        let id = certificate.instance();
        let mut parts: Vec<(Index, Vec<u8>)> = Vec::new();
        for node in self.nodes.iter().filter(|node| certificate.members.contains(&node.index)) {
            let stored = node.disk.instances.get(&id).filter(|stored| stored.status >= Status::Flipped);
            parts.extend(stored.map(|stored| (node.index, stored.fragment.clone())));
        }
        let t = usize::from(certificate.t);
        if parts.len() < t {
            return Ok(());
        }
        let from = self.below(parts.len());
        parts.rotate_left(from);
        let commitment = open(certificate, &parts[..t])
            .ok_or(Violation(format!("S4: a fragment of {id} is not its own")))?;
        let first = self.facts.ciphertexts.entry(certificate.set).or_insert(commitment);
        if *first == commitment {
            Ok(())
        } else {
            Err(Violation(format!("a ciphertext of {} no longer opens", certificate.set)))
        }
    }

    fn is_unreadable(&self, by: Index, instance: InstanceId) -> bool {
        self.nodes[usize::from(by.get()) - 1].disk.unreadable.contains(&instance)
    }

    /// Only a liar is ever said to cheat.
    pub fn check_alarm(&self, by: Index, alarm: &Alarm) -> Result<(), Violation> {
        let accused = match alarm {
            Alarm::BadDealing(bad) => bad.dealer,
            Alarm::Equivocation(index) => *index,
            Alarm::FragmentUnreadable(id) if self.rule.is_none() && !self.is_unreadable(by, *id) => {
                return Err(Violation(format!("{by} can't read its fragment of {id}")));
            }
            Alarm::FragmentUnreadable(_)
            | Alarm::Disagreement(_)
            | Alarm::RolledBack(_)
            | Alarm::Refused(_) => return Ok(()),
        };
        if self.lies(accused) || self.lies(by) {
            Ok(())
        } else {
            Err(Violation(format!("{by} accuses {accused}, who is honest: {alarm}")))
        }
    }
}

/// What a ciphertext's header says of the key that these fragments make.
fn open(certificate: &EpochCertificate, parts: &[(Index, Vec<u8>)]) -> Option<Commitment> {
    let commitment: Vec<&[u8]> = certificate.commitment.iter().map(|bytes| bytes.as_slice()).collect();
    let instance = Instance::new(certificate.suite, &commitment, &certificate.members).ok()?;
    let scope = KeyScope {
        account: certificate.account,
        suite: certificate.suite,
        key: "shop/k".parse().ok()?,
        version: 1,
    };
    let writer = Thumbprint::new([3; 32]);
    let fields = Fields { purpose: Purpose::Data, writer, created: START, r: [9; 32] };
    let input = Input::new(&scope, &fields);
    let mut combination = instance.combination(vec![input.clone()]).ok()?;
    for (index, fragment) in parts {
        let evaluations: Vec<Evaluation> =
            instance.fragment(*index, fragment).ok()?.evaluate(std::slice::from_ref(&input)).ok()?;
        combination.accept(*index, &evaluations).ok()?;
    }
    let output = combination.finish().ok()?.pop()?;
    let (_, commitment) = output.derive(None, Binding { header: b"", context: b"" }).into_parts();
    Some(commitment)
}
