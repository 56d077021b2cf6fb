//! The relay to fragment managers: who may open a tunnel, to whom, and when it is cut. Carrying is the channel's.

use crate::{
    account::{Account, Standing},
    call::{Call, Peer, refused},
    failure::Failure,
    holdings::Holdings,
    policy::Action,
    service::Service,
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{Request, body::Incoming, http::uri::Authority, upgrade::OnUpgrade};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use symbolon_audit::{Event, Refused};
use symbolon_channel::{
    CancellationToken,
    relay::{Limits, Target},
};
use symbolon_fragments::names::{AccountId, Index};
use symbolon_protocol::api::path;
use symbolon_store::access::Rows;
use symbolon_trust::{Member, ProvenHolder};

/// The tunnels that are open.
pub(crate) struct Tunnels {
    most: u32,
    open: Mutex<HashMap<u64, Open>>,
}

struct Open {
    account: AccountId,
    holder: ProvenHolder,
    cut: CancellationToken,
}

/// A place for a tunnel, until it is dropped.
struct Place {
    service: Arc<Service>,
    number: u64,
    cut: CancellationToken,
}

impl Tunnels {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, open: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, call: &Call) -> Result<Place, Failure> {
        let mut open = self.lock();
        let held = open.values().filter(|tunnel| tunnel.holder.key() == call.holder.key()).count();
        if held >= self.most as usize {
            return Err(Failure::TooManyTunnels);
        }
        let number = open.keys().max().map_or(0, |last| last + 1);
        let cut = call.service.stop.child_token();
        open.insert(number, Open { account: call.id(), holder: call.holder, cut: cut.clone() });
        Ok(Place { service: Arc::clone(&call.service), number, cut })
    }

    fn accounts(&self) -> Vec<AccountId> {
        let mut accounts: Vec<_> = self.lock().values().map(|tunnel| tunnel.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    fn holders(&self, account: AccountId) -> Vec<ProvenHolder> {
        let open = self.lock();
        let mut holders: Vec<_> =
            open.values().filter(|tunnel| tunnel.account == account).map(|tunnel| tunnel.holder).collect();
        holders.sort_unstable_by_key(|holder| *holder.key());
        holders.dedup_by_key(|holder| *holder.key());
        holders
    }

    fn cut(&self, account: AccountId, holder: &ProvenHolder) {
        let open = self.lock();
        let theirs =
            open.values().filter(|tunnel| tunnel.account == account && tunnel.holder.key() == holder.key());
        theirs.for_each(|tunnel| tunnel.cut.cancel());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.service.tunnels.lock().remove(&self.number);
    }
}

/// Answers a `CONNECT` request: with a tunnel, or with a problem.
pub(crate) async fn connect(service: Arc<Service>, peer: Peer, mut request: Request<Incoming>) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    match open(&service, peer, &request).await {
        Ok((target, place)) => {
            tokio::spawn(carry(upgrade, target, place));
            Response::new(Body::empty())
        }
        Err(failure) => failure.into_response(),
    }
}

async fn open(
    service: &Arc<Service>,
    peer: Peer,
    request: &Request<Incoming>,
) -> Result<(Target, Place), Failure> {
    let authority = request.uri().authority().map(Authority::as_str);
    let named = authority.and_then(path::parse_relay_authority);
    let (account, index) =
        named.ok_or_else(|| Failure::malformed("CONNECT takes <account in hex>.<index>:443"))?;
    let call = Call::new(service, peer, AccountId::new(account.0)).await?;
    let index = Index::new(index).ok_or(Failure::NotFound("the roster has no such member"))?;
    let member =
        call.account.root().member(index).map_err(|_| Failure::NotFound("the roster has no such member"))?;
    let reached = match may_relay(service, &call.account, &call.holder).await {
        Ok(()) => reach(service, &call, member).await,
        Err(failure) => Err(failure),
    };
    log(&call, index, reached).await
}

/// Connects first, so that what is logged as relayed was.
async fn reach(service: &Service, call: &Call, member: &Member) -> Result<(Target, Place), Failure> {
    let place = service.tunnels.enter(call)?;
    let address = service.addresses.get(&member.key.to_string()).unwrap_or(&member.address);
    let target = Target::reach(address, Limits::default()).await;
    let target = target.map_err(|_| Failure::ManagerUnreachable(member.index.get()))?;
    Ok((target, place))
}

async fn log(
    call: &Call,
    index: Index,
    reached: Result<(Target, Place), Failure>,
) -> Result<(Target, Place), Failure> {
    let mut unit = call.begin().await?;
    let (tunnel, outcome) = match reached {
        Ok(tunnel) => (Some(tunnel), unit.record(Event::Relayed { index }).await),
        Err(failure) => (None, Err(failure)),
    };
    let outcome = outcome.map(|()| crate::answer::Answer::empty());
    call.finish(unit, refused(Refused::Relay), outcome).await?;
    tunnel.ok_or_else(|| Failure::internal("a tunnel that was opened is gone"))
}

async fn carry(upgrade: OnUpgrade, target: Target, place: Place) {
    let Ok(caller) = upgrade.await else { return };
    let carried = target.carry(caller, &place.cut).await;
    tracing::debug!(up = carried.up, down = carried.down, ended = ?carried.ended, "tunnel closed");
}

/// Refuses whoever may not have a tunnel now.
async fn may_relay(service: &Service, account: &Account, holder: &ProvenHolder) -> Result<(), Failure> {
    match account.standing(holder) {
        Standing::Owner => return Ok(()),
        Standing::Member(_) => return Err(Failure::Only("a holder or the owner")),
        Standing::Other => {}
    }
    let (id, now) = (account.id(), service.clock.now(account.id())?);
    let mut read = service.store.read().await?;
    let holdings = Holdings::read(&mut Rows::of(&mut read, &id), account, holder.thumbprint(), now).await?;
    if !holdings.any_active() {
        return Err(holdings.inactive());
    }
    Ok(service.policies.check_account(id, Action::Relay, holder.thumbprint(), now.time())?)
}

/// Cuts the tunnels of those who may no longer have one: after a change of the account's documents, and when a grant's
/// time is over. Where that can't be told, it cuts.
pub(crate) async fn recheck(service: &Service, id: AccountId) {
    for holder in service.tunnels.holders(id) {
        if let Err(failure) = recheck_holder(service, id, &holder).await {
            tracing::info!(holder = %holder.thumbprint(), %failure, "tunnels cut");
            service.tunnels.cut(id, &holder);
        }
    }
}

async fn recheck_holder(service: &Service, id: AccountId, holder: &ProvenHolder) -> Result<(), Failure> {
    let account = {
        let mut read = service.store.read().await?;
        service.account(&mut read, id).await?
    };
    may_relay(service, &account, holder).await
}

/// Rechecks every open tunnel.
pub(crate) async fn recheck_all(service: &Service) {
    for account in service.tunnels.accounts() {
        recheck(service, account).await;
    }
}
