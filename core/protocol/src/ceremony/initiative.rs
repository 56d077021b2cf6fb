//! Who proposes what, and when: refreshes that are due, orders that are not carried out yet, attempts that failed.
//!
//! Anybody may propose at any time, so nothing here matters to safety. Members take turns by rank, so that usually the
//! first dealer alone proposes; a failed attempt is tried again with a higher number, ever more rarely.

use super::{
    effect::{Context, Effect},
    judge::{MAX_LEAP, max_sets},
    knowledge::Known,
    machine::{ATTEMPT_SECS, Machine, numbers},
    message::{Message, Number, Proposal, Status, Step, Transcript, Work},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_fragments::{
    SuiteId,
    names::{Index, InstanceId, SetId},
};
use symbolon_trust::{Seconds, hash};

/// How long a member waits for each one before it in rank.
const TURN_SECS: u64 = 5;

/// Doublings of the pause between attempts: from one minute to about an hour.
const MAX_DOUBLINGS: u32 = 6;

/// What a member means to bring about. In memory only.
#[derive(Debug, Default)]
pub(super) struct Initiative {
    wants: BTreeMap<SetId, Want>,
    /// The highest number that an attempt was made at: a retry takes a higher one.
    tried: BTreeMap<SetId, Number>,
    /// Complete certificates that nobody has posted yet, and when it is this member's turn.
    unpublished: BTreeMap<Transcript, Seconds>,
}

#[derive(Clone, Copy, Debug)]
struct Want {
    /// Satisfied by a settled instance above it, or by any under a newer serial.
    above: Number,
    due: Seconds,
    tries: u32,
}

/// How one set could go on.
struct Plan {
    group: Group,
    step: Step,
}

/// What sets must have in common to be moved in one ceremony.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    serial: u64,
    suite: SuiteId,
    t: u16,
    members: Vec<Index>,
    dealers: Vec<Index>,
}

impl Machine {
    /// These sets, or all if none is named, are to have a new epoch.
    pub(super) fn want(&mut self, ctx: &Context<'_>, sets: &[SetId]) {
        let all: Vec<SetId> =
            if sets.is_empty() { self.knowledge.sets.keys().copied().collect() } else { sets.into() };
        for set in all {
            self.want_set(ctx, set);
        }
    }

    /// Sets of which a newer order is known than they were moved under.
    pub(super) fn want_ordered(&mut self, ctx: &Context<'_>) {
        let behind = |set: &&SetId| {
            let newest = self.knowledge.held(**set).rev().find(|(_, known)| known.served());
            newest.is_some_and(|(_, known)| known.number().serial < self.knowledge.serial(**set))
        };
        let sets: Vec<_> = self.knowledge.serials.keys().filter(behind).copied().collect();
        for set in sets {
            self.want_set(ctx, set);
        }
    }

    /// Wants a set to have a new epoch, soon: whoever asks again after failures does so for a reason.
    fn want_set(&mut self, ctx: &Context<'_>, set: SetId) {
        let newest = self.knowledge.held(set).rev().find(|(_, known)| known.served());
        let Some((_, newest)) = newest else { return };
        let above = newest.number();
        let busy = self.attempts.values().any(|attempt| numbers(&attempt.proposal).contains_key(&set));
        let due = ctx.now.time() + self.turn(set);
        let want = self.initiative.wants.entry(set).or_insert(Want { above, due, tries: 0 });
        if !busy {
            want.due = due.min(want.due);
            want.tries = 0;
        }
    }

    /// How long to wait for the dealers before this one.
    fn turn(&self, set: SetId) -> u64 {
        let rank =
            self.plan(set).and_then(|plan| plan.group.dealers.iter().position(|index| *index == self.me));
        TURN_SECS * rank.unwrap_or(0) as u64
    }

    /// An attempt is under way, or has failed: the next one is not due for a while.
    pub(super) fn postpone(&mut self, ctx: &Context<'_>, proposal: &Proposal) {
        for (set, number) in numbers(proposal) {
            let turn = self.turn(set);
            let tried = self.initiative.tried.entry(set).or_insert(number);
            *tried = number.max(*tried);
            if let Some(want) = self.initiative.wants.get_mut(&set) {
                want.due = ctx.now.time() + (ATTEMPT_SECS << want.tries) + turn;
            }
        }
    }

    /// Somebody said what it holds of these sets: an attempt that could not succeed may be tried otherwise at once.
    pub(super) fn hurry(&mut self, ctx: &Context<'_>, sets: impl Iterator<Item = SetId>) {
        let busy: BTreeSet<_> =
            self.attempts.values().flat_map(|attempt| numbers(&attempt.proposal).into_keys()).collect();
        for set in sets.filter(|set| !busy.contains(set)) {
            let soon = ctx.now.time() + 1 + self.turn(set);
            if let Some(want) = self.initiative.wants.get_mut(&set) {
                want.due = want.due.min(soon);
            }
        }
    }

    /// Proposes what is wanted and due, as few ceremonies as carry it.
    pub(super) fn propose(&mut self, ctx: &Context<'_>, out: &mut Vec<Effect>) {
        self.drop_satisfied();
        let now = ctx.now.time();
        let due: Vec<_> =
            self.initiative.wants.iter().filter(|(_, want)| want.due <= now).map(|(set, _)| *set).collect();
        let mut groups: BTreeMap<Group, Vec<Step>> = BTreeMap::new();
        for set in due {
            if let Some(want) = self.initiative.wants.get_mut(&set) {
                want.due = now + (ATTEMPT_SECS << want.tries);
                want.tries = (want.tries + 1).min(MAX_DOUBLINGS);
            }
            if let Some(Plan { group, step }) = self.plan(set) {
                groups.entry(group).or_default().push(step);
            }
        }
        for (group, steps) in groups {
            self.propose_group(ctx, &group, &steps, out);
        }
    }

    fn propose_group(&mut self, ctx: &Context<'_>, group: &Group, steps: &[Step], out: &mut Vec<Effect>) {
        if let Some(order) = self.knowledge.orders.get(&group.serial) {
            out.push(Effect::Post(Message::Order(order.signed().clone())));
        }
        for steps in steps.chunks(max_sets(group.t.into(), group.members.len()).max(1)) {
            if !group.members.iter().all(|index| group.dealers.contains(index)) {
                let predecessors: Vec<_> = steps.iter().map(|step| step.predecessor).collect();
                self.post_certificates(&predecessors, out);
            }
            let proposal = Proposal {
                account: self.account,
                serial: group.serial,
                root_version: ctx.root.document().version,
                suite: group.suite,
                t: group.t,
                members: group.members.clone(),
                dealers: group.dealers.clone(),
                work: Work::Reshare(steps.to_vec()),
            };
            self.postpone(ctx, &proposal);
            out.push(Effect::Post(Message::Proposal(proposal)));
        }
    }

    fn drop_satisfied(&mut self) {
        let knowledge = &self.knowledge;
        self.initiative.wants.retain(|set, want| {
            let serial = knowledge.serial(*set);
            let done = |known: &Known| {
                known.status == Some(Status::Settled)
                    && known.number() > want.above
                    && known.number().serial == serial
            };
            let mut held = knowledge.held(*set).peekable();
            held.peek().is_some() && !held.any(|(_, known)| done(known))
        });
    }

    /// From the newest instance that all its dealers hold, as far as this member knows, to the least number that nobody
    /// is known to have signed.
    fn plan(&self, set: SetId) -> Option<Plan> {
        if self.knowledge.destroyed.contains_key(&set) {
            return None;
        }
        let serial = self.knowledge.serial(set);
        let terms = self.knowledge.terms(set, serial)?;
        let (predecessor, known, dealers) =
            self.knowledge.held(set).rev().find_map(|(instance, known)| {
                let body = known.certificate.body();
                let dealers = self.knowledge.dealers(body, serial)?;
                let fit = known.served()
                    && dealers.len() >= body.t.into()
                    && dealers.contains(&self.me)
                    && dealers.iter().all(|index| self.may_hold(*index, set, instance));
                fit.then_some((instance, known, dealers))
            })?;
        let origin = &self.knowledge.sets.get(&set)?.origin;
        let group = Group {
            serial,
            suite: known.certificate.body().suite,
            t: terms.t,
            members: terms.members.to_vec(),
            dealers,
        };
        let epoch = self.next_epoch(set, serial);
        Some(Plan { group, step: Step { set, epoch, predecessor, origin: hash(origin) } })
    }

    /// Whether a member holds an instance, as far as is known: if it said what it holds, it said so.
    fn may_hold(&self, index: Index, set: SetId, instance: InstanceId) -> bool {
        let lists = |instances: &[super::message::HaveInstance]| {
            instances.iter().any(|held| held.instance == instance)
        };
        if index == self.me {
            return !self.knowledge.unreadable.contains(&instance);
        }
        self.peers.said(index, set).is_none_or(|said| lists(&said.instances))
    }

    /// One above everything that was signed or tried under the serial, as far as is known. Who claims an absurd number is
    /// not believed.
    fn next_epoch(&self, set: SetId, serial: u64) -> u64 {
        let of_serial = |number: Number| (number.serial == serial).then_some(number.epoch);
        let held =
            self.knowledge.held(set).filter_map(|(_, known)| of_serial(known.number())).max().unwrap_or(0);
        let said = self.members_ever(set).into_iter().filter_map(|index| self.peers.said(index, set));
        let said = said.flat_map(|said| said.instances.iter().filter_map(|held| of_serial(held.number)));
        let tried = self.initiative.tried.get(&set).copied();
        let all = said.chain(tried.and_then(of_serial));
        1 + all.filter(|epoch| *epoch < held.saturating_add(MAX_LEAP)).max().unwrap_or(0).max(held)
    }

    fn members_ever(&self, set: SetId) -> BTreeSet<Index> {
        let serial = self.knowledge.serial(set);
        let now = self.knowledge.terms(set, serial).map(|terms| terms.members.to_vec()).unwrap_or_default();
        self.knowledge
            .held(set)
            .flat_map(|(_, known)| known.certificate.body().members.clone())
            .chain(now)
            .collect()
    }

    /// The complete certificates of a ceremony should stand in the log once; members take turns to post them.
    pub(super) fn plan_publication(&mut self, ctx: &Context<'_>, transcript: &Transcript) {
        let instances = self.knowledge.of_transcript(transcript);
        let members = self.knowledge.members_of(&instances).unwrap_or_default();
        let rank = members.iter().position(|index| *index == self.me).unwrap_or(0);
        self.initiative.unpublished.insert(*transcript, ctx.now.time() + TURN_SECS * rank as u64);
    }

    pub(super) fn is_published(&mut self, transcript: &Transcript) {
        self.initiative.unpublished.remove(transcript);
    }

    pub(super) fn publish(&mut self, ctx: &Context<'_>, out: &mut Vec<Effect>) {
        let now = ctx.now.time();
        let due: Vec<_> =
            self.initiative.unpublished.iter().filter(|(_, due)| **due <= now).map(|(t, _)| *t).collect();
        for transcript in due {
            self.initiative.unpublished.remove(&transcript);
            self.post_certificates(&self.knowledge.of_transcript(&transcript), out);
        }
    }
}
