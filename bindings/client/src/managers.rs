//! The fragment managers of the account: a channel to each, opened when it is needed and again when it broke.
//!
//! Any future here may be dropped at any point: a channel is kept only once it is whole, and what a dropped call left
//! unanswered is told apart by its number.

mod health;
mod session;

pub(crate) use session::{Ask, Evaluated, Trouble};

use crate::error::{DownReason, MemberName};
use crate::permits::HeldPermit;
use crate::profile::RouteChoice;
use health::{Health, weight};
use session::Session;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use symbolon_channel::relay::Destination;
use symbolon_channel::{CallError, CancellationToken, Channel, DialError, Dialler, Route, Server};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_protocol::wire::{self, Request, Response};
use symbolon_trust::{Member, MemberKind, Seconds, TrustedRoot};

/// Time for the direct route where the relay may be tried after it.
const DIRECT_FIRST: Duration = Duration::from_secs(1);

/// How managers are reached.
pub(crate) struct Ways {
    pub(crate) dialler: Dialler,
    pub(crate) route: RouteChoice,
    pub(crate) relay: Server,
    pub(crate) account: AccountId,
    /// Time for one call.
    pub(crate) call_within: Duration,
    /// Set when the client is closed: no channel is opened any more.
    pub(crate) closed: CancellationToken,
}

/// All managers that the roster names.
pub(crate) struct Managers {
    ways: Arc<Ways>,
    table: Mutex<BTreeMap<Index, Arc<Manager>>>,
}

/// One manager.
pub(crate) struct Manager {
    pub(crate) name: MemberName,
    member: Member,
    ways: Arc<Ways>,
    session: Mutex<Option<Arc<Session>>>,
    /// Held while a channel is opened, so that many operations open one.
    dialling: tokio::sync::Mutex<()>,
    health: Health,
    clock: crate::clock::ManagerClock,
}

impl Managers {
    pub(crate) fn new(ways: Ways, root: &TrustedRoot) -> Self {
        let managers = Self { ways: Arc::new(ways), table: Mutex::default() };
        managers.update(root);
        managers
    }

    /// Takes over a newer roster. Entries keep index and key for ever; what changed is dialled anew.
    pub(crate) fn update(&self, root: &TrustedRoot) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        // A retired one is among them: until its sets have been moved, it still holds fragments.
        let roster = root.document().roster.iter();
        for member in roster.filter(|member| member.kind == MemberKind::FragmentManager) {
            if table.get(&member.index).is_none_or(|known| known.member != *member) {
                table.insert(member.index, Arc::new(Manager::new(member.clone(), self.ways.clone())));
            }
        }
    }

    pub(crate) fn get(&self, index: Index) -> Option<Arc<Manager>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned()
    }

    /// Those that are not retired.
    pub(crate) fn active(&self) -> Vec<Arc<Manager>> {
        self.all().into_iter().filter(|manager| !manager.member.retired).collect()
    }

    /// These members, the one to ask first in front.
    pub(crate) fn ranked(&self, members: &[Index]) -> Vec<Arc<Manager>> {
        let mut managers: Vec<_> = members.iter().filter_map(|index| self.get(*index)).collect();
        managers.sort_by_key(|manager| manager.health.rank());
        managers
    }

    /// Shows a renewed permit to those that know its predecessor, so that no operation has to wait for it.
    pub(crate) async fn show_ahead(&self, old: [u8; 16], renewed: &HeldPermit) {
        let show = |manager: Arc<Manager>| async move {
            let session = manager.open_session()?;
            if session.knows(old) {
                // If it fails, an operation will see why.
                let _ = session.handle(&manager, renewed).await;
            }
            Some(())
        };
        futures_util::future::join_all(self.all().into_iter().map(show)).await;
    }

    /// Closes all channels. New ones are not opened any more.
    pub(crate) fn close(&self) {
        self.ways.closed.cancel();
        self.all().iter().for_each(|manager| drop(manager.place().take()));
    }

    fn all(&self) -> Vec<Arc<Manager>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The time by the managers' clocks, if any was read.
    pub(crate) fn time(&self) -> Option<Seconds> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        crate::clock::middle(table.values().filter_map(|manager| manager.clock.now()))
    }
}

impl Manager {
    fn new(member: Member, ways: Arc<Ways>) -> Self {
        let name = MemberName { index: member.index, name: member.name.clone() };
        let (session, dialling) = (Mutex::default(), tokio::sync::Mutex::default());
        let (health, clock) = (Health::default(), crate::clock::ManagerClock::default());
        Self { name, member, ways, session, dialling, health, clock }
    }

    pub(crate) fn member(&self) -> &Member {
        &self.member
    }

    /// What the manager's clock reads, if that is known.
    pub(crate) fn time(&self) -> Option<Seconds> {
        self.clock.now()
    }

    pub(crate) fn set_time(&self, time: Seconds) {
        self.clock.set(time);
    }

    /// How long to wait for this manager's answer to so many inputs before another is asked too.
    pub(crate) fn patience(&self, inputs: usize) -> Duration {
        self.health.patience(weight(inputs))
    }

    /// The manager gave a wrong answer: it is asked only where nobody else is left.
    pub(crate) fn distrust(&self) {
        self.health.lied();
    }

    /// Sends a request, over a new channel if the present one turns out to be broken: whatever a client asks of a
    /// manager may be asked twice.
    pub(crate) async fn call(&self, request: Request) -> Result<Response, DownReason> {
        let session = self.session().await?;
        match session.call(request.clone()).await {
            Err(CallError::Closed { .. }) => {
                self.forget(&session);
                Ok(self.session().await?.call(request).await?)
            }
            answered => Ok(answered?),
        }
    }

    /// Asks for evaluations under a permit.
    pub(crate) async fn evaluate(&self, permit: &HeldPermit, ask: &Ask<'_>) -> Result<Evaluated, Trouble> {
        let asked = self.health.asked(weight(ask.inputs.len()));
        let result = self.evaluate_on_a_session(permit, ask).await;
        asked.answered(result.is_ok());
        result
    }

    async fn evaluate_on_a_session(&self, permit: &HeldPermit, ask: &Ask<'_>) -> Result<Evaluated, Trouble> {
        let session = self.session().await?;
        match session.evaluate(self, permit, ask).await {
            Err(Trouble::Down(DownReason::Call(CallError::Closed { .. }))) => {
                self.forget(&session);
                self.session().await?.evaluate(self, permit, ask).await
            }
            // A member that lost its disk, or joined the set later, was not there when the key was certified.
            Err(Trouble::Said(wire::Error::UnknownKey)) => {
                session.install(ask.key).await?;
                session.evaluate(self, permit, ask).await
            }
            answered => answered,
        }
    }

    /// Shows a permit ahead of its use, and so learns the manager's time.
    pub(crate) async fn authorise(&self, permit: &HeldPermit) -> Result<(), Trouble> {
        self.session().await?.handle(self, permit).await.map(|_| ())
    }

    fn open_session(&self) -> Option<Arc<Session>> {
        self.place().clone().filter(|session| !session.is_closed())
    }

    async fn session(&self) -> Result<Arc<Session>, DownReason> {
        if let Some(session) = self.open_session() {
            return Ok(session);
        }
        let _dialling = self.dialling.lock().await;
        if let Some(session) = self.open_session() {
            return Ok(session);
        }
        let session = Arc::new(Session::new(self.dial().await?, self.ways.call_within));
        let mut place = self.place();
        if self.ways.closed.is_cancelled() {
            return Err(CallError::Closed { cause: None }.into());
        }
        *place = Some(session.clone());
        Ok(session)
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, broken: &Arc<Session>) {
        let mut place = self.place();
        if place.as_ref().is_some_and(|present| Arc::ptr_eq(present, broken)) {
            *place = None;
        }
    }

    async fn dial(&self) -> Result<Channel, DialError> {
        match self.ways.route {
            RouteChoice::Direct => self.dial_by(&self.direct()).await,
            RouteChoice::Relay => self.dial_by(&self.relayed()).await,
            RouteChoice::Auto => {
                let direct = self.direct();
                match tokio::time::timeout(DIRECT_FIRST, self.dial_by(&direct)).await {
                    Ok(Ok(channel)) => Ok(channel),
                    Ok(Err(DialError::Unreachable { .. } | DialError::TimedOut { .. })) | Err(_) => {
                        self.dial_by(&self.relayed()).await
                    }
                    Ok(Err(error)) => Err(error),
                }
            }
        }
    }

    async fn dial_by(&self, route: &Route) -> Result<Channel, DialError> {
        self.ways.dialler.channel(route, &self.member.key).await
    }

    fn direct(&self) -> Route {
        Route::Direct { address: self.member.address.clone() }
    }

    fn relayed(&self) -> Route {
        let destination = Destination { account: self.ways.account, index: self.member.index };
        Route::Relayed { relay: self.ways.relay.clone(), destination }
    }
}
