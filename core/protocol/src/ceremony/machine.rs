//! One member's side of all ceremonies of one account.

use super::{
    attempt::{Attempt, Contribution, Failure, Progress},
    effect::{Alarm, Context, Effect, Event, Loading, NewInstance, Record, Saved},
    exchange::Peers,
    initiative::Initiative,
    judge::{Judged, Refusal},
    knowledge::Knowledge,
    message::{MAX_MESSAGE_BYTES, Message, Number, Proposal, Signatures, Status, Transcript, Work},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index, InstanceId, SetId};
use symbolon_trust::{
    CeremonyKind, Document, EpochCertificate, KeyPair, Order, Signed, TrustedRoot, VerifiedOrder,
};

/// An attempt that did not get on for so long is left. Nothing durable depends on it.
pub(super) const ATTEMPT_SECS: u64 = 60;

/// Attempts that a member takes part in at the same time.
const MAX_JOINED: usize = 64;

/// Proposals that wait for something to be learnt: anybody can write them, so there are few.
const MAX_WAITING: usize = 16;

/// The machine. `handle` is synchronous and total; see [`Effect`] for what its caller owes it.
pub struct Machine {
    pub(super) me: Index,
    pub(super) account: AccountId,
    pub(super) key: Arc<KeyPair>,
    pub(super) knowledge: Knowledge,
    pub(super) attempts: BTreeMap<[u8; 32], Attempt>,
    /// Instances whose fragments are being read back.
    pub(super) loading: BTreeMap<Transcript, Vec<InstanceId>>,
    pub(super) peers: Peers,
    pub(super) initiative: Initiative,
}

/// How a member stands to one instance of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The set.
    pub set: SetId,
    /// The instance.
    pub instance: InstanceId,
    /// Its number.
    pub number: Number,
    /// How far the member is with it.
    pub status: Status,
}

impl Machine {
    /// The machine of member `me`, whose identity is `key`, with the state that it had stored. [`Event::Start`] is due
    /// next.
    pub fn new(account: AccountId, me: Index, key: Arc<KeyPair>, saved: Saved) -> Self {
        Self {
            me,
            account,
            key,
            knowledge: Knowledge::restore(saved),
            attempts: BTreeMap::new(),
            loading: BTreeMap::new(),
            peers: Peers::default(),
            initiative: Initiative::default(),
        }
    }

    /// Takes one event, says what is to be done.
    pub fn handle(&mut self, ctx: &mut Context<'_>, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Start => self.start(ctx, &mut out),
            Event::Message(bytes) => {
                if bytes.len() <= MAX_MESSAGE_BYTES
                    && let Ok(message) = Message::from_bytes(&bytes)
                {
                    self.message(ctx, message, &mut out);
                }
            }
            Event::Order(order) => self.learn(ctx, order, &mut out),
            Event::Loaded { purpose: Loading::Dealing(proposal), fragments } => {
                self.loaded_to_deal(ctx, &proposal, fragments, &mut out);
            }
            Event::Loaded { purpose: Loading::Flip(transcript), fragments } => {
                self.flip(ctx, &transcript, &fragments, &mut out);
            }
            Event::Refresh(sets) => self.want(ctx, &sets),
            Event::Destroy(due) => self.destroy(&due, &mut out),
            Event::Tick => self.tick(ctx, &mut out),
        }
        out
    }

    /// Every instance held, by set and number.
    pub fn standing(&self) -> impl Iterator<Item = Standing> + '_ {
        let of_set = |set: &SetId| {
            let set = *set;
            self.knowledge.held(set).filter_map(move |(instance, known)| {
                Some(Standing { set, instance, number: known.number(), status: known.status? })
            })
        };
        self.knowledge.sets.keys().flat_map(of_set)
    }

    /// The newest order that this member knows for a set; 0 if none names it.
    pub fn serial(&self, set: SetId) -> u64 {
        self.knowledge.serial(set)
    }

    /// Whether an attempt is under way.
    pub fn is_busy(&self) -> bool {
        !self.attempts.is_empty()
    }

    fn message(&mut self, ctx: &mut Context<'_>, message: Message, out: &mut Vec<Effect>) {
        match message {
            Message::Proposal(proposal) => self.consider(ctx, proposal, out),
            Message::Join(join) => self.step(ctx, &join, out),
            Message::Commit(commit) => self.step(ctx, &commit, out),
            Message::Deal(deal) => self.step(ctx, &deal, out),
            Message::Signatures(signatures) => self.take_signatures(ctx, signatures, out),
            Message::Flip(flip) => self.take_flip(ctx, flip, out),
            Message::Have(have) => self.take_have(ctx, &have, out),
            Message::Certificates(certificates) => self.take_certificates(ctx, certificates, out),
            Message::Order(order) => self.take_order(ctx, order, out),
            Message::Refresh(sets) => self.want(ctx, &sets),
            Message::Erasure(_) => {} // for the access manager and the owner
        }
    }

    /// Takes another participant's message into the attempt that it belongs to, and lets that get on. One's own, and one that is
    /// known, say nothing new: they are not verified, so that a relay that repeats them costs next to nothing.
    fn step<C: Contribution>(&mut self, ctx: &mut Context<'_>, signed: &Signed<C>, out: &mut Vec<Effect>) {
        let (proposal, index) = signed.body().of();
        let Some(attempt) = self.attempts.get_mut(&proposal) else { return };
        let idle =
            index == self.me || attempt.account() != ctx.root.account() || attempt.knows(signed.body());
        if idle || !signed_by(ctx, index, signed) {
            return;
        }
        match signed.body().take_into(attempt) {
            Ok(()) => self.run(ctx, proposal, out),
            Err(failure) => self.leave(ctx, proposal, failure, out),
        }
    }

    fn take_order(&mut self, ctx: &mut Context<'_>, order: Signed<Order>, out: &mut Vec<Effect>) {
        if !self.knowledge.knows_order(order.body().serial)
            && let Ok(order) = VerifiedOrder::verify(order, ctx.root, ctx.now)
        {
            self.learn(ctx, order, out);
        }
    }

    /// R0: looks at a proposal, and joins, waits for what is missing, or says what it holds.
    fn consider(&mut self, ctx: &mut Context<'_>, proposal: Proposal, out: &mut Vec<Effect>) {
        let hash = proposal.hash();
        if self.attempts.contains_key(&hash) || self.is_under_way(&proposal) {
            return;
        }
        match self.knowledge.judge(self.me, ctx, &proposal) {
            Ok(_) if self.attempts.values().filter(|attempt| attempt.joined()).count() >= MAX_JOINED => {}
            Ok(judged) => self.join(ctx, Attempt::new(self.me, proposal, ctx.now.time()), judged, out),
            Err(Refusal::Missing(_)) => {
                self.tell(proposal_sets(&proposal));
                self.wait_with(Attempt::new(self.me, proposal, ctx.now.time()));
            }
            Err(Refusal::NotConcerned | Refusal::Account) => {}
            Err(refusal) => {
                self.tell(proposal_sets(&proposal));
                if !refusal.is_routine() {
                    out.push(Effect::Alarm(Alarm::Refused(refusal)));
                }
            }
        }
    }

    /// Whether one of the proposal's sets is in an attempt with this number or a higher one.
    fn is_under_way(&self, proposal: &Proposal) -> bool {
        let numbers = numbers(proposal);
        self.overlapping(&numbers).any(|(_, old, new)| old >= new)
    }

    /// Attempts on sets of these, with their numbers and the sets' new ones.
    fn overlapping(
        &self,
        sets: &BTreeMap<SetId, Number>,
    ) -> impl Iterator<Item = ([u8; 32], Number, Number)> + use<'_> {
        let sets = sets.clone();
        self.attempts.iter().flat_map(move |(hash, attempt)| {
            let shared = |(set, old): (SetId, Number)| Some((*hash, old, *sets.get(&set)?));
            numbers(&attempt.proposal).into_iter().filter_map(shared).collect::<Vec<_>>()
        })
    }

    fn join(
        &mut self,
        ctx: &mut Context<'_>,
        mut attempt: Attempt,
        judged: Vec<Judged>,
        out: &mut Vec<Effect>,
    ) {
        let lower: BTreeSet<_> =
            self.overlapping(&numbers(&attempt.proposal)).map(|(hash, ..)| hash).collect();
        self.attempts.retain(|hash, _| !lower.contains(hash) || *hash == attempt.hash);
        let hash = attempt.hash;
        out.push(Effect::Post(Message::Join(self.signed(attempt.join(ctx, judged)))));
        self.postpone(ctx, &attempt.proposal);
        self.peers.said_enough(proposal_sets(&attempt.proposal));
        if let (true, Work::Reshare(steps)) = (attempt.deals(), &attempt.proposal.work) {
            let instances = steps.iter().map(|step| step.predecessor).collect();
            out.push(Effect::Load { purpose: Loading::Dealing(hash), instances });
        }
        self.attempts.insert(hash, attempt);
        self.run(ctx, hash, out);
    }

    /// Keeps a proposal until what it takes is known; the oldest one makes room.
    fn wait_with(&mut self, attempt: Attempt) {
        let waiting = self.attempts.values().filter(|other| !other.joined());
        let oldest = waiting.clone().min_by_key(|other| other.since).map(|other| other.hash);
        if waiting.count() >= MAX_WAITING
            && let Some(oldest) = oldest
        {
            self.attempts.remove(&oldest);
        }
        self.attempts.insert(attempt.hash, attempt);
    }

    /// Something was learnt: attempts that waited for it may be joined now.
    pub(super) fn reconsider(&mut self, ctx: &mut Context<'_>, out: &mut Vec<Effect>) {
        let waiting: Vec<_> =
            self.attempts.values().filter(|attempt| !attempt.joined()).map(|attempt| attempt.hash).collect();
        for hash in waiting {
            let Some(attempt) = self.attempts.remove(&hash) else { continue };
            match self.knowledge.judge(self.me, ctx, &attempt.proposal) {
                Ok(judged) if !self.is_under_way(&attempt.proposal) => self.join(ctx, attempt, judged, out),
                Err(Refusal::Missing(_)) => self.wait_with(attempt),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Fragments to be dealt were read: they must be those of the predecessors. Those that are not can't be dealt: from now on
    /// this member says that it doesn't hold them, so that the next ceremony goes on without their sets.
    fn loaded_to_deal(
        &mut self,
        ctx: &mut Context<'_>,
        proposal: &[u8; 32],
        fragments: Vec<Option<super::FragmentBytes>>,
        out: &mut Vec<Effect>,
    ) {
        let Some(attempt) = self.attempts.get_mut(proposal) else { return };
        let Work::Reshare(steps) = &attempt.proposal.work else { return };
        let instances: Vec<_> = steps.iter().map(|step| step.predecessor).collect();
        let unreadable = self.knowledge.unreadable_among(self.me, ctx, &instances, &fragments);
        if unreadable.is_empty() {
            attempt.load(fragments.into_iter().flatten().collect());
            return self.run(ctx, *proposal, out);
        }
        let steps = steps.iter().filter(|step| unreadable.contains(&step.predecessor));
        let sets: Vec<_> = steps.map(|step| step.set).collect();
        self.attempts.remove(proposal);
        self.tell(sets);
        out.extend(unreadable.iter().map(|instance| Effect::Alarm(Alarm::FragmentUnreadable(*instance))));
        self.knowledge.unreadable.extend(unreadable);
    }

    /// R1, R2, signing: whatever the attempt allows now.
    fn run(&mut self, ctx: &mut Context<'_>, hash: [u8; 32], out: &mut Vec<Effect>) {
        while let Some(attempt) = self.attempts.get_mut(&hash) {
            let progress = match attempt.advance(ctx) {
                Ok(Some(progress)) => progress,
                Ok(None) => return,
                Err(failure) => return self.leave(ctx, hash, failure, out),
            };
            match progress {
                Progress::Commit(commit) => out.push(Effect::Post(Message::Commit(self.signed(commit)))),
                Progress::Deal(deal) => out.push(Effect::Post(Message::Deal(self.signed(deal)))),
                Progress::Ready(transcript) => return self.sign(ctx, hash, transcript, out),
            }
        }
    }

    fn leave(&mut self, ctx: &Context<'_>, hash: [u8; 32], failure: Failure, out: &mut Vec<Effect>) {
        if let Some(attempt) = self.attempts.remove(&hash) {
            self.postpone(ctx, &attempt.proposal);
        }
        if let Failure::Alarm(alarm) = failure {
            out.push(Effect::Alarm(alarm));
        }
    }

    /// Verifies everything; stores fragments and certificates; erases the one-time key; only then sends signatures.
    fn sign(&mut self, ctx: &mut Context<'_>, hash: [u8; 32], transcript: Transcript, out: &mut Vec<Effect>) {
        let Some(attempt) = self.attempts.remove(&hash) else { return };
        self.postpone(ctx, &attempt.proposal);
        if self.knowledge.may_sign(ctx, &attempt.proposal).is_err() {
            return self.tell(proposal_sets(&attempt.proposal));
        }
        match self.new_instances(ctx, &attempt, &transcript) {
            Ok(instances) => {
                let early = attempt.early.clone();
                drop(attempt); // and with it the one-time key
                self.persist(Record::Signed(instances), out);
                out.push(Effect::Post(self.own_signatures(&transcript)));
                for signatures in early.into_values() {
                    self.take_signatures(ctx, signatures, out);
                }
                self.progress(ctx, &transcript, out);
            }
            Err(Failure::Alarm(alarm)) => out.push(Effect::Alarm(alarm)),
            Err(Failure::Vain) => {}
        }
    }

    fn new_instances(
        &self,
        ctx: &mut Context<'_>,
        attempt: &Attempt,
        transcript: &Transcript,
    ) -> Result<Vec<NewInstance>, Failure> {
        let sums = attempt.tally(ctx, transcript)?;
        let names = names(&attempt.proposal, transcript);
        let mut new = Vec::with_capacity(sums.len());
        for ((sum, name), judged) in sums.into_iter().zip(names).zip(&attempt.judged) {
            let body = certificate(&attempt.proposal, transcript, &name, sum.commitment);
            let certificate = Signed::by(body, [self.key.as_ref()]);
            new.push(NewInstance { certificate, fragment: sum.fragment, origin: judged.origin.clone() });
        }
        Ok(new)
    }

    fn own_signatures(&self, transcript: &Transcript) -> Message {
        let key = self.key.public();
        let mut signatures = Vec::new();
        for instance in self.knowledge.of_transcript(transcript) {
            let known = self.knowledge.known.get(&instance);
            let own = known.and_then(|known| known.certificate.signature_of(&key));
            signatures.extend_from_slice(own.map_or(&[0; 64], |signature| signature.as_bytes()));
        }
        let (account, transcript) = (self.account, *transcript);
        Message::Signatures(Signatures { account, transcript, index: self.me, signatures })
    }

    /// A newer order is stored, and ends attempts under older ones.
    fn learn(&mut self, ctx: &mut Context<'_>, order: VerifiedOrder, out: &mut Vec<Effect>) {
        if self.knowledge.knows_order(order.order().serial) {
            return;
        }
        self.persist(Record::Order(order), out);
        let knowledge = &self.knowledge;
        self.attempts.retain(|_, attempt| {
            let overruled = |set| knowledge.serial(set) > attempt.proposal.serial;
            !proposal_sets(&attempt.proposal).any(overruled)
        });
        self.settle_all(out);
        self.want_ordered(ctx);
        self.reconsider(ctx, out);
    }

    /// Leaves attempts that don't get on; says what it holds where that is due; proposes what is wanted.
    fn tick(&mut self, ctx: &mut Context<'_>, out: &mut Vec<Effect>) {
        let now = ctx.now.time();
        self.attempts.retain(|_, attempt| now <= attempt.since + ATTEMPT_SECS);
        self.post_have(ctx, out);
        self.publish(ctx, out);
        self.propose(ctx, out);
    }

    /// Knows it and has it stored, in one.
    pub(super) fn persist(&mut self, record: Record, out: &mut Vec<Effect>) {
        self.knowledge.apply(&record);
        out.push(Effect::Persist(record));
    }

    pub(super) fn erase(&mut self, instances: Vec<InstanceId>, out: &mut Vec<Effect>) {
        if !instances.is_empty() {
            for instance in &instances {
                self.knowledge.forget(*instance);
            }
            out.push(Effect::Erase(instances));
        }
    }

    pub(super) fn signed<B: Document>(&self, body: B) -> Signed<B> {
        Signed::by(body, [self.key.as_ref()])
    }
}

/// Whether the roster's member of that index signed.
pub(super) fn signed_by<B: Document>(ctx: &Context<'_>, index: Index, signed: &Signed<B>) -> bool {
    signed_by_key(ctx.root, index, signed)
}

pub(super) fn signed_by_key<B: Document>(root: &TrustedRoot, index: Index, signed: &Signed<B>) -> bool {
    root.member(index).is_ok_and(|member| signed.check([&member.key], 1).is_ok())
}

/// The existing sets that a proposal is about.
pub(super) fn proposal_sets(proposal: &Proposal) -> impl Iterator<Item = SetId> + '_ {
    numbers(proposal).into_keys()
}

/// The existing sets that a proposal is about, and their new numbers.
pub(super) fn numbers(proposal: &Proposal) -> BTreeMap<SetId, Number> {
    match &proposal.work {
        Work::Generate(_) => BTreeMap::new(),
        Work::Reshare(steps) => steps
            .iter()
            .map(|step| (step.set, Number { serial: proposal.serial, epoch: step.epoch }))
            .collect(),
    }
}

/// Set, epoch and predecessor of a new instance.
struct Name {
    set: SetId,
    epoch: u64,
    predecessor: Option<InstanceId>,
}

fn names(proposal: &Proposal, transcript: &Transcript) -> Vec<Name> {
    let generated = |index: u64| {
        let set = Tuple::new("set").bytes(&transcript.ceremony).uint(index).sha256().into();
        Name { set, epoch: 1, predecessor: None }
    };
    match &proposal.work {
        Work::Generate(creations) => (0..creations.len() as u64).map(generated).collect(),
        Work::Reshare(steps) => steps
            .iter()
            .map(|step| Name { set: step.set, epoch: step.epoch, predecessor: Some(step.predecessor) })
            .collect(),
    }
}

fn certificate(
    proposal: &Proposal,
    transcript: &Transcript,
    name: &Name,
    commitment: Vec<Vec<u8>>,
) -> EpochCertificate {
    EpochCertificate {
        account: proposal.account,
        set: name.set,
        suite: proposal.suite,
        kind: if name.predecessor.is_some() { CeremonyKind::Reshare } else { CeremonyKind::Generate },
        serial: proposal.serial,
        epoch: name.epoch,
        predecessor: name.predecessor,
        t: proposal.t,
        members: proposal.members.clone(),
        dealers: proposal.dealers.clone(),
        ceremony: transcript.ceremony,
        h1: transcript.h1,
        h2: transcript.h2,
        root_version: proposal.root_version,
        y: commitment.first().cloned().unwrap_or_default(),
        commitment: commitment.into_iter().map(Into::into).collect(),
    }
}
