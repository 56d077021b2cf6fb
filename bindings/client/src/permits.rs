//! Permits: asked for at the access manager, kept for as long as they are good, renewed ahead of their end.

use crate::access::{Access, Subject, api_operation, document};
use crate::bounded::Bounded;
use crate::error::{Error, Integrity, ServerName};
use crate::managers::Managers;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};
use symbolon_channel::CancellationToken;
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, path};
use symbolon_trust::{Grant, Operation, PERMIT_LIFETIME, Permit, Signed};

/// Permits that are kept at a time.
const KEPT: usize = 4096;
/// The share of its life after which a permit in use is renewed: two thirds.
const RENEW_AFTER: (u32, u32) = (2, 3);
/// A permit is no longer used when less than this is left of its life.
const SPARE: Duration = Duration::from_secs(2);

/// What a permit is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) key: KeyId,
    /// The version; none for the newest.
    pub(crate) version: Option<u64>,
    pub(crate) operation: WantedOperation,
    pub(crate) on_behalf_of: Option<Arc<str>>,
}

/// The operations that take a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum WantedOperation {
    Encrypt,
    Decrypt,
    Sign,
}

/// A permit in hand, with the grant that it names.
pub(crate) struct HeldPermit {
    pub(crate) grant: Signed<Grant>,
    pub(crate) permit: Signed<Permit>,
    /// When it is used no more.
    pub(crate) ends: Instant,
    renew: Instant,
}

/// The permits of a client.
pub(crate) struct Permits {
    access: Access,
    /// The name by which this client acknowledges deny documents, if it does.
    process: OnceLock<[u8; 32]>,
    managers: Arc<Managers>,
    places: Bounded<Wanted, Arc<Place>>,
    /// Set when the client is closed: nothing is renewed any more.
    closed: CancellationToken,
}

/// One permit's place. The lock is held while it is asked for, so that many operations ask once.
#[derive(Default)]
struct Place {
    held: RwLock<Option<Arc<HeldPermit>>>,
    asking: tokio::sync::Mutex<()>,
}

impl From<WantedOperation> for Operation {
    fn from(operation: WantedOperation) -> Self {
        match operation {
            WantedOperation::Encrypt => Self::Encrypt,
            WantedOperation::Decrypt => Self::Decrypt,
            WantedOperation::Sign => Self::Sign,
        }
    }
}

impl HeldPermit {
    /// The permit's id.
    pub(crate) fn id(&self) -> [u8; 16] {
        self.permit.body().id
    }

    /// The version that it is for.
    pub(crate) fn version(&self) -> u64 {
        self.permit.body().version
    }

    fn new(grant: Signed<Grant>, permit: Signed<Permit>, asked: Instant) -> Self {
        let body = permit.body();
        let life = body.not_after.0.saturating_sub(body.issued.0).min(PERMIT_LIFETIME);
        let life = Duration::from_secs(life).saturating_sub(SPARE);
        Self { grant, permit, ends: asked + life, renew: asked + life * RENEW_AFTER.0 / RENEW_AFTER.1 }
    }
}

impl Permits {
    pub(crate) fn new(access: Access, managers: Arc<Managers>, closed: CancellationToken) -> Arc<Self> {
        Arc::new(Self { access, process: OnceLock::new(), managers, places: Bounded::new(KEPT), closed })
    }

    /// The name by which this client acknowledges deny documents: permits are asked for under it from now on.
    pub(crate) fn process(&self) -> [u8; 32] {
        *self.process.get_or_init(crate::random::bytes)
    }

    /// A permit that is good for a while. One that nears its end is renewed behind the caller's back.
    pub(crate) async fn get(self: &Arc<Self>, wanted: &Wanted) -> Result<Arc<HeldPermit>, Error> {
        let place = self.places.get_or_insert_with(wanted, Arc::default);
        let now = Instant::now();
        match place.held() {
            Some(held) if now < held.renew => return Ok(held),
            Some(held) if now < held.ends => {
                self.renew_behind(wanted.clone(), place, &held);
                return Ok(held);
            }
            _ => {}
        }
        let _asking = place.asking.lock().await;
        match place.held().filter(|held| Instant::now() < held.renew) {
            Some(held) => Ok(held),
            None => self.ask(wanted, &place).await,
        }
    }

    /// Lets go of all permits: the next operations ask anew.
    pub(crate) fn forget(&self) {
        self.places.clear();
    }

    fn renew_behind(self: &Arc<Self>, wanted: Wanted, place: Arc<Place>, old: &HeldPermit) {
        let (permits, old) = (self.clone(), old.id());
        let closed = self.closed.clone();
        tokio::spawn(closed.run_until_cancelled_owned(async move {
            let Ok(_asking) = place.asking.try_lock() else { return };
            match permits.ask(&wanted, &place).await {
                Ok(renewed) => permits.managers.show_ahead(old, &renewed).await,
                Err(error) => tracing::debug!(key = %wanted.key, ?error, "a permit was not renewed"),
            }
        }));
    }

    async fn ask(&self, wanted: &Wanted, place: &Place) -> Result<Arc<HeldPermit>, Error> {
        let (asked, operation) = (Instant::now(), wanted.operation.into());
        let request = api::PermitRequest {
            key: wanted.key.as_str().into(),
            version: wanted.version,
            operations: vec![api_operation(operation)],
            on_behalf_of: wanted.on_behalf_of.as_deref().map(Into::into),
            process: self.process.get().copied().map(api::Id),
        };
        let path = path::of_account(path::PERMITS, self.access.account());
        let about = Subject { key: Some(&wanted.key), version: wanted.version, operation: Some(operation) };
        let answer: api::Permit =
            self.access.post(path, &request).await.map_err(|error| self.access.explain(error, about))?;
        let held = Arc::new(read(&answer, wanted, asked)?);
        *place.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        Ok(held)
    }
}

impl Place {
    fn held(&self) -> Option<Arc<HeldPermit>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads an answer. Whether the signatures are right is for the managers to judge; that it is about the key that was
/// asked for is checked here, because the version that it names is used.
fn read(answer: &api::Permit, wanted: &Wanted, asked: Instant) -> Result<HeldPermit, Error> {
    let grant = document(&answer.grant).map_err(|_| Integrity::Protocol(ServerName::AccessManager))?;
    let permit: Signed<Permit> =
        document(&answer.permit).map_err(|_| Integrity::Protocol(ServerName::AccessManager))?;
    let body = permit.body();
    let version = wanted.version.unwrap_or(body.version);
    if body.key != wanted.key || body.version != version {
        return Err(Integrity::Protocol(ServerName::AccessManager).into());
    }
    Ok(HeldPermit::new(grant, permit, asked))
}
