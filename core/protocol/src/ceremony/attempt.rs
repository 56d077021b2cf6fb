//! One attempt at a ceremony, from the proposal to the dealings: all of it in memory. A crash leaves it; nothing of it is
//! durable before the member signs.

use super::{
    Alarm, FragmentBytes,
    dealing::{Deal as DealJob, Dealing, Source},
    effect::Context,
    judge::Judged,
    message::{Commit, Deal, Join, Proposal, SealedShares, Signatures, Transcript, Work},
    tally::{BadDealing, Constants, DealingFault, Dealt, Sum, Tally, TallyError},
};
use crate::hpke::{ENCAPSULATED_BYTES, PUBLIC_KEY_BYTES, ReceiverKey, seal};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index};
use symbolon_trust::{Document, Seconds};
use zeroize::Zeroizing;

/// An attempt as one member sees it.
pub(super) struct Attempt {
    pub proposal: Proposal,
    pub hash: [u8; 32],
    /// When it last got on.
    pub since: Seconds,
    /// What was found when the member joined, in the proposal's order of sets; empty before.
    pub judged: Vec<Judged>,
    /// Signatures that came before this member's own.
    pub early: BTreeMap<Index, Signatures>,
    me: Index,
    participants: Vec<Index>,
    /// One-time: present once the member has joined, gone before it signs. A kept one would open the whole log.
    key: Option<ReceiverKey>,
    joins: BTreeMap<Index, Join>,
    /// The fragments that this member deals in a reshare, once they are read.
    fragments: Option<Vec<FragmentBytes>>,
    dealing: Option<Dealing>,
    commits: BTreeMap<Index, Commit>,
    deals: BTreeMap<Index, Deal>,
    stage: Stage,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Joins are awaited.
    Joining,
    /// All joined; this member's commitments are not made yet, if it deals.
    Joined { ceremony: [u8; 32] },
    /// This member committed, or doesn't deal; commitments are awaited.
    Committed { ceremony: [u8; 32] },
    /// All committed; this member dealt, or doesn't deal; dealings are awaited.
    Dealt { ceremony: [u8; 32], h1: [u8; 32] },
}

/// What comes out of an attempt when it gets on.
pub(super) enum Progress {
    /// This member commits.
    Commit(Commit),
    /// This member deals.
    Deal(Deal),
    /// Everything was dealt: the member can verify and sign.
    Ready(Transcript),
}

/// Why an attempt is left.
pub(super) enum Failure {
    Alarm(Alarm),
    /// It can't succeed, and nobody is to blame.
    Vain,
}

impl Attempt {
    pub(super) fn new(me: Index, proposal: Proposal, since: Seconds) -> Self {
        Self {
            hash: proposal.hash(),
            participants: proposal.participants(),
            proposal,
            since,
            judged: Vec::new(),
            early: BTreeMap::new(),
            me,
            key: None,
            joins: BTreeMap::new(),
            fragments: None,
            dealing: None,
            commits: BTreeMap::new(),
            deals: BTreeMap::new(),
            stage: Stage::Joining,
        }
    }

    pub(super) const fn joined(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn deals(&self) -> bool {
        self.proposal.dealers.contains(&self.me)
    }

    fn is_member(&self) -> bool {
        self.proposal.members.contains(&self.me)
    }

    /// The ceremony's name, once all have joined.
    pub(super) const fn ceremony(&self) -> Option<[u8; 32]> {
        match self.stage {
            Stage::Joining => None,
            Stage::Joined { ceremony } | Stage::Committed { ceremony } | Stage::Dealt { ceremony, .. } => {
                Some(ceremony)
            }
        }
    }

    /// Whether a participant has not joined yet.
    pub(super) fn awaits(&self, index: Index) -> bool {
        self.participants.contains(&index) && !self.joins.contains_key(&index)
    }

    /// Whether a participant has joined and has still to deal or to sign.
    pub(super) fn owes(&self, index: Index) -> bool {
        let signs = self.proposal.members.contains(&index) && !self.early.contains_key(&index);
        let deals = self.proposal.dealers.contains(&index) && !self.deals.contains_key(&index);
        index != self.me && self.joins.contains_key(&index) && (signs || deals)
    }

    /// R0: takes part, with a fresh nonce and a fresh one-time key.
    pub(super) fn join(&mut self, ctx: &mut Context<'_>, judged: Vec<Judged>) -> Join {
        self.judged = judged;
        let key = ReceiverKey::generate(ctx.rng);
        let mut nonce = [0; 32];
        ctx.rng.fill_bytes(&mut nonce);
        let join = Join {
            account: self.proposal.account,
            proposal: self.hash,
            index: self.me,
            nonce,
            key: key.public().to_vec(),
        };
        self.key = Some(key);
        self.joins.insert(self.me, join.clone());
        join
    }

    /// Whether this very message was taken before.
    pub(super) fn knows<C: Contribution>(&self, contribution: &C) -> bool {
        C::taken(self).get(&contribution.of().1) == Some(contribution)
    }

    /// Takes another's join. A second one that differs comes of a restart: the first one's key is gone.
    fn take_join(&mut self, join: &Join) -> Result<(), Failure> {
        if join.key.len() != PUBLIC_KEY_BYTES || !self.participants.contains(&join.index) {
            return Ok(());
        }
        let first = self.joins.entry(join.index).or_insert_with(|| join.clone());
        if first == join { Ok(()) } else { Err(Failure::Vain) }
    }

    /// Takes another dealer's commitments. Two in one ceremony are one too many.
    fn take_commit(&mut self, commit: &Commit) -> Result<(), Failure> {
        if !self.proposal.dealers.contains(&commit.index) {
            return Ok(());
        }
        let first = self.commits.entry(commit.index).or_insert_with(|| commit.clone());
        same(first == commit, first.ceremony == commit.ceremony, commit.index)
    }

    /// Takes another dealer's sealed shares. Two for the same commitments are one too many.
    fn take_deal(&mut self, deal: &Deal) -> Result<(), Failure> {
        if !self.proposal.dealers.contains(&deal.index) {
            return Ok(());
        }
        let first = self.deals.entry(deal.index).or_insert_with(|| deal.clone());
        let related = (first.ceremony, first.h1) == (deal.ceremony, deal.h1);
        same(first == deal, related, deal.index)
    }

    /// The fragments to be dealt were read and belong to the predecessors.
    pub(super) fn load(&mut self, fragments: Vec<FragmentBytes>) {
        self.fragments = Some(fragments);
    }

    /// The next step that everything taken so far allows, if there is one.
    pub(super) fn advance(&mut self, ctx: &mut Context<'_>) -> Result<Option<Progress>, Failure> {
        let progress = match self.stage {
            Stage::Joining => return self.all_joined(ctx),
            Stage::Joined { ceremony } => self.commit(ctx, ceremony)?,
            Stage::Committed { ceremony } => self.deal(ctx, ceremony)?,
            Stage::Dealt { ceremony, h1 } => self.all_dealt(ceremony, h1)?,
        };
        if progress.is_some() {
            self.since = ctx.now.time();
        }
        Ok(progress)
    }

    fn all_joined(&mut self, ctx: &mut Context<'_>) -> Result<Option<Progress>, Failure> {
        if !self.joined() || self.joins.len() < self.participants.len() {
            return Ok(None);
        }
        let joins = Tuple::new("ceremony").bytes(&self.hash);
        let ceremony = self.joins.values().fold(joins, Tuple::value).sha256();
        self.stage = Stage::Joined { ceremony };
        self.since = ctx.now.time();
        self.advance(ctx)
    }

    /// R1. Without its fragments a dealer waits.
    fn commit(&mut self, ctx: &mut Context<'_>, ceremony: [u8; 32]) -> Result<Option<Progress>, Failure> {
        if !self.deals() {
            self.stage = Stage::Committed { ceremony };
            return self.advance(ctx);
        }
        let source = match (&self.proposal.work, &self.fragments) {
            (Work::Generate(creations), _) => Source::Random { sets: creations.len(), ceremony: &ceremony },
            (Work::Reshare(_), Some(fragments)) => Source::Fragments(fragments),
            (Work::Reshare(_), None) => return Ok(None),
        };
        let job = DealJob {
            suite: self.proposal.suite,
            dealer: self.me,
            receivers: &self.proposal.members,
            t: self.proposal.t,
            source,
        };
        let mut dealing = job.run(ctx.rng).ok_or(Failure::Vain)?;
        let commit = Commit {
            account: self.proposal.account,
            proposal: self.hash,
            ceremony,
            index: self.me,
            commitments: core::mem::take(&mut dealing.commitments),
            proofs: core::mem::take(&mut dealing.proofs),
        };
        self.fragments = None;
        self.dealing = Some(dealing);
        self.commits.insert(self.me, commit.clone());
        self.stage = Stage::Committed { ceremony };
        Ok(Some(Progress::Commit(commit)))
    }

    /// R2, once all have committed.
    fn deal(&mut self, ctx: &mut Context<'_>, ceremony: [u8; 32]) -> Result<Option<Progress>, Failure> {
        if let Some(other) = self.commits.values().find(|commit| commit.ceremony != ceremony) {
            return Err(Failure::Alarm(Alarm::Disagreement(other.index)));
        }
        if self.commits.len() < self.proposal.dealers.len() {
            return Ok(None);
        }
        let tuple = Tuple::new("commitments").bytes(&ceremony);
        let h1 = self.commits.values().fold(tuple, Tuple::value).sha256();
        self.stage = Stage::Dealt { ceremony, h1 };
        if !self.deals() {
            return self.advance(ctx);
        }
        let deal = self.seal_shares(ctx, ceremony, h1)?;
        self.deals.insert(self.me, deal.clone());
        Ok(Some(Progress::Deal(deal)))
    }

    fn seal_shares(&self, ctx: &mut Context<'_>, ceremony: [u8; 32], h1: [u8; 32]) -> Result<Deal, Failure> {
        let dealing = self.dealing.as_ref().ok_or(Failure::Vain)?;
        let mut shares = Vec::new();
        for (receiver, plain) in dealing.shares.iter().filter(|(receiver, _)| **receiver != self.me) {
            let info = deal_info(&ceremony, &h1, self.me, *receiver);
            let key = self.joins.get(receiver).map_or(&[][..], |join| &join.key);
            // A key that is none was sent by its owner, who is the one that gets nothing.
            let (encapsulated, sealed) = seal(key, &info, plain, ctx.rng).unwrap_or_default();
            shares.push(SealedShares { receiver: *receiver, encapsulated, sealed });
        }
        Ok(Deal { account: self.proposal.account, proposal: self.hash, ceremony, h1, index: self.me, shares })
    }

    fn all_dealt(&mut self, ceremony: [u8; 32], h1: [u8; 32]) -> Result<Option<Progress>, Failure> {
        let differs = |deal: &&Deal| deal.ceremony != ceremony || deal.h1 != h1;
        if let Some(other) = self.deals.values().find(differs) {
            return Err(Failure::Alarm(Alarm::Disagreement(other.index)));
        }
        if !self.is_member() || self.deals.len() < self.proposal.dealers.len() {
            return Ok(None);
        }
        let tuple = Tuple::new("dealings").bytes(&ceremony).bytes(&h1);
        let h2 = self.deals.values().fold(tuple, Tuple::value).sha256();
        Ok(Some(Progress::Ready(Transcript { ceremony, h1, h2 })))
    }

    /// Opens this member's shares, verifies every dealing and adds them up.
    pub(super) fn tally(&self, ctx: &mut Context<'_>, transcript: &Transcript) -> Result<Vec<Sum>, Failure> {
        let opened = self.open_all(transcript).map_err(|bad| Failure::Alarm(bad.into()))?;
        let dealt: Vec<_> = self
            .commits
            .values()
            .zip(&opened)
            .map(|(commit, shares)| Dealt {
                dealer: commit.index,
                commitments: &commit.commitments,
                proofs: &commit.proofs,
                shares,
            })
            .collect();
        let predecessors = self.judged.iter().filter_map(|judged| judged.predecessor.as_ref());
        let commitments: Vec<Vec<&[u8]>> =
            predecessors.map(|p| p.commitment.iter().map(|bytes| bytes.as_slice()).collect()).collect();
        let commitments: Vec<&[&[u8]]> = commitments.iter().map(Vec::as_slice).collect();
        let constants = match &self.proposal.work {
            Work::Generate(_) => Constants::Proven { ceremony: &transcript.ceremony },
            Work::Reshare(_) => Constants::Predecessors(&commitments),
        };
        let tally = Tally {
            suite: self.proposal.suite,
            me: self.me,
            t: self.proposal.t,
            sets: self.proposal.sets(),
            constants,
            dealt: &dealt,
        };
        tally.run(ctx.rng).map_err(|error| match error {
            TallyError::Bad(bad) => Failure::Alarm(bad.into()),
            TallyError::Identity => Failure::Vain,
        })
    }

    fn open_all(&self, transcript: &Transcript) -> Result<Vec<Zeroizing<Vec<u8>>>, BadDealing> {
        let open =
            |deal| self.open(transcript, deal).map_err(|fault| BadDealing { dealer: deal.index, fault });
        self.deals.values().map(open).collect()
    }

    /// This member's shares in a dealing, if the dealing is addressed to exactly the members.
    fn open(&self, transcript: &Transcript, deal: &Deal) -> Result<Zeroizing<Vec<u8>>, DealingFault> {
        let receivers = self.proposal.members.iter().filter(|index| **index != deal.index);
        if !receivers.eq(deal.shares.iter().map(|shares| &shares.receiver)) {
            return Err(DealingFault::Receivers);
        }
        if deal.index == self.me {
            let own = self.dealing.as_ref().and_then(|dealing| dealing.shares.get(&self.me));
            return own.cloned().ok_or(DealingFault::Receivers);
        }
        let shares =
            deal.shares.iter().find(|shares| shares.receiver == self.me).ok_or(DealingFault::Receivers)?;
        if shares.encapsulated.len() != ENCAPSULATED_BYTES {
            return Err(DealingFault::Sealed);
        }
        let info = deal_info(&transcript.ceremony, &transcript.h1, deal.index, self.me);
        let key = self.key.as_ref().ok_or(DealingFault::Sealed)?;
        key.open(&info, &shares.encapsulated, &shares.sealed).ok_or(DealingFault::Sealed)
    }

    /// The account.
    pub(super) const fn account(&self) -> AccountId {
        self.proposal.account
    }
}

/// A participant's message to an attempt.
pub(super) trait Contribution: Document + PartialEq + Sized {
    /// The proposal, and who sent it.
    fn of(&self) -> ([u8; 32], Index);
    /// Those that were taken.
    fn taken(attempt: &Attempt) -> &BTreeMap<Index, Self>;
    /// Takes this one.
    fn take_into(&self, attempt: &mut Attempt) -> Result<(), Failure>;
}

impl Contribution for Join {
    fn of(&self) -> ([u8; 32], Index) {
        (self.proposal, self.index)
    }

    fn taken(attempt: &Attempt) -> &BTreeMap<Index, Self> {
        &attempt.joins
    }

    fn take_into(&self, attempt: &mut Attempt) -> Result<(), Failure> {
        attempt.take_join(self)
    }
}

impl Contribution for Commit {
    fn of(&self) -> ([u8; 32], Index) {
        (self.proposal, self.index)
    }

    fn taken(attempt: &Attempt) -> &BTreeMap<Index, Self> {
        &attempt.commits
    }

    fn take_into(&self, attempt: &mut Attempt) -> Result<(), Failure> {
        attempt.take_commit(self)
    }
}

impl Contribution for Deal {
    fn of(&self) -> ([u8; 32], Index) {
        (self.proposal, self.index)
    }

    fn taken(attempt: &Attempt) -> &BTreeMap<Index, Self> {
        &attempt.deals
    }

    fn take_into(&self, attempt: &mut Attempt) -> Result<(), Failure> {
        attempt.take_deal(self)
    }
}

/// What binds sealed shares to ceremony, commitments, dealer and receiver.
fn deal_info(ceremony: &[u8; 32], h1: &[u8; 32], dealer: Index, receiver: Index) -> Vec<u8> {
    let tuple = Tuple::new("deal").bytes(ceremony).bytes(h1);
    tuple.uint(dealer.get().into()).uint(receiver.get().into()).encode()
}

/// A second message of a sender must be the first one again. If they are not even about the same ceremony, the sender
/// restarted in between, which is no lie, but the attempt is in vain.
const fn same(equal: bool, related: bool, sender: Index) -> Result<(), Failure> {
    match (equal, related) {
        (true, _) => Ok(()),
        (false, true) => Err(Failure::Alarm(Alarm::Equivocation(sender))),
        (false, false) => Err(Failure::Vain),
    }
}
