//! Whether a member may take part in a proposed ceremony. Asked before it joins, and once more before it signs.

use super::{
    effect::Context,
    knowledge::{Knowledge, Known, Terms},
    message::{Creation, MAX_MEMBERS, MAX_MESSAGE_BYTES, MAX_SETS, Number, Proposal, Status, Step, Work},
};
use alloc::vec::Vec;
use symbolon_fragments::names::{Index, SetId};
use symbolon_trust::{
    CreateError, CreateRequest, EligibleMembers, EpochCertificate, GrantError, MembersError, VerifiedCreate,
    VerifiedGrant, hash,
};

/// A member holds fewer unsettled instances of a set than this under one serial; a newer order makes room.
pub(super) const MAX_UNSETTLED: usize = 16;

/// How far a number may leap, so that nobody can use the numbers up.
pub(super) const MAX_LEAP: u64 = 1 << 20;

/// Bytes that a sealed share takes beside the share itself, and that other fields may take.
const OVERHEAD_BYTES: usize = 2048;

/// Why a member does not take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is about another account.
    #[error("the proposal is another account's")]
    Account,
    /// Lists don't ascend, or contradict each other.
    #[error("the proposal contradicts itself")]
    Form,
    /// Too many sets or members for the log's messages.
    #[error("the proposal is too large")]
    Size,
    /// This member is neither a member nor a dealer.
    #[error("the ceremony is others' affair")]
    NotConcerned,
    /// The members may not form a set.
    #[error("the proposed members may not form a set")]
    Members(#[from] MembersError),
    /// The grant behind a create request is not valid.
    #[error("the grant of a create request is not valid")]
    Grant(#[from] GrantError),
    /// A create request is not valid.
    #[error("a create request is not valid")]
    Create(#[from] CreateError),
    /// The set is of another suite, or was made for another request.
    #[error("the proposal is about another set than {0}")]
    Origin(SetId),
    /// A set was signed for this request before: generate is never retried.
    #[error("a set was made for this create request before")]
    Repeated,
    /// A newer order is known.
    #[error("order {0} is newer")]
    OlderOrder(u64),
    /// Members or `t` are not those of the order, or of the set as it was made.
    #[error("members or threshold of {0} are not what was ordered")]
    Terms(SetId),
    /// Something of that number or above was signed before.
    #[error("the number is not above all that were signed of {0}")]
    Number(SetId),
    /// The predecessor's dealers are others.
    #[error("the dealers of {0} are not the holders of its predecessor")]
    Dealers(SetId),
    /// This member should deal from an instance that it doesn't hold, or whose fragment it can't read.
    #[error("this member doesn't hold the predecessor of {0}")]
    NotHeld(SetId),
    /// Too many instances of the set are unsettled.
    #[error("too many attempts for {0} are unsettled; a newer order makes room")]
    Full(SetId),
    /// The set was destroyed.
    #[error("{0} was destroyed")]
    Destroyed(SetId),
    /// Something is not known yet.
    #[error(transparent)]
    Missing(#[from] Missing),
}

impl Refusal {
    /// Whether races, replays and restarts bring it about without anybody's fault.
    pub(super) const fn is_routine(&self) -> bool {
        match self {
            Self::Repeated
            | Self::OlderOrder(_)
            | Self::Number(_)
            | Self::Destroyed(_)
            | Self::Missing(_) => true,
            Self::Account
            | Self::Form
            | Self::Size
            | Self::NotConcerned
            | Self::Members(_)
            | Self::Grant(_)
            | Self::Create(_)
            | Self::Origin(_)
            | Self::Terms(_)
            | Self::Dealers(_)
            | Self::NotHeld(_)
            | Self::Full(_) => false,
        }
    }
}

/// What a member must learn before it can judge a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Another version of the root document is in force here.
    #[error("the proposal is made under root document {0}")]
    Root(u64),
    /// The order.
    #[error("order {0} is unknown")]
    Order(u64),
    /// The complete certificate of the predecessor.
    #[error("the predecessor of {0} is unknown")]
    Predecessor(SetId),
}

/// What a member needs to know of one set of a proposal that it may take part in.
pub(super) struct Judged {
    /// What the set was, or is to be, made for.
    pub origin: CreateRequest,
    /// The certificate that is dealt from; none in a generate.
    pub predecessor: Option<EpochCertificate>,
}

impl Knowledge {
    /// Judges a proposal before joining, by the durable state and the root document; in the proposal's order of sets.
    pub(super) fn judge(
        &self,
        me: Index,
        ctx: &Context<'_>,
        proposal: &Proposal,
    ) -> Result<Vec<Judged>, Refusal> {
        check_form(ctx, proposal)?;
        if !proposal.participants().contains(&me) {
            return Err(Refusal::NotConcerned);
        }
        check_root(ctx, proposal)?;
        match &proposal.work {
            Work::Generate(creations) => {
                let judge = |creation| self.judge_creation(ctx, proposal, creation);
                creations.iter().map(judge).collect()
            }
            Work::Reshare(steps) => steps.iter().map(|step| self.judge_step(me, proposal, step)).collect(),
        }
    }

    /// What is asked again before signing: nothing newer was ordered, signed or settled since.
    pub(super) fn may_sign(&self, ctx: &Context<'_>, proposal: &Proposal) -> Result<(), Refusal> {
        check_root(ctx, proposal)?;
        match &proposal.work {
            Work::Generate(creations) => creations
                .iter()
                .try_for_each(|creation| self.judge_creation(ctx, proposal, creation).map(|_| ())),
            Work::Reshare(steps) => steps.iter().try_for_each(|step| {
                self.check_newest(proposal, step)?;
                self.check_number(proposal, step, None)
            }),
        }
    }

    fn judge_creation(
        &self,
        ctx: &Context<'_>,
        proposal: &Proposal,
        creation: &Creation,
    ) -> Result<Judged, Refusal> {
        let grant = VerifiedGrant::verify(&creation.grant, ctx.root, ctx.now)?;
        let verified = VerifiedCreate::verify(&creation.request, &grant, ctx.denials, ctx.root, ctx.now)?;
        let request = verified.request();
        let same =
            request.members == proposal.members && request.t == proposal.t && request.suite == proposal.suite;
        if !same || request.set.is_some() {
            return Err(Refusal::Form);
        }
        if self.origins.contains_key(&verified.hash()) {
            return Err(Refusal::Repeated);
        }
        Ok(Judged { origin: request.clone(), predecessor: None })
    }

    /// No newer order names the set, and none destroyed it.
    fn check_newest(&self, proposal: &Proposal, step: &Step) -> Result<(), Refusal> {
        if self.destroyed.contains_key(&step.set) {
            return Err(Refusal::Destroyed(step.set));
        }
        let newest = self.serial(step.set);
        if newest > proposal.serial { Err(Refusal::OlderOrder(newest)) } else { Ok(()) }
    }

    fn judge_step(&self, me: Index, proposal: &Proposal, step: &Step) -> Result<Judged, Refusal> {
        self.check_newest(proposal, step)?;
        let predecessor = self
            .known
            .get(&step.predecessor)
            .filter(|known| known.complete)
            .ok_or(self.unknown(me, step, proposal))?;
        let origin = self.check_origin(proposal, step, predecessor)?;
        let missing = Missing::Order(proposal.serial);
        let terms = self.terms(step.set, proposal.serial).ok_or(missing)?;
        check_terms(proposal, step.set, terms)?;
        self.check_dealers(me, proposal, step, predecessor)?;
        self.check_number(proposal, step, Some(predecessor.number()))?;
        Ok(Judged { origin, predecessor: Some(predecessor.certificate.body().clone()) })
    }

    /// A dealer without the predecessor can do nothing about it; another member can be shown the certificate.
    fn unknown(&self, me: Index, step: &Step, proposal: &Proposal) -> Refusal {
        let highest = self.highest_held(step.set);
        let number = Number { serial: proposal.serial, epoch: step.epoch };
        if highest.is_some_and(|highest| highest >= number) {
            return Refusal::Number(step.set);
        }
        if proposal.dealers.contains(&me) && !self.known.contains_key(&step.predecessor) {
            return Refusal::NotHeld(step.set);
        }
        Missing::Predecessor(step.set).into()
    }

    fn check_origin(
        &self,
        proposal: &Proposal,
        step: &Step,
        predecessor: &Known,
    ) -> Result<CreateRequest, Refusal> {
        let refusal = Refusal::Origin(step.set);
        let origin = &self.sets.get(&step.set).ok_or(refusal.clone())?.origin;
        let body = predecessor.certificate.body();
        let same = body.set == step.set && body.suite == proposal.suite && hash(origin) == step.origin;
        if same && self.is_same_key(body) { Ok(origin.clone()) } else { Err(refusal) }
    }

    fn check_dealers(
        &self,
        me: Index,
        proposal: &Proposal,
        step: &Step,
        predecessor: &Known,
    ) -> Result<(), Refusal> {
        let body = predecessor.certificate.body();
        let dealers = self.dealers(body, proposal.serial).ok_or(Missing::Order(proposal.serial))?;
        if dealers != proposal.dealers || dealers.len() < body.t.into() {
            return Err(Refusal::Dealers(step.set));
        }
        match predecessor.status {
            Some(Status::Signed) => Err(Missing::Predecessor(step.set).into()),
            None if dealers.contains(&me) => Err(Refusal::NotHeld(step.set)),
            _ if dealers.contains(&me) && self.unreadable.contains(&step.predecessor) => {
                Err(Refusal::NotHeld(step.set))
            }
            Some(Status::Flipped | Status::Settled) | None => Ok(()),
        }
    }

    /// It signs upwards only, by leaps that leave numbers for ever, and holds a bounded number of attempts.
    fn check_number(
        &self,
        proposal: &Proposal,
        step: &Step,
        predecessor: Option<Number>,
    ) -> Result<(), Refusal> {
        let number = Number { serial: proposal.serial, epoch: step.epoch };
        let highest = self.highest_held(step.set).max(predecessor);
        let base =
            highest.filter(|highest| highest.serial == number.serial).map_or(0, |highest| highest.epoch);
        if highest >= Some(number) || step.epoch > base.saturating_add(MAX_LEAP) {
            return Err(Refusal::Number(step.set));
        }
        let unsettled =
            |known: &Known| known.status != Some(Status::Settled) && known.number().serial == number.serial;
        if self.held(step.set).filter(|(_, known)| unsettled(known)).count() >= MAX_UNSETTLED {
            return Err(Refusal::Full(step.set));
        }
        Ok(())
    }
}

fn check_root(ctx: &Context<'_>, proposal: &Proposal) -> Result<(), Refusal> {
    if proposal.root_version != ctx.root.document().version {
        return Err(Missing::Root(proposal.root_version).into());
    }
    EligibleMembers::check(ctx.root, &proposal.members, proposal.t)?;
    Ok(())
}

fn check_form(ctx: &Context<'_>, proposal: &Proposal) -> Result<(), Refusal> {
    if proposal.account != ctx.root.account() {
        return Err(Refusal::Account);
    }
    if !fits(proposal) {
        return Err(Refusal::Size);
    }
    let ascending = match &proposal.work {
        Work::Generate(_) => proposal.serial == 0 && proposal.dealers == proposal.members,
        Work::Reshare(steps) => steps.is_sorted_by(|a, b| a.set < b.set),
    };
    if ascending && proposal.dealers.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Refusal::Form) }
}

/// Whether every message of the ceremony stays below the log's limit.
fn fits(proposal: &Proposal) -> bool {
    let (sets, t, members) = (proposal.sets(), usize::from(proposal.t), proposal.members.len());
    let few = members <= MAX_MEMBERS && proposal.dealers.len() <= MAX_MEMBERS && t <= members;
    few && (1..=max_sets(t, members)).contains(&sets)
}

/// How many sets of this shape one ceremony can carry.
pub(super) fn max_sets(t: usize, members: usize) -> usize {
    let commit = 33 * t + 65; // an element a coefficient, and a proof of possession
    let deal = 32 * members;
    let room = MAX_MESSAGE_BYTES - OVERHEAD_BYTES * (members + 1);
    (room / commit.max(deal)).min(MAX_SETS)
}

fn check_terms(proposal: &Proposal, set: SetId, terms: Terms<'_>) -> Result<(), Refusal> {
    if proposal.members == terms.members && proposal.t == terms.t { Ok(()) } else { Err(Refusal::Terms(set)) }
}
