//! From signatures to settling: the part of a ceremony that is durable (specification §5.4).

use super::{
    FragmentBytes,
    effect::{Alarm, Context, Effect, Loading, Record},
    knowledge::Knowledge,
    machine::{Machine, signed_by},
    message::{Erasure, Flip, Message, Signatures, Status, Transcript},
    tally::Possession,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_fragments::names::{Index, InstanceId};
use symbolon_trust::{DueDestruction, EpochCertificate, PublicKey, Signature, Signed, verify};

impl Machine {
    /// Goes on from what was stored: erases what a crash left, sends what was stored and perhaps not sent.
    pub(super) fn start(&mut self, ctx: &mut Context<'_>, out: &mut Vec<Effect>) {
        self.erase(self.knowledge.leftovers(), out);
        let transcripts: Vec<_> = self.knowledge.transcripts.keys().copied().collect();
        for transcript in transcripts {
            self.repost(&transcript, out);
            self.progress(ctx, &transcript, out);
        }
        self.tell(self.knowledge.sets.keys().copied().collect::<Vec<_>>());
        self.want_ordered(ctx);
        self.post_have(ctx, out);
    }

    /// Stored but not sent is the same as sent and lost: sends signatures and flips once more. One's own flip is not stored before
    /// all others' are; it follows from what is, and counts again.
    fn repost(&mut self, transcript: &Transcript, out: &mut Vec<Effect>) {
        let instances = self.knowledge.of_transcript(transcript);
        let any = |status| instances.iter().any(|id| self.knowledge.known[id].status == Some(status));
        if any(Status::Signed) {
            self.post_certificates(&instances, out);
        }
        if any(Status::Flipped) && self.all_served(&instances) {
            let flip = self.own_flip(transcript);
            out.push(Effect::Post(Message::Flip(flip.clone())));
            self.knowledge.add_flip(flip);
        }
    }

    /// A member's signatures on a ceremony's certificates. They count together or not at all.
    pub(super) fn take_signatures(
        &mut self,
        ctx: &mut Context<'_>,
        signatures: Signatures,
        out: &mut Vec<Effect>,
    ) {
        let (transcript, index) = (signatures.transcript, signatures.index);
        if signatures.account != self.account || index == self.me {
            return;
        }
        let instances = self.knowledge.of_transcript(&transcript);
        if instances.is_empty() {
            return self.keep_early(signatures, out);
        }
        let Some(split) = split(&signatures.signatures, instances.len()) else { return };
        let Ok(member) = ctx.root.member(index) else { return };
        let wrong = |(instance, signature): (&InstanceId, &Signature)| {
            !self.knowledge.known[instance].is_signed_by(index, &member.key, signature)
        };
        if instances.iter().zip(&split).any(wrong) {
            return out.push(Effect::Alarm(Alarm::Disagreement(index)));
        }
        for (instance, signature) in instances.iter().zip(split) {
            self.knowledge.add_signature(*instance, member.key, signature);
        }
        self.outdated(index, &transcript);
        self.progress(ctx, &transcript, out);
    }

    /// Signatures of a faster member wait for one's own; those on another transcript of the same ceremony are news.
    fn keep_early(&mut self, signatures: Signatures, out: &mut Vec<Effect>) {
        let (transcript, index) = (signatures.transcript, signatures.index);
        let same = |other: &&Transcript| other.ceremony == transcript.ceremony;
        if self.knowledge.transcripts.keys().any(|other| same(&other)) {
            return out.push(Effect::Alarm(Alarm::Disagreement(index)));
        }
        let attempt =
            self.attempts.values_mut().find(|attempt| attempt.ceremony() == Some(transcript.ceremony));
        if let Some(attempt) = attempt.filter(|attempt| attempt.proposal.members.contains(&index)) {
            attempt.early.insert(index, signatures);
        }
    }

    /// Does with a transcript's instances whatever their signatures and flips allow now.
    pub(super) fn progress(&mut self, ctx: &mut Context<'_>, transcript: &Transcript, out: &mut Vec<Effect>) {
        let instances = self.knowledge.of_transcript(transcript);
        let ready: Vec<_> =
            instances.iter().copied().filter(|id| self.knowledge.complete(ctx, *id)).collect();
        let unread = |id: &InstanceId| self.knowledge.known[id].status == Some(Status::Signed);
        let unread: Vec<_> = ready.into_iter().filter(unread).collect();
        if !unread.is_empty() && !self.loading.contains_key(transcript) {
            self.loading.insert(*transcript, unread.clone());
            out.push(Effect::Load { purpose: Loading::Flip(*transcript), instances: unread });
        }
        self.settle(transcript, out);
    }

    /// The certificates are complete and the fragments were read back from disk: stores that, and says so.
    pub(super) fn flip(
        &mut self,
        ctx: &mut Context<'_>,
        transcript: &Transcript,
        fragments: &[Option<FragmentBytes>],
        out: &mut Vec<Effect>,
    ) {
        let Some(instances) = self.loading.remove(transcript) else { return };
        if !instances.iter().all(|id| self.knowledge.known.contains_key(id)) {
            return self.progress(ctx, transcript, out); // something above has settled meanwhile
        }
        let unreadable = self.knowledge.unreadable_among(self.me, ctx, &instances, fragments);
        if !unreadable.is_empty() {
            return out.extend(unreadable.into_iter().map(Alarm::FragmentUnreadable).map(Effect::Alarm));
        }
        let certificates = instances.iter().map(|id| self.knowledge.known[id].certificate.clone()).collect();
        self.persist(Record::Flipped(certificates), out);
        let all = self.knowledge.of_transcript(transcript);
        if self.all_served(&all) {
            let flip = self.own_flip(transcript);
            out.push(Effect::Post(Message::Flip(flip.clone())));
            self.knowledge.add_flip(flip);
            self.plan_publication(ctx, transcript);
        }
        self.settle(transcript, out);
    }

    fn all_served(&self, instances: &[InstanceId]) -> bool {
        instances.iter().all(|id| self.knowledge.known[id].status != Some(Status::Signed))
    }

    pub(super) fn own_flip(&self, transcript: &Transcript) -> Signed<Flip> {
        self.signed(Flip { account: self.account, index: self.me, transcript: *transcript })
    }

    pub(super) fn take_flip(&mut self, ctx: &mut Context<'_>, flip: Signed<Flip>, out: &mut Vec<Effect>) {
        let Flip { account, index, transcript } = *flip.body();
        let known = self.knowledge.flips.get(&transcript).is_some_and(|flips| flips.contains_key(&index));
        if account != self.account || known || index == self.me || !signed_by(ctx, index, &flip) {
            return;
        }
        self.knowledge.add_flip(flip);
        self.outdated(index, &transcript);
        self.settle(&transcript, out);
    }

    /// A member went on: what it said about these sets before is outdated.
    fn outdated(&mut self, index: Index, transcript: &Transcript) {
        if let Some(sets) = self.knowledge.transcripts.get(transcript) {
            self.peers.forget(index, sets.keys().copied());
        }
    }

    /// All members' flips are stored: now, and only now, everything below is erased. A member of the instances does so
    /// only if it holds them; one that is no member, if the owner ordered them.
    pub(super) fn settle(&mut self, transcript: &Transcript, out: &mut Vec<Effect>) {
        let mut instances = self.knowledge.of_transcript(transcript);
        instances.retain(|id| self.knowledge.all_flips(*id).is_some());
        let status = |id: &InstanceId| self.knowledge.known[id].status;
        let settled: Vec<_> =
            instances.iter().copied().filter(|id| status(id) == Some(Status::Flipped)).collect();
        let flips = settled.first().and_then(|id| self.knowledge.all_flips(*id));
        if let Some(flips) = flips {
            let flips = flips.into_iter().cloned().collect();
            self.persist(Record::Settled { instances: settled.clone(), flips }, out);
        }
        let others_affair = |id: &InstanceId| {
            let (known, me) = (&self.knowledge.known[id], self.me);
            let body = known.certificate.body();
            known.complete
                && known.status.is_none()
                && !body.members.contains(&me)
                && self.knowledge.is_ordered(body)
        };
        let below: Vec<_> = settled
            .iter()
            .chain(instances.iter().filter(|id| others_affair(id)))
            .flat_map(|id| {
                let known = &self.knowledge.known[id];
                self.knowledge.held_below(known.certificate.body().set, known.number())
            })
            .collect();
        self.erase(below, out);
    }

    /// An order that was not known before may be what others' instances were waited for with.
    pub(super) fn settle_all(&mut self, out: &mut Vec<Effect>) {
        let transcripts: Vec<_> = self.knowledge.transcripts.keys().copied().collect();
        for transcript in transcripts {
            self.settle(&transcript, out);
        }
    }

    /// The owner's waiting period is over: erases the sets of that key version for good, and says so, signed.
    pub(super) fn destroy(&mut self, due: &DueDestruction, out: &mut Vec<Effect>) {
        for set in self.knowledge.dedicated(due.key(), due.version()) {
            if self.knowledge.destroyed.contains_key(&set) {
                continue;
            }
            self.persist(Record::Destroyed { set, serial: due.serial() }, out);
            self.attempts
                .retain(|_, attempt| !super::machine::proposal_sets(&attempt.proposal).any(|s| s == set));
            let held: Vec<_> = self.knowledge.held(set).map(|(instance, _)| instance).collect();
            self.erase(held, out);
            let erasure = Erasure { account: self.account, index: self.me, set, serial: due.serial() };
            out.push(Effect::Post(Message::Erasure(self.signed(erasure))));
        }
    }
}

impl Knowledge {
    /// Whether the certificate has the signatures of all its members; each was verified when it was taken.
    pub(super) fn complete(&mut self, ctx: &Context<'_>, instance: InstanceId) -> bool {
        let Some(known) = self.known.get_mut(&instance) else { return false };
        known.complete = known.complete || known.is_signed_by_all(ctx);
        known.complete
    }

    pub(super) fn add_signature(&mut self, instance: InstanceId, key: PublicKey, signature: Signature) {
        if let Some(known) = self.known.get_mut(&instance).filter(|known| !known.complete) {
            known.certificate.add(key, signature);
        }
    }

    /// The members of a transcript's instances, who are the same for all of them.
    pub(super) fn members_of(&self, instances: &[InstanceId]) -> Option<Vec<Index>> {
        Some(self.known.get(instances.first()?)?.certificate.body().members.clone())
    }

    /// Those of these instances whose fragment is absent, or isn't this member's.
    pub(super) fn unreadable_among(
        &self,
        me: Index,
        ctx: &mut Context<'_>,
        instances: &[InstanceId],
        fragments: &[Option<FragmentBytes>],
    ) -> BTreeSet<InstanceId> {
        let mut unreadable: BTreeSet<_> = instances.iter().copied().collect();
        let mut held: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (instance, fragment) in instances.iter().zip(fragments) {
            if let (Some(fragment), Some(known)) = (fragment, self.known.get(instance)) {
                let certificate = known.certificate.body();
                held.entry(certificate.suite).or_default().push((fragment, certificate));
                unreadable.remove(instance);
            }
        }
        for (suite, mut held) in held {
            while let Err(wrong) = (Possession { suite, me, held: &held }).check(ctx.rng) {
                unreadable.insert(held.remove(wrong).1.instance());
            }
        }
        unreadable
    }
}

impl super::knowledge::Known {
    fn is_signed_by_all(&self, ctx: &Context<'_>) -> bool {
        let signed = |index: &Index| {
            ctx.root.member(*index).is_ok_and(|member| self.certificate.signature_of(&member.key).is_some())
        };
        self.certificate.body().members.iter().all(signed)
    }

    /// Whether this is the member's signature on the certificate. One that is known already needs no verification.
    fn is_signed_by(&self, index: Index, key: &PublicKey, signature: &Signature) -> bool {
        let body = self.certificate.body();
        let known = self.certificate.signature_of(key) == Some(signature);
        body.members.contains(&index) && (known || verify(key, body, signature).is_ok())
    }
}

fn split(bytes: &[u8], count: usize) -> Option<Vec<Signature>> {
    if bytes.len() != count * 64 {
        return None;
    }
    bytes.chunks_exact(64).map(|bytes| Some(Signature::from_bytes(bytes.try_into().ok()?))).collect()
}

/// Used where a certificate is only known with somebody's signatures.
pub(super) fn signatures_by<'a>(
    ctx: &'a Context<'_>,
    certificate: &'a Signed<EpochCertificate>,
) -> impl Iterator<Item = (Index, PublicKey, Signature)> + 'a {
    certificate.body().members.iter().filter_map(move |index| {
        let key = ctx.root.member(*index).ok()?.key;
        Some((*index, key, *certificate.signature_of(&key)?))
    })
}

/// Verifies and merges the signatures that somebody else knows.
impl Knowledge {
    pub(super) fn merge(&mut self, ctx: &Context<'_>, certificate: &Signed<EpochCertificate>) {
        let instance = certificate.body().instance();
        let Some(known) = self.known.get(&instance).filter(|known| !known.complete) else { return };
        let right: Vec<_> = signatures_by(ctx, certificate)
            .filter(|(index, key, signature)| known.is_signed_by(*index, key, signature))
            .collect();
        for (_, key, signature) in right {
            self.add_signature(instance, key, signature);
        }
    }
}
