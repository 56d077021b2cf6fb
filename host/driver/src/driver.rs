//! The role: opening with everything that can be refused, then asking for jobs and doing them.

use crate::{
    clock::{self, Clock},
    config::Config,
    documents::{self, DocumentsError},
    journal::Journal,
    key_store::{Fault, KeyStore, KeyStoreError},
    pin,
    queue::{Queue, QueueError},
    token::Token,
    work::{Hands, sort},
};
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use std::{
    convert::Infallible,
    error::Error,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use symbolon_channel::{CancellationToken, Identity, IdentityError, Server, tls};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::Index;
use symbolon_protocol::{
    api::{Id, JobPage, LeasedJob, ProblemType},
    hpke::ReceiverKey,
    jobs::{JobId, Judge, LEASE, Outcome, Submission, Trouble, submission},
};
use symbolon_store::StoreError;
use symbolon_trust::{
    ClockBehind, Documents, KeyPair, RootError, Seconds, StoreLabel, TrustedRoot, Versions,
};
use tokio::{
    sync::{OwnedSemaphorePermit, RwLock as AsyncRwLock, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tracing::{debug, info, warn};

/// Time before another try at something that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Time between two looks for a token that isn't there.
const LOOK: Duration = Duration::from_secs(1);
/// Questions in a row that another process with this identity may spoil before this one gives up: as many seconds, about, as
/// the access manager waits for a process that died.
const TWICE: u32 = 20;

/// The driver's own keys, unlocked.
pub struct Keys {
    /// Its identity: signs its results, proves it to the access manager.
    pub identity: KeyPair,
    /// What jobs are sealed to.
    pub jobs: ReceiverKey,
}

/// Why a driver doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The account's root document can't be read.
    #[error("the account's root document {} can't be read", path.display())]
    Account {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// It is no first root document.
    #[error("the account's root document is not valid")]
    Root(#[from] RootError),
    /// The datastore.
    #[error("the datastore {} is of no use", path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: symbolon_store::OpenError,
    },
    /// The documents in it, or the datastore itself.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// The identity key.
    #[error("the identity key is of no use")]
    Identity(#[from] IdentityError),
    /// The owner hasn't signed it in.
    #[error("the account's root document does not list this driver in the key store `{0}`")]
    NotEnrolled(StoreLabel),
    /// The token refused this PIN before.
    #[error("the token has refused this PIN before; it is not tried again")]
    PinRefusedBefore,
}

/// Why a driver stopped working.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The token refuses the PIN.
    #[error("the token refuses the PIN; it was tried once, and is not tried again")]
    PinRefused(#[source] KeyStoreError),
    /// The vendor's module.
    #[error("the HSM can't be asked")]
    Module(#[source] KeyStoreError),
    /// The HSM has another master key than the store's.
    #[error("the HSM has another master key than the key store: its check value differs")]
    OtherMasterKey,
    /// Another process asks for work with the same identity.
    #[error("another process works with this driver's identity")]
    Twice,
    /// The owner retired the driver.
    #[error("the owner has retired this driver")]
    Retired,
    /// The datastore.
    #[error("the datastore failed")]
    Store(#[from] StoreError),
}

/// A driver that is ready to work.
pub struct Driver<K> {
    inner: Arc<Inner<K>>,
    jobs: u32,
}

struct Inner<K> {
    keys: Keys,
    label: StoreLabel,
    index: Index,
    key_store: K,
    journal: Journal,
    clock: Clock,
    documents: RwLock<Arc<Documents>>,
    token: Token,
    queue: AsyncRwLock<Queue>,
    pins: Vec<PathBuf>,
}

/// Reads the account's first root document.
pub fn read_account(path: &std::path::Path) -> Result<TrustedRoot, OpenError> {
    let unreadable = |cause| OpenError::Account { path: path.to_owned(), cause };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.into()))?;
    let signed: symbolon_trust::Signed<symbolon_trust::RootDocument> =
        from_canonical(&bytes).map_err(|error| unreadable(error.into()))?;
    Ok(TrustedRoot::install(signed.body().account(), signed)?)
}

impl<K: KeyStore> Driver<K> {
    /// Opens datastore and documents, and looks whether the owner has signed the driver in. The HSM is not asked yet.
    pub async fn open(config: &Config, keys: Keys, key_store: K) -> Result<Self, OpenError> {
        tls::seed_random();
        let first = read_account(&config.account)?;
        let (account, identity) = (first.account(), keys.identity.public());
        let journal = Journal::open(&config.datastore, identity.thumbprint(), account).await;
        let journal = journal.map_err(|cause| OpenError::Store { path: config.datastore.clone(), cause })?;
        let pins: Vec<PathBuf> =
            config.plugin.policy.grants.pkcs11.values().map(|token| token.pin_file.clone()).collect();
        check_pin(&journal, &keys, &pins).await?;
        let mut documents = documents::recall(first, &journal).await?;
        let clock = Clock::new(journal.mark().await.map_err(DocumentsError::from)?);
        let mut process = [0; 32];
        UnwrapErr(SysRng).fill_bytes(&mut process);
        let address = config.access_manager.clone();
        let tls = Identity::new(&keys.identity)?;
        let queue = Queue::new(tls, server_of(documents.root()), account, process, address);
        renew(&mut documents, &queue, &journal, &clock).await;
        let index = documents::enrolled(documents.root(), &identity, &config.store);
        let index = index.ok_or_else(|| OpenError::NotEnrolled(config.store.clone()))?;
        let inner = Inner {
            keys,
            label: config.store.clone(),
            index,
            key_store,
            journal,
            clock,
            documents: RwLock::new(Arc::new(documents)),
            token: Token::default(),
            queue: AsyncRwLock::new(queue),
            pins,
        };
        Ok(Self { inner: Arc::new(inner), jobs: config.jobs.clamp(1, 64) })
    }

    /// Works until `stop`: what has begun is done to its end, and nothing more is taken. `ready` is called when the HSM has
    /// answered for the first time, with the right master key.
    pub async fn run(self, stop: CancellationToken, ready: impl FnOnce() + Send) -> Result<(), RunError> {
        let (inner, mut running) = (self.inner, JoinSet::new());
        let working = inner.work_on(self.jobs, &stop, ready, &mut running);
        let ended = stop.run_until_cancelled(working).await;
        while running.join_next().await.is_some() {}
        inner.journal.put_mark(inner.clock.mark()).await?;
        inner.journal.close().await;
        ended.unwrap_or(Ok(()))
    }
}

/// Refuses to start with the PIN that the token has refused.
async fn check_pin(journal: &Journal, keys: &Keys, pins: &[PathBuf]) -> Result<(), OpenError> {
    let Some(refused) = journal.refused_pin().await.map_err(DocumentsError::from)? else { return Ok(()) };
    if refused == pin::name(keys.jobs.seed(), pins) {
        return Err(OpenError::PinRefusedBefore);
    }
    Ok(journal.put_refused_pin(None).await.map_err(DocumentsError::from)?)
}

fn newest(page: &JobPage) -> Versions {
    Versions { root: page.root_version, deny: page.deny_version, order: page.order_serial }
}

fn server_of(root: &TrustedRoot) -> Server {
    let access = &root.document().access_manager;
    Server { address: access.address.clone(), key: access.key }
}

/// Takes over what the access manager has and the driver hasn't. What isn't valid is left.
async fn renew(held: &mut Documents, queue: &Queue, journal: &Journal, clock: &Clock) {
    while let Ok(Some(root)) = queue.root(held.versions().root + 1).await {
        if let Err(error) = documents::take_root(held, root, journal).await {
            warn!(cause = &error as &dyn Error, "the access manager's root document is refused");
            break;
        }
    }
    if let Ok(Some(deny)) = queue.deny().await
        && deny.body().version > held.versions().deny
        && let Err(error) = documents::take_deny(held, deny, journal).await
    {
        warn!(cause = &error as &dyn Error, "the access manager's deny document is refused");
    }
    take_orders(held, queue, journal, clock).await;
}

async fn take_orders(held: &mut Documents, queue: &Queue, journal: &Journal, clock: &Clock) {
    let orders = queue.orders(held.versions().order).await.unwrap_or_default();
    for order in orders {
        let Ok(now) = clock.now() else { break };
        match documents::take_order(held, order, now, journal).await {
            Ok(Some(order)) => clock.lower(&order),
            Ok(None) => {}
            Err(error) => debug!(cause = &error as &dyn Error, "an order is not taken"),
        }
    }
}

impl<K: KeyStore> Inner<K> {
    /// Asks for work, on and on.
    async fn work_on(
        self: &Arc<Self>,
        jobs: u32,
        stop: &CancellationToken,
        ready: impl FnOnce() + Send,
        running: &mut JoinSet<()>,
    ) -> Result<(), RunError> {
        let free = Arc::new(Semaphore::new(jobs as usize));
        let mut spoilt = 0;
        self.find_token().await?;
        ready();
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            let first = Arc::clone(&free).acquire_owned().await.expect("the semaphore stays open");
            let limit = 1 + u32::try_from(free.available_permits()).unwrap_or(0);
            let leased = tokio::select! {
                leased = async { self.queue.read().await.lease(limit).await } => Some(leased),
                () = self.token.trouble() => None,
            };
            match leased {
                Some(Ok(page)) => {
                    spoilt = 0;
                    self.renew_if(newest(&page)).await?;
                    self.start(page.jobs, first, &free, running);
                }
                Some(Err(error)) => spoilt = self.unanswered(&error, spoilt).await?,
                None => {
                    while running.join_next().await.is_some() {}
                    self.find_token().await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the HSM answers, and holds its master key against the store's.
    async fn find_token(&self) -> Result<(), RunError> {
        let mut told = false;
        loop {
            if let Some(refused) = self.token.refused() {
                return Err(self.stop_for_pin(refused).await);
            }
            match self.key_store.check_value().await {
                Ok(value) => {
                    self.token.found();
                    return self.check_master_key(&value);
                }
                Err(error) => match error.fault {
                    Fault::PinRefused => return Err(self.stop_for_pin(error).await),
                    Fault::NoMasterKey => return Err(RunError::OtherMasterKey),
                    Fault::Unusable => return Err(RunError::Module(error)),
                    Fault::TokenAbsent
                    | Fault::Module
                    | Fault::Integrity
                    | Fault::Unsupported
                    | Fault::Failed => {
                        if !std::mem::replace(&mut told, true) {
                            warn!(
                                cause = &error as &dyn Error,
                                "the HSM does not answer; no jobs are taken until it does"
                            );
                        }
                        sleep(LOOK).await;
                    }
                },
            }
        }
    }

    async fn stop_for_pin(&self, error: KeyStoreError) -> RunError {
        let name = pin::name(self.keys.jobs.seed(), &self.pins);
        match self.journal.put_refused_pin(Some(&name)).await {
            Ok(()) => RunError::PinRefused(error),
            Err(failed) => failed.into(),
        }
    }

    fn check_master_key(&self, value: &[u8]) -> Result<(), RunError> {
        let documents = self.documents();
        let store = documents.root().document().key_store(&self.label);
        match store {
            Some(store) if store.check_value == value => Ok(()),
            Some(_) => Err(RunError::OtherMasterKey),
            None => Err(RunError::Retired),
        }
    }

    /// A question that gave no jobs: the access manager is away, or another process has this identity.
    async fn unanswered(&self, error: &QueueError, spoilt: u32) -> Result<u32, RunError> {
        let twice = error.problem() == Some(ProblemType::DriverTwice);
        if twice && spoilt >= TWICE {
            return Err(RunError::Twice);
        }
        debug!(cause = error as &dyn Error, "no jobs");
        self.renew().await?;
        sleep(PAUSE).await;
        Ok(if twice { spoilt + 1 } else { 0 })
    }

    /// Fetches the owner's documents where the access manager has newer ones.
    async fn renew_if(&self, there: Versions) -> Result<(), RunError> {
        if self.documents().versions().lack(there) { self.renew().await } else { Ok(()) }
    }

    async fn renew(&self) -> Result<(), RunError> {
        let mut renewed = (*self.documents()).clone();
        let queue = self.queue.read().await;
        renew(&mut renewed, &queue, &self.journal, &self.clock).await;
        drop(queue);
        self.queue.write().await.follow(server_of(renewed.root()));
        let identity = self.keys.identity.public();
        let enrolled = documents::enrolled(renewed.root(), &identity, &self.label).is_some();
        *self.documents.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
        if enrolled { Ok(()) } else { Err(RunError::Retired) }
    }

    fn documents(&self) -> Arc<Documents> {
        Arc::clone(&self.documents.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins the jobs that were leased; there are no more than there is room for.
    fn start(
        self: &Arc<Self>,
        jobs: Vec<LeasedJob>,
        first: OwnedSemaphorePermit,
        free: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
    ) {
        let mut room = Some(first);
        for job in jobs {
            let Some(place) = room.take().or_else(|| Arc::clone(free).try_acquire_owned().ok()) else {
                break;
            };
            let this = Arc::clone(self);
            running.spawn(async move {
                this.handle(job).await;
                drop(place);
            });
        }
    }

    /// Does a job while its lease is kept, and says what became of it.
    async fn handle(&self, job: LeasedJob) {
        let (id, lease) = (JobId::new(job.job.0), job.lease);
        let verdict = tokio::select! {
            verdict = self.judge_and_do(id, &job) => verdict,
            never = self.keep(id, lease) => match never {},
        };
        match verdict {
            Verdict::Answered { answer, expires } => self.send(id, answer, expires).await,
            Verdict::Trouble(trouble) => {
                let back = self.queue.read().await.give_back(id, lease, trouble).await;
                let _ = back.inspect_err(|error| debug!(%id, cause = error as &dyn Error, "not given back"));
            }
            Verdict::Ignored => {}
        }
    }

    async fn keep(&self, id: JobId, lease: Id) -> Infallible {
        let period = Duration::from_secs(LEASE) / 2;
        loop {
            sleep(period).await;
            let renewed = self.queue.read().await.renew(id, lease).await;
            let _ = renewed.inspect_err(|error| debug!(%id, cause = error as &dyn Error, "no longer leased"));
        }
    }

    async fn judge_and_do(&self, id: JobId, job: &LeasedJob) -> Verdict {
        let Some(submission) = submission(&job.submission.0).ok().filter(|read| read.id() == id) else {
            warn!(%id, "the queue holds something that is no such job");
            return Verdict::Ignored;
        };
        let expires = submission.job.body().expires;
        match self.journal.answer(id).await {
            Ok(Some(answer)) => return Verdict::Answered { answer, expires },
            Ok(None) => {}
            Err(error) => return storage(&error),
        }
        let outcome = match self.outcome(id, &submission).await {
            Ok(outcome) => outcome,
            Err(trouble) => return Verdict::Trouble(trouble),
        };
        self.answer(id, &submission, &outcome).await
    }

    /// Checks the job, and does it.
    async fn outcome(&self, id: JobId, submission: &Submission) -> Result<Outcome, Trouble> {
        let now = self.clock.now().map_err(|behind: ClockBehind| {
            warn!(%behind, "no jobs are done");
            Trouble::Clock
        })?;
        let documents = self.documents();
        let judge = Judge {
            root: documents.root(),
            denials: documents.denials(),
            store: &self.label,
            index: self.index,
            key: &self.keys.jobs,
        };
        let admitted = match judge.admit(submission, now) {
            Ok(admitted) => admitted,
            Err(refused) => {
                info!(%id, cause = &refused as &dyn Error, "job refused");
                return Ok(Outcome::Refused(refused.refusal()));
            }
        };
        if self.token.is_in_trouble() {
            return Err(Trouble::TokenAbsent);
        }
        let (operation, key) = (admitted.work().operation(), admitted.scope().key.clone());
        let hands = Hands { key_store: &self.key_store, index: self.index, identity: &self.keys.identity };
        match hands.work(&admitted).await {
            Ok(output) => {
                info!(%id, holder = %admitted.holder(), %key, %operation, "job done");
                Ok(Outcome::Done(output))
            }
            Err(error) => {
                warn!(%id, %key, %operation, cause = &error as &dyn Error, "job not done");
                let sorted = sort(error.fault);
                self.token.heard(error);
                sorted.map(Outcome::Refused)
            }
        }
    }

    /// Seals, signs and stores the answer. Only what is stored is sent.
    async fn answer(&self, id: JobId, submission: &Submission, outcome: &Outcome) -> Verdict {
        let job = submission.job.body();
        let sealed = outcome.answer(job, self.index, &self.keys.identity, &mut UnwrapErr(SysRng));
        let Ok(sealed) = sealed else {
            info!(%id, "the job names nobody who could read an answer");
            return Verdict::Ignored;
        };
        let (answer, expires) = (to_canonical(&sealed), job.expires);
        match self.journal.put_answer(id, &answer, expires, self.clock.mark()).await {
            Ok(()) => Verdict::Answered { answer, expires },
            // The job was leased twice, and the other time it was quicker.
            Err(StoreError::Exists) => match self.journal.answer(id).await {
                Ok(Some(answer)) => Verdict::Answered { answer, expires },
                Ok(None) => Verdict::Ignored,
                Err(error) => storage(&error),
            },
            Err(error) => storage(&error),
        }
    }

    /// Hands an answer in, again and again until the access manager has it or the job's time is over.
    async fn send(&self, id: JobId, answer: Vec<u8>, expires: Seconds) {
        loop {
            let sent = self.queue.read().await.finish(id, answer.clone()).await;
            match sent {
                Ok(receipt) if receipt.counts => return,
                Ok(_) => return info!(%id, "another driver's answer came first"),
                Err(error) if error.problem().is_some_and(is_final) => {
                    return info!(%id, cause = &error as &dyn Error, "the answer is of no use any more");
                }
                Err(error) => debug!(%id, cause = &error as &dyn Error, "the answer was not handed in yet"),
            }
            if clock::reading() > expires {
                return info!(%id, "the job's time is over before its answer could be handed in");
            }
            sleep(PAUSE).await;
        }
    }
}

/// What becomes of a job.
enum Verdict {
    /// It is answered, and the answer is stored.
    Answered { answer: Vec<u8>, expires: Seconds },
    /// It goes back to the queue.
    Trouble(Trouble),
    /// It isn't a job at all, or nobody could be answered.
    Ignored,
}

fn storage(error: &StoreError) -> Verdict {
    warn!(cause = error as &dyn Error, "the datastore failed");
    Verdict::Trouble(Trouble::Storage)
}

/// Whether the access manager will never take an answer.
const fn is_final(problem: ProblemType) -> bool {
    matches!(
        problem,
        ProblemType::JobExpired
            | ProblemType::NotFound
            | ProblemType::Denied
            | ProblemType::Malformed
            | ProblemType::InvalidDocument
            | ProblemType::TooLarge
    )
}
