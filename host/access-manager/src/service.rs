//! What all requests share: datastore, keys, policies, clocks, and what is remembered of accounts between requests.

use crate::{
    account::Account, accounts::Installed, clock::Clock, config::Limits, drivers::Drivers, failure::Failure,
    policy::Policies, rate::Rates, relay::Tunnels, wake::Wake,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use symbolon_audit::{Event, Frontier, Hash};
use symbolon_channel::CancellationToken;
use symbolon_encoding::to_canonical;
use symbolon_fragments::names::{AccountId, Thumbprint};
use symbolon_store::{
    Datastore, Reading,
    access::{Rows, accounts},
};
use symbolon_trust::{KeyPair, Seconds, hash};

/// Everything that requests share.
pub(crate) struct Service {
    pub(crate) store: Datastore,
    pub(crate) permit_key: KeyPair,
    pub(crate) own: Thumbprint,
    pub(crate) policies: Policies,
    pub(crate) clock: Clock,
    pub(crate) rates: Rates,
    pub(crate) wake: Wake,
    pub(crate) tunnels: Tunnels,
    pub(crate) drivers: Drivers,
    pub(crate) open_jobs: OpenJobs,
    pub(crate) addresses: BTreeMap<String, String>,
    pub(crate) request_time: Duration,
    pub(crate) stop: CancellationToken,
    known: Mutex<HashMap<AccountId, Arc<Account>>>,
    frontiers: Mutex<HashMap<AccountId, Frontier>>,
}

/// How many jobs may be open at a time.
#[derive(Clone, Copy)]
pub(crate) struct OpenJobs {
    pub(crate) of_holder: u32,
    pub(crate) of_store: u32,
}

/// What a service is made of.
pub(crate) struct Parts {
    pub(crate) store: Datastore,
    pub(crate) permit_key: KeyPair,
    pub(crate) own: Thumbprint,
    pub(crate) policies: Policies,
    pub(crate) addresses: BTreeMap<String, String>,
    pub(crate) limits: Limits,
}

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            store: parts.store,
            permit_key: parts.permit_key,
            own: parts.own,
            policies: parts.policies,
            clock: Clock::default(),
            rates: Rates::new(&parts.limits),
            wake: Wake::default(),
            tunnels: Tunnels::new(parts.limits.tunnels),
            drivers: Drivers::default(),
            open_jobs: OpenJobs { of_holder: parts.limits.jobs, of_store: parts.limits.jobs_in_store },
            addresses: parts.addresses,
            request_time: Duration::from_secs(parts.limits.request_secs),
            stop: CancellationToken::new(),
            known: Mutex::default(),
            frontiers: Mutex::default(),
        }
    }

    /// The account, as this transaction sees its documents.
    pub(crate) async fn account(
        &self,
        transaction: &mut impl Reading,
        id: AccountId,
    ) -> Result<Arc<Account>, Failure> {
        let mut rows = Rows::of(transaction, &id);
        let stamp = rows.stamp().await?;
        let known = lock(&self.known).get(&id).cloned();
        if let Some(known) = known.filter(|known| known.stamp == stamp) {
            return Ok(known);
        }
        let account = Account::load(&mut rows, id, stamp).await?.ok_or(Failure::UnknownAccount)?;
        self.clock.recall(id, Seconds(rows.mark().await?));
        let account = Arc::new(account);
        lock(&self.known).insert(id, Arc::clone(&account));
        Ok(account)
    }

    /// The frontier of the account's Merkle log, if the one that is remembered has this size.
    pub(crate) fn frontier(&self, id: AccountId, size: u64) -> Option<Frontier> {
        lock(&self.frontiers).get(&id).filter(|frontier| frontier.size() == size).cloned()
    }

    /// Remembers the frontier of the account's Merkle log. A wrong one does no harm: its size tells.
    pub(crate) fn remember_frontier(&self, id: AccountId, frontier: Frontier) {
        lock(&self.frontiers).insert(id, frontier);
    }

    /// Every account in the datastore.
    pub(crate) async fn accounts(&self) -> Result<Vec<AccountId>, Failure> {
        Ok(accounts(&mut self.store.read().await?).await?)
    }

    /// Stores the first root document of an account that isn't known yet, and notes that the account is served.
    pub(crate) async fn install(self: &Arc<Self>, installed: &Installed) -> Result<(), Failure> {
        let id = installed.root.account();
        let mut write = self.store.write().await?;
        let mut rows = Rows::of(&mut write, &id);
        let new = rows.stamp().await?.root == 0;
        let signed = installed.root.signed();
        if new {
            rows.put_root(1, &to_canonical(signed), crate::clock::wall().0).await?;
        }
        let mut unit = crate::unit::Unit::in_transaction(self, write, id, self.own).await?;
        if new {
            unit.record(Event::RootInstalled { version: 1, hash: Hash(hash(signed.body())) }).await?;
        }
        unit.record(Event::Started).await?;
        let now = self.clock.now(id)?;
        for grant in &installed.grants {
            // It may have ended, or been replaced, since the file was written.
            if let Err(failure) = crate::routes::grants::store(&mut unit, grant, now).await {
                tracing::info!(grant = grant.body().id, %failure, "grant in the accounts' directory not taken up");
            }
        }
        unit.commit().await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
