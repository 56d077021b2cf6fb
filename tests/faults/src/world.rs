//! Everything there is in a schedule: members with their disks and machines, the relay's log, the clock, the owner.

use crate::{
    account::{Account, START, account, index},
    check::{Facts, Violation},
    disk::Disk,
    liar::Liar,
    schedule::Rule,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use symbolon_fragments::names::{Index, SetId};
use symbolon_protocol::ceremony::{
    Alarm, Context, Effect, Event, Loading, Machine, Message, Number, Record, Status,
};
use symbolon_trust::{Denials, HighWaterMark, Now, Seconds, VerifiedOrder};

/// A message in the relay's hands, and the members to whom it was made out.
pub struct Posted {
    /// The message.
    pub bytes: Vec<u8>,
    /// One bit a member.
    pub audience: u8,
    /// What kind of message it is: one bit.
    pub kind: u16,
}

impl Posted {
    fn new(message: &Message, audience: u8) -> Self {
        Self { bytes: message.to_bytes(), audience, kind: kind(message) }
    }
}

/// One bit for each kind of message, as its number in the encoding.
pub const fn kind(message: &Message) -> u16 {
    1 << match message {
        Message::Proposal(_) => 1,
        Message::Join(_) => 2,
        Message::Commit(_) => 3,
        Message::Deal(_) => 4,
        Message::Signatures(_) => 5,
        Message::Flip(_) => 6,
        Message::Have(_) => 7,
        Message::Certificates(_) => 8,
        Message::Order(_) => 9,
        Message::Refresh(_) => 10,
        Message::Erasure(_) => 11,
    }
}

/// A member: what survives a crash, and what doesn't.
pub struct Node {
    /// Its index.
    pub index: Index,
    /// Its disk.
    pub disk: Disk,
    /// Its machine, while it is up.
    pub machine: Option<Machine>,
    /// The next entry of the log that it hasn't seen.
    pub next: usize,
    /// A backup of its disk.
    pub backup: Option<Disk>,
    /// Per set, the highest fragment that it lost after having said that it held it, until it settled something newer.
    pub lost: BTreeMap<SetId, Number>,
    /// Kinds of messages that the relay doesn't show it for now.
    pub withheld: u16,
    mark: HighWaterMark,
}

/// The world of one schedule.
pub struct World {
    /// The account.
    pub account: &'static Account,
    /// All members of the roster.
    pub nodes: Vec<Node>,
    /// All that was ever sent.
    pub log: Vec<Posted>,
    /// The time.
    pub clock: u64,
    /// Randomness of everybody and everything.
    pub rng: ChaCha8Rng,
    /// What is true, whoever knows it.
    pub facts: Facts,
    /// Whether orders may change the members: all of the roster take part.
    pub changes: bool,
    /// The generator as it was when a member made a one-time key, from which a test makes that key again.
    pub joins: Vec<(Index, ChaCha8Rng)>,
    /// The member whose disk was replaced.
    pub rolled_back: Option<usize>,
    /// The member that lies.
    pub liar: Option<Liar>,
    /// A rule that this world breaks.
    pub rule: Option<Rule>,
    /// What members told their operators.
    pub alarms: Vec<(Index, Alarm)>,
    /// The owner's orders, from serial 1.
    pub orders: Vec<VerifiedOrder>,
    /// Kill the member that acts next after so many effects.
    pub fuse: Option<usize>,
    /// Persists done so far, for tests that stop at each.
    pub persists: usize,
}

impl World {
    /// A world of members with these disks.
    pub fn new(seed: u64, disks: Vec<Disk>, facts: Facts) -> Self {
        let account = account();
        let nodes = disks.into_iter().zip(1..).map(|(disk, number)| Node {
            index: index(number),
            disk,
            machine: None,
            next: 0,
            backup: None,
            lost: BTreeMap::new(),
            withheld: 0,
            mark: HighWaterMark::new(Seconds(START)),
        });
        Self {
            account,
            nodes: nodes.collect(),
            log: Vec::new(),
            clock: START + 10,
            rng: ChaCha8Rng::seed_from_u64(seed),
            facts,
            joins: Vec::new(),
            changes: false,
            rolled_back: None,
            liar: None,
            rule: None,
            alarms: Vec::new(),
            orders: Vec::new(),
            fuse: None,
            persists: 0,
        }
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.next_u64() % (bound.max(1) as u64)).unwrap_or(0)
    }

    /// True with this many per cent.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Whether a member lies.
    pub fn lies(&self, index: Index) -> bool {
        self.liar.as_ref().is_some_and(|liar| liar.index == index)
    }

    /// A reading of the world's clock.
    ///
    /// # Panics
    /// Never: the world's clock goes forward.
    pub fn now(&self) -> Now {
        HighWaterMark::new(Seconds(START)).observe(Seconds(self.clock)).expect("the clock goes forward")
    }

    /// Starts a member from its disk.
    pub fn start(&mut self, at: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[at];
        let mut saved = node.disk.saved();
        if self.rule == Some(Rule::SignTwice) {
            saved.instances.retain(|instance| instance.status > Status::Signed);
        }
        let key = Arc::clone(&self.account.members[at]);
        node.machine = Some(Machine::new(self.account.id(), node.index, key, saved));
        self.handle(at, Event::Start)
    }

    /// Kills a member: what was in memory is gone.
    pub fn crash(&mut self, at: usize) {
        self.nodes[at].machine = None;
        if self.rule == Some(Rule::Unsynced) {
            self.nodes[at].disk.instances.retain(|_, stored| stored.status == Status::Settled);
        }
    }

    /// Puts an older disk into a member's machine.
    pub fn replace_disk(&mut self, at: usize, disk: Disk) -> Result<(), Violation> {
        self.crash(at);
        let node = &mut self.nodes[at];
        for (instance, stored) in &node.disk.instances {
            let number = Number::of(stored.certificate.body());
            if stored.status >= Status::Flipped && !disk.instances.contains_key(instance) {
                let lost = node.lost.entry(stored.certificate.body().set).or_insert(number);
                *lost = number.max(*lost);
            }
        }
        node.disk = disk;
        self.check()
    }

    /// Shows a member an entry of the log, if it is made out to it.
    pub fn deliver(&mut self, at: usize, entry: usize) -> Result<(), Violation> {
        let posted = &self.log[entry];
        if posted.audience & (1 << at) == 0 || posted.kind & self.nodes[at].withheld != 0 {
            return Ok(());
        }
        let bytes = posted.bytes.clone();
        self.handle(at, Event::Message(bytes))
    }

    /// Shows a member everything that it hasn't been shown, in order.
    pub fn catch_up(&mut self, at: usize) -> Result<(), Violation> {
        while self.nodes[at].machine.is_some() && self.nodes[at].next < self.log.len() {
            let entry = self.nodes[at].next;
            self.nodes[at].next += 1;
            self.deliver(at, entry)?;
        }
        Ok(())
    }

    /// Lets a member's machine handle an event and what follows from it, such as fragments that were read, and does what it says.
    pub fn handle(&mut self, at: usize, event: Event) -> Result<(), Violation> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let effects = self.step(at, event);
            let cut = self.fuse.map_or(effects.len(), |fuse| fuse.min(effects.len()));
            let dies = self.fuse.is_some_and(|fuse| fuse <= effects.len());
            self.fuse = self.fuse.filter(|_| !dies).map(|fuse| fuse - cut);
            for effect in effects.into_iter().take(cut) {
                events.extend(self.perform(at, effect)?);
            }
            if dies {
                self.crash(at);
                return Ok(());
            }
        }
        self.fuse = None;
        Ok(())
    }

    fn step(&mut self, at: usize, event: Event) -> Vec<Effect> {
        let node = &mut self.nodes[at];
        let Ok(now) = node.mark.observe(Seconds(self.clock)) else { return Vec::new() };
        let Some(machine) = &mut node.machine else { return Vec::new() };
        let (denials, before) = (Denials::default(), self.rng.clone());
        let mut ctx = Context { rng: &mut self.rng, now, root: &self.account.root, denials: &denials };
        let effects = machine.handle(&mut ctx, event);
        if effects.iter().any(|effect| matches!(effect, Effect::Post(Message::Join(_)))) {
            self.joins.push((node.index, before));
        }
        effects
    }

    fn perform(&mut self, at: usize, effect: Effect) -> Result<Option<Event>, Violation> {
        match effect {
            Effect::Persist(record) => self.persist(at, record).map(|()| None),
            Effect::Post(message) => {
                self.post(at, message);
                Ok(None)
            }
            Effect::Erase(instances) => {
                for instance in &instances {
                    self.check_erasure(at, *instance)?;
                }
                let keep = |id: &_| {
                    let stored = self.nodes[at].disk.instances.get(id);
                    stored.is_some_and(|stored| stored.status == Status::Signed)
                };
                let kept = self.rule == Some(Rule::KeepFailed);
                let erased: Vec<_> = instances.into_iter().filter(|id| !kept || !keep(id)).collect();
                self.nodes[at].disk.erase(&erased);
                self.check().map(|()| None)
            }
            Effect::Load { purpose, instances } => Ok(Some(self.load(at, purpose, &instances))),
            Effect::Alarm(alarm) => {
                let index = self.nodes[at].index;
                self.check_alarm(index, &alarm)?;
                self.alarms.push((index, alarm));
                Ok(None)
            }
        }
    }

    fn load(
        &self,
        at: usize,
        purpose: Loading,
        instances: &[symbolon_fragments::names::InstanceId],
    ) -> Event {
        let fragments = instances.iter().map(|instance| self.nodes[at].disk.fragment(*instance)).collect();
        Event::Loaded { purpose, fragments }
    }

    fn persist(&mut self, at: usize, record: Record) -> Result<(), Violation> {
        self.persists += 1;
        let index = self.nodes[at].index;
        self.facts.note(index, &record);
        let flipped: Vec<_> = match &record {
            Record::Flipped(certificates) => certificates.iter().map(|c| c.body().clone()).collect(),
            _ => Vec::new(),
        };
        if let Record::Settled { instances, .. } = &record {
            let numbers = instances.iter().filter_map(|id| self.facts.certificates.get(id));
            for (set, number) in numbers.map(|c| (c.set, Number::of(c))) {
                self.nodes[at].lost.retain(|lost_set, lost| *lost_set != set || *lost >= number);
            }
        }
        self.nodes[at].disk.store(record);
        for certificate in flipped {
            if self.rule == Some(Rule::NoFlips) {
                self.erase_below(at, &certificate)?;
            }
            self.check_opens(&certificate)?;
        }
        self.check()
    }

    fn erase_below(
        &mut self,
        at: usize,
        certificate: &symbolon_trust::EpochCertificate,
    ) -> Result<(), Violation> {
        let below = |stored: &crate::disk::Stored| {
            let body = stored.certificate.body();
            body.set == certificate.set && body.number() < certificate.number()
        };
        let disk = &self.nodes[at].disk;
        let below: Vec<_> =
            disk.instances.iter().filter(|(_, stored)| below(stored)).map(|(id, _)| *id).collect();
        below.iter().try_for_each(|instance| self.check_erasure(at, *instance))?;
        self.nodes[at].disk.erase(&below);
        Ok(())
    }

    /// A member sends; a liar sends what it likes.
    fn post(&mut self, at: usize, message: Message) {
        if self.lies(self.nodes[at].index)
            && let Some(mut liar) = self.liar.take()
        {
            let lies = liar.twist(self, message);
            self.log.extend(lies.iter().map(|(message, audience)| Posted::new(message, *audience)));
            self.liar = Some(liar);
            return;
        }
        self.log.push(Posted::new(&message, u8::MAX));
    }

    /// Puts a message into the log from outside.
    pub fn announce(&mut self, message: &Message) {
        self.log.push(Posted::new(message, u8::MAX));
    }

    /// What a person needs to see where a schedule got stuck.
    pub fn describe(&self) -> String {
        let mut lines: Vec<String> = self.nodes.iter().map(Node::describe).collect();
        lines.extend(
            self.orders
                .iter()
                .map(|order| format!("order {}: {:?}", order.order().serial, order.order().action)),
        );
        let messages =
            self.log.iter().rev().take(12).filter_map(|posted| Message::from_bytes(&posted.bytes).ok());
        lines.extend(messages.map(|message| format!("sent: {}", summary(&message))));
        lines.extend(
            self.alarms.iter().rev().take(6).map(|(index, alarm)| format!("alarm of {index}: {alarm:?}")),
        );
        lines.join("\n")
    }
}

impl Node {
    fn describe(&self) -> String {
        let held = self.disk.instances.iter().map(|(id, stored)| {
            let body = stored.certificate.body();
            format!("{}.{} {:x} {:?}", body.serial, body.epoch, id, stored.status)
        });
        let held: Vec<_> =
            held.map(|text| text.split_at_checked(40).map_or(text.clone(), |(a, _)| a.into())).collect();
        format!(
            "{}: up {}, {} orders, holds {held:?}, lost {:?}",
            self.index,
            self.machine.is_some(),
            self.disk.orders.len(),
            self.lost
        )
    }
}

/// A message in one line.
fn summary(message: &Message) -> String {
    let text = format!("{message:?}");
    text.chars().take(60).collect()
}
