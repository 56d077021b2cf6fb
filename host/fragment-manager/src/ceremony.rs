//! The account's ceremonies on this manager: the shell around the machine of `symbolon_protocol::ceremony`.
//!
//! It reads the access manager's log and appends to it, tells the machine what happened, and does what the machine says,
//! in that order: what is to be stored is on the disk before anything that speaks of it is sent. When the disk fails, the
//! machine is dropped and started again from what the disk has.

mod ages;
mod keeper;
mod log;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use symbolon_audit::Alarm as Logged;
use symbolon_channel::Identity;
use symbolon_protocol::ceremony::{Alarm, Context, Effect, Event, Machine, Message, Record};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use crate::account::{Account, Notice};
use crate::ceremony::ages::Ages;
use crate::ceremony::keeper::{Keeper, KeeperError};
use crate::ceremony::log::{Outbox, Page, Pages, Reader};
use crate::vault::Vault;

/// Time between two ticks of the machine.
const TICK: Duration = Duration::from_secs(1);
/// Time before another attempt after the disk failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs the account's ceremonies until it is dropped. `refresh` is the age at which fragments are replaced.
pub(crate) async fn run(account: Arc<Account>, vault: Arc<Vault>, identity: Identity, refresh: Duration) {
    let Some(mut notices) = account.notices() else { return };
    loop {
        let ended = Shell::start(&account, &vault, &identity, refresh).await;
        let cause = match ended {
            Ok(mut shell) => shell.serve(&mut notices).await,
            Err(cause) => cause,
        };
        error!(account = %account.id(), cause = &cause as &dyn std::error::Error, "ceremonies stopped; they start again from the disk");
        sleep(PAUSE).await;
    }
}

/// A machine and its surroundings.
struct Shell {
    account: Arc<Account>,
    keeper: Keeper,
    /// Absent only while it is handling an event on another thread.
    machine: Option<Machine>,
    outbox: Outbox,
    pages: Pages,
    ages: Ages,
}

impl Shell {
    async fn start(
        account: &Arc<Account>,
        vault: &Arc<Vault>,
        identity: &Identity,
        refresh: Duration,
    ) -> Result<Self, KeeperError> {
        let keeper = Keeper::new(Arc::clone(account), Arc::clone(vault));
        let saved = keeper.recall().await?;
        let machine = Machine::new(account.id(), account.index(), account.shared_identity(), saved);
        let reader = Reader::new(Arc::clone(account), identity.clone(), keeper.position().await?);
        Ok(Self {
            account: Arc::clone(account),
            ages: keeper.ages(refresh).await?,
            keeper,
            machine: Some(machine),
            outbox: Outbox::start(Arc::clone(account), identity.clone()),
            pages: reader.start(),
        })
    }

    /// Lets things happen until the disk fails.
    async fn serve(&mut self, notices: &mut mpsc::UnboundedReceiver<Notice>) -> KeeperError {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if let Err(error) = self.handle(Event::Start).await {
            return error;
        }
        loop {
            let done = tokio::select! {
                Some(notice) = notices.recv() => self.handle(event(notice)).await,
                Some(page) = self.pages.next() => self.read(page).await,
                _ = ticks.tick() => self.tick().await,
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn read(&mut self, page: Page) -> Result<(), KeeperError> {
        let read = page.messages.len();
        for message in page.messages {
            self.handle(Event::Message(message)).await?;
        }
        if page.rewritten {
            self.account.log().alarm(Logged::CeremonyLogRewritten);
        }
        if page.rewritten || read > 0 {
            self.keeper.put_position(&page.position).await?;
        }
        if page.up_to_date {
            self.account.news().heard();
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), KeeperError> {
        let due = self.ages.due(self.account.reading());
        if !due.old.is_empty() {
            self.handle(Event::Refresh(due.old)).await?;
        }
        if let Some(set) = due.stalled {
            warn!(account = %self.account.id(), %set, "fragments are twice as old as they should be: refreshing is stalled");
            self.account.log().alarm(Logged::EpochTooOld);
        }
        self.handle(Event::Tick).await
    }

    /// One event, and all that follows from it. While the clock is behind its mark, nothing is done.
    async fn handle(&mut self, event: Event) -> Result<(), KeeperError> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.step(event).await? {
                events.extend(self.perform(effect).await?);
            }
        }
        Ok(())
    }

    /// The arithmetic of thousands of sets takes seconds: it does not run where evaluations do.
    async fn step(&mut self, event: Event) -> Result<Vec<Effect>, KeeperError> {
        let Ok(now) = self.account.now() else { return Ok(Vec::new()) };
        let trust = self.account.trust(Clone::clone);
        let mut machine = self.machine.take().ok_or(KeeperError::Interrupted)?;
        let work = move || {
            let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
            let (root, denials) = (trust.root(), trust.denials());
            let effects = machine.handle(&mut Context { rng: &mut rng, now, root, denials }, event);
            (machine, effects)
        };
        let (machine, effects) = spawn_blocking(work).await.map_err(|_| KeeperError::Interrupted)?;
        self.machine = Some(machine);
        Ok(effects)
    }

    async fn perform(&mut self, effect: Effect) -> Result<Option<Event>, KeeperError> {
        match effect {
            Effect::Persist(record) => {
                self.note(&record);
                self.keeper.persist(record).await?;
            }
            Effect::Post(message) => self.post(&message),
            Effect::Erase(instances) => self.keeper.erase(&instances).await?,
            Effect::Load { purpose, instances } => {
                let fragments = self.keeper.load(&instances).await?;
                return Ok(Some(Event::Loaded { purpose, fragments }));
            }
            Effect::Alarm(alarm) => self.alarm(&alarm),
        }
        Ok(None)
    }

    fn post(&self, message: &Message) {
        self.outbox.post(message.to_bytes());
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::Signed(new) => {
                info!(account = %self.account.id(), sets = new.len(), "signed new instances");
            }
            Record::Settled { instances, .. } => {
                info!(account = %self.account.id(), sets = instances.len(), "new instances have settled");
                let instances: BTreeSet<_> = instances.iter().collect();
                let sets = self.machine.iter().flat_map(Machine::standing);
                let settled: Vec<_> =
                    sets.filter(|s| instances.contains(&s.instance)).map(|s| s.set).collect();
                self.ages.settled(&settled, self.account.reading());
            }
            Record::Order(_) | Record::Flipped(_) | Record::Destroyed { .. } => {}
        }
    }

    fn alarm(&self, alarm: &Alarm) {
        warn!(account = %self.account.id(), cause = alarm as &dyn std::error::Error, "ceremony");
        match alarm {
            Alarm::RolledBack(_) => self.account.log().alarm(Logged::RolledBack),
            Alarm::BadDealing(_) | Alarm::Equivocation(_) => self.account.log().alarm(Logged::MemberLied),
            Alarm::Disagreement(_) | Alarm::FragmentUnreadable(_) | Alarm::Refused(_) => {}
        }
    }
}

fn event(notice: Notice) -> Event {
    match notice {
        Notice::Order(order) => Event::Order(order),
        Notice::Destroy(due) => Event::Destroy(due),
    }
}
