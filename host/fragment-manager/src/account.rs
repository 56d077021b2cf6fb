//! One account on this manager: what is believed, served and logged. Accounts share nothing but the process.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use symbolon_audit::{Alarm, RecordBody};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_protocol::wire::{Error, Status};
use symbolon_store::manager::Rows;
use symbolon_store::{Datastore, StoreError};
use symbolon_trust::{Documents, DueDestruction, KeyPair, Now, Seconds, Signed, VerifiedOrder};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::channels::Channels;
use crate::clock::{Clock, Mark};
use crate::destroy::Destroyed;
use crate::log::Log;
use crate::news::News;
use crate::rate::Rates;
use crate::refusal;
use crate::sets::Sets;

/// One account on this manager.
pub struct Account {
    id: AccountId,
    index: Index,
    identity: Arc<KeyPair>,
    store: Arc<Datastore>,
    trust: RwLock<Documents>,
    mark: Mark,
    /// Whether the clock's fault was logged.
    behind: OnceLock<()>,
    log: Log,
    sets: Sets,
    pub(crate) rates: Rates,
    pub(crate) channels: Arc<Channels>,
    pub(crate) destroyed: Destroyed,
    news: News,
    notices: mpsc::UnboundedSender<Notice>,
    unread: Mutex<Option<mpsc::UnboundedReceiver<Notice>>>,
    /// Held while a document is checked against the ones in force and stored.
    pub(crate) installing: AsyncMutex<()>,
}

/// What the account's ceremonies are told.
#[derive(Debug)]
pub enum Notice {
    /// An order came into force.
    Order(VerifiedOrder),
    /// A destruction's waiting period is over.
    Destroy(DueDestruction),
}

/// What an account is made of.
pub(crate) struct Parts {
    pub(crate) index: Index,
    pub(crate) identity: Arc<KeyPair>,
    pub(crate) store: Arc<Datastore>,
    pub(crate) trust: Documents,
    pub(crate) clock: Clock,
    pub(crate) sets: Sets,
    pub(crate) channels: Arc<Channels>,
}

impl Account {
    /// The account, with its log opened.
    pub(crate) async fn open(parts: Parts) -> Result<Self, StoreError> {
        let id = parts.trust.root().account();
        let mut write = parts.store.write().await?;
        let mut rows = Rows::of(&mut write, &id);
        let mark = Mark::new(parts.clock, Seconds(rows.mark().await?));
        parts.sets.restore(&mut rows).await?;
        let log = Log::open(&mut rows, id, parts.index, mark.read()).await?;
        write.commit().await?;
        let (notices, unread) = mpsc::unbounded_channel();
        Ok(Self {
            id,
            index: parts.index,
            identity: parts.identity,
            store: parts.store,
            trust: RwLock::new(parts.trust),
            mark,
            behind: OnceLock::new(),
            log,
            sets: parts.sets,
            rates: Rates::default(),
            channels: parts.channels,
            destroyed: Destroyed::default(),
            news: News::new(),
            notices,
            unread: Mutex::new(Some(unread)),
            installing: AsyncMutex::new(()),
        })
    }

    /// The account's id.
    pub const fn id(&self) -> AccountId {
        self.id
    }

    /// This manager's number in the account's roster.
    pub const fn index(&self) -> Index {
        self.index
    }

    /// This manager's identity.
    pub fn identity(&self) -> &KeyPair {
        &self.identity
    }

    pub(crate) fn shared_identity(&self) -> Arc<KeyPair> {
        Arc::clone(&self.identity)
    }

    /// The datastore.
    pub fn store(&self) -> &Arc<Datastore> {
        &self.store
    }

    /// What is served.
    pub const fn sets(&self) -> &Sets {
        &self.sets
    }

    /// The evaluation log.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Looks at what is believed. While `look` runs, nothing of it changes.
    pub fn trust<T>(&self, look: impl FnOnce(&Documents) -> T) -> T {
        look(&self.trust.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn believe(&self, trust: Documents) {
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = trust;
    }

    /// The clock's bare reading, which nothing may be decided by.
    pub(crate) fn reading(&self) -> Seconds {
        self.mark.read()
    }

    pub(crate) const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The time, unless the clock was set back: then nothing is done, and the log says so once.
    pub fn now(&self) -> Result<Now, Error> {
        self.mark.now().map_err(|behind| {
            self.behind.get_or_init(|| self.log.alarm(Alarm::ClockSetBack));
            refusal::clock(behind)
        })
    }

    /// How fresh the owner's orders are.
    pub(crate) const fn news(&self) -> &News {
        &self.news
    }

    /// What the account's ceremonies are told from now on; there is one reader.
    pub fn notices(&self) -> Option<mpsc::UnboundedReceiver<Notice>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn notify(&self, notice: Notice) {
        // Nobody reads any more while the manager stops; on start the ceremonies find what they missed in the store.
        let _ = self.notices.send(notice);
    }

    pub(crate) fn status(&self) -> Status {
        let versions = self.trust(Documents::versions);
        Status {
            index: self.index,
            time: self.reading(),
            root_version: versions.root,
            deny_version: versions.deny,
            order_serial: versions.order,
            mark: self.mark.time(),
            sets: self.sets.count() as u64,
        }
    }

    /// Signs as this manager.
    pub(crate) fn sign<B: symbolon_trust::Document>(&self, body: B) -> Signed<B> {
        Signed::by(body, [&*self.identity])
    }

    /// Writes the log and the clock's mark. It is done to its end even if nobody waits for it any more: abandoned between the
    /// datastore's answer and what is remembered of it, the same records would be written twice.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<(), StoreError> {
        let this = Arc::clone(self);
        let writing = tokio::spawn(async move {
            this.log.flush(&this.store, &this.id, this.reading(), this.mark.time()).await
        });
        writing.await.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
    }

    /// Writes that the manager stops in order.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<(), StoreError> {
        self.log.note(RecordBody::Stopped);
        self.flush().await
    }
}
