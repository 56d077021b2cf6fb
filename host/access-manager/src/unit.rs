//! A unit of work: one transaction with its audit entries. Either all of it happens and is logged, or nothing.

use crate::{
    account::Account,
    failure::Failure,
    journal, relay,
    service::Service,
    wake::{Topic, topics},
};
use std::sync::Arc;
use symbolon_audit::{Entry, Event, Frontier};
use symbolon_fragments::names::{AccountId, Thumbprint};
use symbolon_store::{Write, access::Rows};
use symbolon_trust::Seconds;

/// A unit of work in one account.
pub(crate) struct Unit {
    pub(crate) service: Arc<Service>,
    pub(crate) account: Arc<Account>,
    write: Write,
    frontier: Frontier,
    actor: Thumbprint,
    rights_changed: bool,
    told: Vec<Topic>,
    lowered: Option<Seconds>,
}

impl Unit {
    /// Begins: from now on nobody else writes.
    pub(crate) async fn begin(
        service: &Arc<Service>,
        account: AccountId,
        actor: Thumbprint,
    ) -> Result<Self, Failure> {
        Self::in_transaction(service, service.store.write().await?, account, actor).await
    }

    /// Goes on in a transaction that has begun.
    pub(crate) async fn in_transaction(
        service: &Arc<Service>,
        mut write: Write,
        id: AccountId,
        actor: Thumbprint,
    ) -> Result<Self, Failure> {
        let account = service.account(&mut write, id).await?;
        let frontier = journal::frontier(service, &mut Rows::of(&mut write, &id), id).await?;
        let service = Arc::clone(service);
        Ok(Self {
            service,
            account,
            write,
            frontier,
            actor,
            rights_changed: false,
            told: Vec::new(),
            lowered: None,
        })
    }

    /// The account's rows.
    pub(crate) fn rows(&mut self) -> Rows<'_, Write> {
        Rows::of(&mut self.write, &self.account.id())
    }

    /// Appends an entry to the account's Merkle log.
    pub(crate) async fn record(&mut self, event: Event) -> Result<(), Failure> {
        let id = self.account.id();
        let (sequence, time) = (self.frontier.size(), self.service.clock.mark(id));
        let entry = Entry { sequence, time, actor: self.actor, event };
        journal::append(&mut Rows::of(&mut self.write, &id), &mut self.frontier, &entry).await
    }

    /// Who does it.
    pub(crate) const fn actor(&self) -> Thumbprint {
        self.actor
    }

    /// How many entries the Merkle log has.
    pub(crate) const fn entries(&self) -> u64 {
        self.frontier.size()
    }

    /// Reads the account's documents again after one of them was stored in this unit.
    pub(crate) async fn reload(&mut self) -> Result<(), Failure> {
        let id = self.account.id();
        let mut rows = Rows::of(&mut self.write, &id);
        let stamp = rows.stamp().await?;
        // Not remembered by the service: the unit may still be rolled back.
        self.account = Arc::new(Account::load(&mut rows, id, stamp).await?.ok_or(Failure::UnknownAccount)?);
        self.rights_changed();
        Ok(())
    }

    /// Notes that somebody may have lost a right: open tunnels are looked at after the commit.
    pub(crate) const fn rights_changed(&mut self) {
        self.rights_changed = true;
    }

    /// Tells those who wait for this after the commit, beside those who wait for rows that changed.
    pub(crate) fn tell(&mut self, topic: Topic) {
        self.told.push(topic);
    }

    /// Lowers the clock's mark with the commit.
    pub(crate) const fn lower_mark(&mut self, mark: Seconds) {
        self.lowered = Some(mark);
    }

    /// Makes it durable; then those who wait are told, and tunnels of callers who lost their right are cut.
    pub(crate) async fn commit(mut self) -> Result<(), Failure> {
        let id = self.account.id();
        let mark = self.lowered.unwrap_or_else(|| self.service.clock.mark(id));
        self.rows().put_mark(mark.0).await?;
        let documents = if self.rights_changed { vec![Topic::AnyName, Topic::Documents] } else { Vec::new() };
        let told: Vec<Topic> = topics(self.write.changes()).chain(documents).chain(self.told).collect();
        let told = self.service.wake.waker(id, told);
        self.write.commit().await?;
        drop(told);
        self.service.remember_frontier(id, self.frontier);
        if let Some(mark) = self.lowered {
            self.service.clock.lower(id, mark);
        }
        if self.rights_changed {
            relay::recheck(&self.service, id).await;
        }
        Ok(())
    }
}
