//! What a member knows: its durable state, and certificates that others showed it.

use super::{
    effect::{NewInstance, Record, Saved, SavedInstance},
    message::{Flip, Number, Status, Transcript},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_fragments::names::{Index, InstanceId, KeyId, SetId};
use symbolon_trust::{Action, CreateRequest, EpochCertificate, KeyKind, Order, Signed, VerifiedOrder, hash};

/// Certificates of a set that are remembered without holding their instances.
const WITNESSED_PER_SET: usize = 4;

/// A certificate, and how the member stands to its instance.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub certificate: Signed<EpochCertificate>,
    /// All members' signatures are there, and right.
    pub complete: bool,
    /// How far the member is, if it holds the instance.
    pub status: Option<Status>,
}

/// What a member knows of a set.
#[derive(Clone, Debug)]
pub(super) struct SetKnowledge {
    /// What it was made for.
    pub origin: CreateRequest,
    /// Instances held, by number; no number twice, since a member signs upwards only.
    pub held: BTreeMap<Number, InstanceId>,
    /// Complete certificates of instances not held.
    pub witnessed: BTreeMap<Number, InstanceId>,
}

/// A reshare order, as far as ceremonies are concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub members: &'a [Index],
    pub t: u16,
    pub exempt: &'a [Index],
}

#[derive(Debug, Default)]
pub(super) struct Knowledge {
    pub sets: BTreeMap<SetId, SetKnowledge>,
    pub known: BTreeMap<InstanceId, Known>,
    /// The instances known of each transcript, by set.
    pub transcripts: BTreeMap<Transcript, BTreeMap<SetId, InstanceId>>,
    /// Verified flips, of every transcript that is known.
    pub flips: BTreeMap<Transcript, BTreeMap<Index, Signed<Flip>>>,
    pub orders: BTreeMap<u64, VerifiedOrder>,
    /// The newest order that names a set.
    pub serials: BTreeMap<SetId, u64>,
    /// Sets by the hash of the request that they were made for.
    pub origins: BTreeMap<[u8; 32], SetId>,
    pub destroyed: BTreeMap<SetId, u64>,
    /// Instances whose fragments could not be read when they were to be dealt. In memory only: after a start they are looked
    /// for again.
    pub unreadable: BTreeSet<InstanceId>,
}

impl SetKnowledge {
    const fn new(origin: CreateRequest) -> Self {
        Self { origin, held: BTreeMap::new(), witnessed: BTreeMap::new() }
    }
}

impl Known {
    pub(super) fn number(&self) -> Number {
        Number::of(self.certificate.body())
    }

    pub(super) fn served(&self) -> bool {
        self.status >= Some(Status::Flipped)
    }
}

impl Knowledge {
    pub(super) fn restore(saved: Saved) -> Self {
        let mut knowledge = Self::default();
        saved.orders.into_iter().for_each(|order| knowledge.learn_order(order));
        knowledge.destroyed = saved.destroyed.into_iter().collect();
        for SavedInstance { certificate, status, origin } in saved.instances {
            let known = Known { certificate, complete: status >= Status::Flipped, status: Some(status) };
            knowledge.insert(known, origin);
        }
        for flip in saved.flips {
            knowledge.add_flip(flip);
        }
        knowledge
    }

    /// The newest order that names the set; 0 if none does.
    pub(super) fn serial(&self, set: SetId) -> u64 {
        self.serials.get(&set).copied().unwrap_or(0)
    }

    /// Members and `t` that a set has under a serial: the order's, or those that it was made with.
    pub(super) fn terms(&self, set: SetId, serial: u64) -> Option<Terms<'_>> {
        if serial == 0 {
            let origin = &self.sets.get(&set)?.origin;
            return Some(Terms { members: &origin.members, t: origin.t, exempt: &[] });
        }
        let order = self.orders.get(&serial)?.order();
        let (sets, terms) = reshare(order)?;
        sets.binary_search(&set).is_ok().then_some(terms)
    }

    /// Who deals from an instance under a serial: all its members, less those whom a newer order exempts.
    pub(super) fn dealers(&self, predecessor: &EpochCertificate, serial: u64) -> Option<Vec<Index>> {
        let exempt = match self.terms(predecessor.set, serial) {
            Some(terms) if predecessor.serial < serial => terms.exempt,
            Some(_) => &[],
            None => return None,
        };
        Some(predecessor.members.iter().filter(|index| !exempt.contains(index)).copied().collect())
    }

    pub(super) fn learn_order(&mut self, order: VerifiedOrder) {
        let serial = order.order().serial;
        for set in reshare(order.order()).map(|(sets, _)| sets).unwrap_or_default() {
            let newest = self.serials.entry(*set).or_default();
            *newest = serial.max(*newest);
        }
        self.orders.insert(serial, order);
    }

    /// Whether an order was learnt that is the same, or makes no difference to ceremonies.
    pub(super) fn knows_order(&self, serial: u64) -> bool {
        self.orders.contains_key(&serial)
    }

    pub(super) fn store_new(&mut self, new: &[NewInstance]) {
        for NewInstance { certificate, origin, .. } in new {
            let known =
                Known { certificate: certificate.clone(), complete: false, status: Some(Status::Signed) };
            self.insert(known, origin.clone());
        }
    }

    /// Remembers a complete certificate whose instance is not held; the lowest make room.
    pub(super) fn witness(&mut self, certificate: Signed<EpochCertificate>, origin: CreateRequest) {
        let set = certificate.body().set;
        self.insert(Known { certificate, complete: true, status: None }, origin);
        let Some(knowledge) = self.sets.get(&set) else { return };
        if knowledge.witnessed.len() > WITNESSED_PER_SET {
            let lowest = knowledge.witnessed.first_key_value().map(|(_, id)| *id);
            if let Some(instance) = lowest {
                self.forget(instance);
            }
        }
    }

    fn insert(&mut self, known: Known, origin: CreateRequest) {
        let body = known.certificate.body();
        let (set, instance, number) = (body.set, body.instance(), Number::of(body));
        self.transcripts.entry(Transcript::of(body)).or_default().insert(set, instance);
        if known.status.is_some() {
            self.origins.insert(hash(&origin), set);
        }
        let knowledge = self.sets.entry(set).or_insert_with(|| SetKnowledge::new(origin.clone()));
        if knowledge.held.is_empty() {
            knowledge.origin = origin; // what is only shown may be false, until the dealers' proposal confirms it
        }
        let place = if known.status.is_some() { &mut knowledge.held } else { &mut knowledge.witnessed };
        place.insert(number, instance);
        self.known.insert(instance, known);
    }

    /// Forgets an instance; the set's origin stays, so that its request is not acted on twice.
    pub(super) fn forget(&mut self, instance: InstanceId) {
        let Some(known) = self.known.remove(&instance) else { return };
        self.unreadable.remove(&instance);
        let body = known.certificate.body();
        if let Some(knowledge) = self.sets.get_mut(&body.set) {
            knowledge.held.retain(|_, id| *id != instance);
            knowledge.witnessed.retain(|_, id| *id != instance);
        }
        let transcript = Transcript::of(body);
        let Some(instances) = self.transcripts.get_mut(&transcript) else { return };
        instances.retain(|_, id| *id != instance);
        if instances.is_empty() {
            self.transcripts.remove(&transcript);
            self.flips.remove(&transcript);
        }
    }

    /// The instances known of a transcript, ascending by set.
    pub(super) fn of_transcript(&self, transcript: &Transcript) -> Vec<InstanceId> {
        self.transcripts.get(transcript).map(|sets| sets.values().copied().collect()).unwrap_or_default()
    }

    /// Instances of a set held, with their certificates, ascending by number.
    pub(super) fn held(&self, set: SetId) -> impl DoubleEndedIterator<Item = (InstanceId, &Known)> {
        let held = self.sets.get(&set).map(|knowledge| knowledge.held.values()).unwrap_or_default();
        held.filter_map(|id| Some((*id, self.known.get(id)?)))
    }

    /// The highest number held of a set.
    pub(super) fn highest_held(&self, set: SetId) -> Option<Number> {
        self.sets.get(&set)?.held.last_key_value().map(|(number, _)| *number)
    }

    /// Instances held below a number.
    pub(super) fn held_below(&self, set: SetId, number: Number) -> Vec<InstanceId> {
        self.sets.get(&set).map(|k| k.held.range(..number).map(|(_, id)| *id).collect()).unwrap_or_default()
    }

    /// Every instance held that lies below a settled one of its set: what a crash left to be erased.
    pub(super) fn leftovers(&self) -> Vec<InstanceId> {
        let below = |set: &SetId| {
            let settled = self.held(*set).rev().find(|(_, known)| known.status == Some(Status::Settled));
            settled.map(|(_, known)| self.held_below(*set, known.number())).unwrap_or_default()
        };
        let destroyed = self.destroyed.keys().flat_map(|set| self.held(*set).map(|(id, _)| id));
        self.sets.keys().flat_map(below).chain(destroyed).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Keeps a flip that was verified, if it is about something known.
    pub(super) fn add_flip(&mut self, flip: Signed<Flip>) {
        let (transcript, index) = (flip.body().transcript, flip.body().index);
        if self.transcripts.contains_key(&transcript) {
            self.flips.entry(transcript).or_default().insert(index, flip);
        }
    }

    /// The statements of all members of an instance about its transcript, if all are known.
    pub(super) fn all_flips(&self, instance: InstanceId) -> Option<Vec<&Signed<Flip>>> {
        let body = self.known.get(&instance)?.certificate.body();
        let flips = self.flips.get(&Transcript::of(body))?;
        body.members.iter().map(|index| flips.get(index)).collect()
    }

    /// Whether a certificate is about the key that is held here, if anything of the set is: signatures of members who are
    /// too few to have the key do not make it another one.
    pub(super) fn is_same_key(&self, certificate: &EpochCertificate) -> bool {
        let key = |body: &EpochCertificate| (body.suite, body.y.clone());
        self.held(certificate.set).all(|(_, known)| key(known.certificate.body()) == key(certificate))
    }

    /// Whether others have what is held here because the owner ordered it: only then who left the set lets go.
    pub(super) fn is_ordered(&self, certificate: &EpochCertificate) -> bool {
        let shape = (certificate.members.as_slice(), certificate.t);
        let terms = self.terms(certificate.set, certificate.serial);
        certificate.serial > 0
            && terms.is_some_and(|terms| (terms.members, terms.t) == shape)
            && self.is_same_key(certificate)
    }

    /// The set that was made for this key version alone.
    pub(super) fn dedicated(&self, key: &KeyId, version: u64) -> Vec<SetId> {
        let made_for = |origin: &CreateRequest| {
            origin.kind == KeyKind::Dedicated && origin.key == *key && origin.version == version
        };
        self.sets.iter().filter(|(_, knowledge)| made_for(&knowledge.origin)).map(|(set, _)| *set).collect()
    }

    /// Applies a record to what is known, as storing it does to the disk.
    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Order(order) => self.learn_order(order.clone()),
            Record::Signed(new) => self.store_new(new),
            Record::Flipped(certificates) => {
                for certificate in certificates {
                    self.set_status(certificate.body().instance(), Status::Flipped);
                }
            }
            Record::Settled { instances, .. } => {
                for instance in instances {
                    self.set_status(*instance, Status::Settled);
                }
            }
            Record::Destroyed { set, serial } => {
                self.destroyed.insert(*set, *serial);
            }
        }
    }

    fn set_status(&mut self, instance: InstanceId, status: Status) {
        if let Some(known) = self.known.get_mut(&instance).filter(|known| known.status.is_some()) {
            known.status = Some(status);
        }
    }
}

/// What an order means to ceremonies, if it is about them.
fn reshare(order: &Order) -> Option<(&[SetId], Terms<'_>)> {
    match &order.action {
        Action::Reshare { sets, members, t, exempt } => Some((sets, Terms { members, t: *t, exempt })),
        Action::Enable { .. }
        | Action::Destroy { .. }
        | Action::CancelDestruction { .. }
        | Action::LowerMark { .. } => None,
    }
}
