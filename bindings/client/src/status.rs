//! Looking at the servers: what each of them holds, what time it is there, who can be reached.

use crate::access::Subject;
use crate::client::Client;
use crate::error::{DownReason, Error, ManagerDown, MemberName, Unavailable};
use crate::managers::Manager;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use symbolon_fragments::names::{Index, Thumbprint};
use symbolon_protocol::api::{self, path};
use symbolon_protocol::wire::{self, Request, Response};
use symbolon_trust::Seconds;

/// How the servers are.
#[derive(Debug)]
pub struct Status {
    /// The access manager, or why it doesn't answer.
    pub access_manager: Result<api::Health, Error>,
    /// How long the access manager took, a connection included.
    pub access_manager_took: Duration,
    /// Each fragment manager that isn't retired.
    pub managers: Vec<ManagerStatus>,
}

/// How one fragment manager is.
#[derive(Debug)]
pub struct ManagerStatus {
    /// Which one.
    pub member: MemberName,
    /// What it says, or why it doesn't answer.
    pub status: Result<wire::Status, DownReason>,
    /// How long it took to say so, a connection included.
    pub took: Duration,
}

impl Client {
    /// Asks all servers how they are: the access manager first, which knows whether the owner signed others in.
    pub async fn status(&self) -> Status {
        let asked = Instant::now();
        let answer: Result<api::Health, _> = self.access().get(path::HEALTH).await;
        let access_manager = answer.map_err(|error| self.access().explain(error, Subject::default()));
        let access_manager_took = asked.elapsed();
        if access_manager.is_ok() {
            // A holder without a grant is told no root document; the one at hand does then.
            let _grown = self.refresh_root().await;
        }
        let account = self.root().account();
        let managers = self.inner.managers.active().into_iter().map(|manager| async move {
            let asked = Instant::now();
            let status = status_of(&manager, Request::Status { account }).await;
            ManagerStatus { member: manager.name.clone(), status, took: asked.elapsed() }
        });
        Status { access_manager, access_manager_took, managers: join_all(managers).await }
    }

    /// Sends a request to one fragment manager. It may arrive twice, where a connection broke.
    pub async fn ask(&self, member: Index, request: Request) -> Result<Response, DownReason> {
        match self.inner.managers.get(member) {
            Some(manager) => manager.call(request).await,
            None => Err(DownReason::Refused(wire::Error::UnknownAccount)),
        }
    }

    /// Sends a request to every fragment manager that isn't retired.
    pub async fn ask_all(&self, request: &Request) -> Vec<(MemberName, Result<Response, DownReason>)> {
        let ask = |manager: Arc<Manager>| async move {
            (manager.name.clone(), manager.call(request.clone()).await)
        };
        join_all(self.inner.managers.active().into_iter().map(ask)).await
    }

    /// The grants that the access manager knows, of one holder or of all. Only the owner sees others' grants.
    pub async fn grants(&self, of: Option<Thumbprint>) -> Result<Vec<api::Grant>, Error> {
        let access = self.access();
        let principal = of.map(|holder| api::Id(*holder.as_bytes()).to_string());
        let grants = access.all::<api::GrantPage>(path::GRANTS, &[("principal", principal)]).await;
        grants.map_err(|error| access.explain(error, Subject::default()))
    }

    /// All fragment sets, with the newest instance of each.
    pub async fn sets(&self) -> Result<Vec<api::Set>, Error> {
        let access = self.access();
        let sets = access.all::<api::SetPage>(path::SETS, &[]).await;
        sets.map_err(|error| access.explain(error, Subject::default()))
    }

    /// Has the fragments of these sets made anew, of all where none is named. The ceremonies go on by themselves.
    pub async fn refresh(&self, sets: &[symbolon_fragments::names::SetId]) -> Result<api::Refreshed, Error> {
        let access = self.access();
        let body = api::RefreshRequest { sets: sets.iter().map(|set| api::Id(*set.as_bytes())).collect() };
        let path = path::of_account(path::REFRESH, access.account());
        access.post_once(path, &body).await.map_err(|error| access.explain(error, Subject::default()))
    }

    /// The time by the fragment managers' clocks: where it isn't known, the first that answers says it.
    pub(crate) async fn manager_time(&self) -> Result<Seconds, Error> {
        if let Some(time) = self.inner.managers.time() {
            return Ok(time);
        }
        let request = Request::Status { account: self.root().account() };
        let ask = |manager: Arc<Manager>| {
            let request = request.clone();
            async move { (manager.name.clone(), status_of(&manager, request).await) }
        };
        let mut asked: FuturesUnordered<_> = self.inner.managers.active().into_iter().map(ask).collect();
        let mut down = Vec::new();
        while let Some((member, answer)) = asked.next().await {
            match answer {
                Ok(status) => return Ok(status.time),
                Err(reason) => down.push(ManagerDown { member, reason }),
            }
        }
        Err(Unavailable::TooFewManagers { have: 0, need: 1, down }.into())
    }
}

async fn status_of(manager: &Manager, request: Request) -> Result<wire::Status, DownReason> {
    match manager.call(request).await? {
        Response::Status(status) => {
            manager.set_time(status.time);
            Ok(status)
        }
        Response::Error(error) => Err(error.into()),
        _ => Err(DownReason::Refused(wire::Error::Failed)),
    }
}
