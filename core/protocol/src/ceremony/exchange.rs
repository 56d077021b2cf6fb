//! Telling each other what one holds, and showing each other what somebody lacks (specification §5.5).

use super::{
    effect::{Alarm, Context, Effect},
    knowledge::Known,
    machine::{Machine, numbers, signed_by},
    message::{
        Certified, Have, HaveInstance, HaveSet, MAX_MESSAGE_BYTES, Message, Number, Status, Transcript,
    },
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::{Index, InstanceId, SetId};
use symbolon_trust::{EpochCertificate, Seconds, Signed, VerifiedEpochCertificate};

/// What others said they hold, and what this member owes them to say. In memory only.
#[derive(Debug, Default)]
pub(super) struct Peers {
    said: BTreeMap<Index, Said>,
    tell: BTreeSet<SetId>,
    told: Seconds,
}

#[derive(Debug, Default)]
struct Said {
    time: Seconds,
    sets: BTreeMap<SetId, HaveSet>,
}

/// What somebody lacks.
#[derive(Default)]
struct Lacks {
    certificates: Vec<InstanceId>,
    /// Flips of all members, or only one's own.
    flips: BTreeMap<Transcript, bool>,
    orders: BTreeSet<u64>,
}

impl Lacks {
    /// Notes what of an instance a member lacks whose own status is `theirs`; `behind`: it holds nothing as high.
    fn note(&mut self, instance: InstanceId, known: &Known, theirs: Option<Status>, behind: bool) {
        if theirs == Some(Status::Signed) || behind && known.complete {
            self.certificates.push(instance);
        }
        let transcript = Transcript::of(known.certificate.body());
        let unsettled = behind || theirs.is_some_and(|status| status < Status::Settled);
        if unsettled && known.served() {
            self.flips.insert(transcript, known.status == Some(Status::Settled));
        }
    }
}

impl Peers {
    /// Nothing is owed about these sets any more.
    pub(super) fn said_enough(&mut self, sets: impl Iterator<Item = SetId>) {
        sets.for_each(|set| {
            self.tell.remove(&set);
        });
    }

    /// What a member said about a set, unless that is outdated.
    pub(super) fn said(&self, index: Index, set: SetId) -> Option<&HaveSet> {
        self.said.get(&index)?.sets.get(&set)
    }

    /// The member was seen to go on since it said something about these sets.
    pub(super) fn forget(&mut self, index: Index, sets: impl Iterator<Item = SetId>) {
        if let Some(said) = self.said.get_mut(&index) {
            sets.for_each(|set| {
                said.sets.remove(&set);
            });
        }
    }

    /// Whether the member said something later.
    fn is_outdated(&self, have: &Have) -> bool {
        self.said.get(&have.index).is_some_and(|said| have.time < said.time)
    }

    /// Takes what a member says about sets that matter; says which of them it says something new about.
    fn take(&mut self, have: &Have, matters: impl Fn(SetId) -> bool) -> Vec<SetId> {
        let said = self.said.entry(have.index).or_default();
        said.time = have.time;
        let mut news = Vec::new();
        for set in have.sets.iter().filter(|set| matters(set.set)) {
            if said.sets.get(&set.set) != Some(set) {
                said.sets.insert(set.set, set.clone());
                news.push(set.set);
            }
        }
        news
    }
}

impl Machine {
    /// Owes the others a word about these sets, at the next tick.
    pub(super) fn tell(&mut self, sets: impl IntoIterator<Item = SetId>) {
        self.peers.tell.extend(sets);
    }

    /// Says what it holds where that is due, at most once a second.
    pub(super) fn post_have(&mut self, ctx: &Context<'_>, out: &mut Vec<Effect>) {
        let now = ctx.now.time();
        if self.peers.tell.is_empty() || now <= self.peers.told {
            return;
        }
        self.peers.told = now;
        let sets: Vec<_> =
            core::mem::take(&mut self.peers.tell).into_iter().map(|set| self.have(set)).collect();
        for sets in pages(sets) {
            let have = Have { account: self.account, index: self.me, time: now, sets };
            out.push(Effect::Post(Message::Have(self.signed(have))));
        }
    }

    fn have(&self, set: SetId) -> HaveSet {
        let instance = |(instance, known): (InstanceId, &Known)| {
            Some(HaveInstance { instance, number: known.number(), status: known.status? })
        };
        let readable = |(instance, _): &(InstanceId, &Known)| !self.knowledge.unreadable.contains(instance);
        let instances = self.knowledge.held(set).filter(readable).filter_map(instance).collect();
        HaveSet { set, serial: self.knowledge.serial(set), instances }
    }

    /// Another says what it holds: remembers it, and shows it what it lacks.
    pub(super) fn take_have(&mut self, ctx: &mut Context<'_>, have: &Signed<Have>, out: &mut Vec<Effect>) {
        let body = have.body();
        let (index, account) = (body.index, body.account);
        let idle = account != self.account || index == self.me || self.peers.is_outdated(body);
        if idle || !signed_by(ctx, index, have) {
            return;
        }
        let knowledge = &self.knowledge;
        let matters = |set| knowledge.sets.contains_key(&set) || knowledge.serials.contains_key(&set);
        let news = self.peers.take(body, matters);
        self.give_up_without(index, body);
        let behind = body.sets.iter().filter(|theirs| news.contains(&theirs.set) && self.is_behind(theirs));
        self.tell(behind.map(|theirs| theirs.set).collect::<Vec<_>>());
        self.hurry(ctx, news.into_iter());
        let mut lacks = Lacks::default();
        body.sets.iter().for_each(|theirs| self.compare(theirs, &mut lacks));
        self.show(lacks, out);
    }

    /// Leaves attempts that the member, by what it holds, can't take part in; and those that it had joined and forgot,
    /// for who restarts says what it holds, and has no one-time key any more.
    fn give_up_without(&mut self, index: Index, have: &Have) {
        let theirs: BTreeMap<_, _> = have.sets.iter().map(|set| (set.set, set)).collect();
        self.attempts.retain(|_, attempt| {
            let (awaited, owes) = (attempt.awaits(index), attempt.owes(index));
            !numbers(&attempt.proposal).into_iter().any(|(set, number)| {
                theirs.get(&set).is_some_and(|set| {
                    let signed = set.instances.iter().any(|held| held.number >= number);
                    awaited && (signed || set.serial > number.serial) || owes && !signed
                })
            })
        });
    }

    /// Whether another is further with an instance than this member. What took it there may have been lost on the way, when it
    /// died just after; it shows it again to whoever says that it lacks it.
    fn is_behind(&self, theirs: &HaveSet) -> bool {
        let own = |instance| self.knowledge.known.get(instance).and_then(|known| known.status);
        theirs.instances.iter().any(|held| own(&held.instance).is_some_and(|own| own < held.status))
    }

    /// What a member lacks of a set that this member could show it.
    fn compare(&self, theirs: &HaveSet, lacks: &mut Lacks) {
        let serial = self.knowledge.serial(theirs.set);
        if serial > theirs.serial {
            lacks.orders.insert(serial);
        }
        let Some(knowledge) = self.knowledge.sets.get(&theirs.set) else { return };
        let highest = theirs.instances.iter().map(|held| held.number).max();
        for instance in knowledge.held.values().chain(knowledge.witnessed.values()) {
            let Some(known) = self.knowledge.known.get(instance) else { continue };
            let status =
                theirs.instances.iter().find(|held| held.instance == *instance).map(|held| held.status);
            let behind = status.is_none() && highest < Some(known.number());
            lacks.note(*instance, known, status, behind);
        }
    }

    fn show(&self, lacks: Lacks, out: &mut Vec<Effect>) {
        let orders = lacks.orders.iter().filter_map(|serial| self.knowledge.orders.get(serial));
        out.extend(orders.map(|order| Effect::Post(Message::Order(order.signed().clone()))));
        self.post_certificates(&lacks.certificates, out);
        for (transcript, all) in lacks.flips {
            let flips = self.knowledge.flips.get(&transcript).filter(|_| all);
            let flips = flips.map(|flips| flips.values().cloned().collect());
            let flips = flips.unwrap_or_else(|| alloc::vec![self.own_flip(&transcript)]);
            out.extend(flips.into_iter().map(|flip| Effect::Post(Message::Flip(flip))));
        }
    }

    /// Shows certificates with the signatures known, in messages that the log takes.
    pub(super) fn post_certificates(&self, instances: &[InstanceId], out: &mut Vec<Effect>) {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for certified in instances.iter().filter_map(|instance| self.certified(*instance)) {
            let size = to_canonical(&certified).len();
            if bytes + size > MAX_MESSAGE_BYTES - 16 {
                out.push(Effect::Post(Message::Certificates(core::mem::take(&mut page))));
                bytes = 0;
            }
            bytes += size;
            page.push(certified);
        }
        if !page.is_empty() {
            out.push(Effect::Post(Message::Certificates(page)));
        }
    }

    fn certified(&self, instance: InstanceId) -> Option<Certified> {
        let known = self.knowledge.known.get(&instance)?;
        let origin = self.knowledge.sets.get(&known.certificate.body().set)?.origin.clone();
        Some(Certified { origin, certificate: known.certificate.clone() })
    }

    /// Certificates that somebody shows: signatures that are lacking, predecessors, or that one was rolled back.
    pub(super) fn take_certificates(
        &mut self,
        ctx: &mut Context<'_>,
        certificates: Vec<Certified>,
        out: &mut Vec<Effect>,
    ) {
        let (mut transcripts, mut lost) = (BTreeSet::new(), None);
        for certified in certificates {
            let transcript = Transcript::of(certified.certificate.body());
            lost = self.take_certificate(ctx, certified).or(lost);
            transcripts.insert(transcript);
        }
        out.extend(lost.map(|instance| Effect::Alarm(Alarm::RolledBack(instance))));
        for transcript in transcripts {
            self.progress(ctx, &transcript, out);
            self.is_published(&transcript);
        }
        self.reconsider(ctx, out);
    }

    /// Takes one; returns its name if this member signed it, and neither holds it nor settled anything above.
    fn take_certificate(&mut self, ctx: &mut Context<'_>, certified: Certified) -> Option<InstanceId> {
        let Certified { origin, certificate } = certified;
        let body = certificate.body();
        let (set, instance, number) = (body.set, body.instance(), Number::of(body));
        if self.knowledge.known.contains_key(&instance) {
            self.knowledge.merge(ctx, &certificate);
            return None;
        }
        let settled_above = self
            .knowledge
            .held(set)
            .any(|(_, known)| known.status == Some(Status::Settled) && known.number() > number);
        if settled_above || self.knowledge.destroyed.contains_key(&set) || !self.is_of_interest(body) {
            return None;
        }
        let verified = VerifiedEpochCertificate::verify(certificate, ctx.root).ok()?;
        let mine = verified.certificate().members.contains(&self.me);
        if !mine {
            self.tell([set]); // who left the set waits for the flips before it erases: asks for them
        }
        self.knowledge.witness(verified.signed().clone(), origin);
        mine.then_some(instance)
    }

    /// A set that this member has, had, or is ordered to have.
    fn is_of_interest(&self, certificate: &EpochCertificate) -> bool {
        let serial = self.knowledge.serial(certificate.set);
        let ordered = self.knowledge.terms(certificate.set, serial);
        self.knowledge.sets.contains_key(&certificate.set)
            || certificate.members.contains(&self.me)
            || ordered.is_some_and(|terms| terms.members.contains(&self.me))
    }
}

/// Splits what is said about sets into messages that the log takes.
fn pages(sets: Vec<HaveSet>) -> Vec<Vec<HaveSet>> {
    let (mut pages, mut bytes) = (Vec::new(), usize::MAX);
    for set in sets {
        let size = 64 * (1 + set.instances.len()); // a name of 34 bytes and numbers, for the set and each instance
        if bytes.saturating_add(size) > MAX_MESSAGE_BYTES / 2 {
            pages.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(page) = pages.last_mut() {
            page.push(set);
        }
    }
    pages
}
