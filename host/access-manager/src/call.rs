//! A request as handlers see it: who calls, about which account, with which body. What is wrong with it is a problem.

use crate::{
    account::{Account, Standing},
    answer::Answer,
    failure::Failure,
    holdings::Holdings,
    idempotency::{Begun, Idempotency},
    policy::Action,
    service::Service,
    unit::Unit,
};
use axum::{
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{
        HeaderMap,
        header::{CONTENT_TYPE, IF_MATCH},
        request::Parts,
    },
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Instant};
use symbolon_audit::{Event, Refused};
use symbolon_fragments::names::{AccountId, KeyId};
use symbolon_keychain::{SystemId, TenantId};
use symbolon_protocol::{api::Id, jobs::JobId};
use symbolon_store::access::Rows;
use symbolon_trust::{Now, ProvenHolder};
use tokio::time::timeout;

/// The entity tag that a change has to name.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<&str, Failure> {
    headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok()).ok_or(Failure::PreconditionRequired)
}

/// Who is at the other end of the connection; nobody on the public port without a client certificate.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<ProvenHolder>);

/// A request of a proven holder about an account of this server.
pub(crate) struct Call {
    pub(crate) service: Arc<Service>,
    pub(crate) account: Arc<Account>,
    pub(crate) holder: ProvenHolder,
}

impl Call {
    /// A call about an account, if its holder doesn't call too often.
    pub(crate) async fn new(service: &Arc<Service>, peer: Peer, account: AccountId) -> Result<Self, Failure> {
        let holder = peer.0.ok_or(Failure::Unauthenticated)?;
        service.rates.take(holder.thumbprint(), Instant::now())?;
        let mut read = service.store.read().await?;
        let account = service.account(&mut read, account).await?;
        Ok(Self { service: Arc::clone(service), account, holder })
    }

    /// The account's id.
    pub(crate) fn id(&self) -> AccountId {
        self.account.id()
    }

    /// The time, if the clock was not set back.
    pub(crate) fn now(&self) -> Result<Now, Failure> {
        Ok(self.service.clock.now(self.id())?)
    }

    /// Who the caller is to the account.
    pub(crate) fn standing(&self) -> Standing {
        self.account.standing(&self.holder)
    }

    /// The caller's grants.
    pub(crate) async fn holdings(&self) -> Result<Holdings, Failure> {
        let mut read = self.service.store.read().await?;
        let rows = &mut Rows::of(&mut read, &self.id());
        Holdings::read(rows, &self.account, self.holder.thumbprint(), self.now()?).await
    }

    /// Refuses whoever is neither owner nor member nor named by a grant.
    pub(crate) async fn party(&self) -> Result<(), Failure> {
        match self.standing() {
            Standing::Owner | Standing::Member(_) => Ok(()),
            Standing::Other if !self.holdings().await?.is_empty() => Ok(()),
            Standing::Other => Err(Failure::NoParty(self.holder.thumbprint())),
        }
    }

    /// Refuses what the operator's policy forbids to this holder in the account as a whole.
    pub(crate) fn allowed(&self, action: Action) -> Result<(), Failure> {
        let time = self.now()?.time();
        Ok(self.service.policies.check_account(self.id(), action, self.holder.thumbprint(), time)?)
    }

    /// Begins a unit of work.
    pub(crate) async fn begin(&self) -> Result<Unit, Failure> {
        Unit::begin(&self.service, self.id(), self.holder.thumbprint()).await
    }

    /// Ends a unit of work: commits it with its answer, or rolls it back and logs that it was refused.
    pub(crate) async fn finish(
        &self,
        unit: Unit,
        refused: impl FnOnce(symbolon_audit::Refusal) -> Event,
        outcome: Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        match outcome {
            Ok(answer) => unit.commit().await.map(|()| answer),
            Err(failure) => {
                drop(unit);
                if let Some(reason) = failure.refusal() {
                    self.log_refusal(refused(reason)).await?;
                }
                Err(failure)
            }
        }
    }

    /// Does a request in a unit of work of its own, and answers a repetition of it without doing it again.
    pub(crate) async fn once(
        &self,
        headers: &HeaderMap,
        request: [u8; 32],
        what: Refused,
        act: impl AsyncFnOnce(&mut Unit) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let idempotency = Idempotency::of(headers, request)?;
        let mut unit = match idempotency.begin(self).await? {
            Begun::New(unit) => unit,
            Begun::Answered(answer) => return Ok(answer),
        };
        let outcome = match act(&mut unit).await {
            Ok(answer) => idempotency.remember(&mut unit, &answer).await.map(|()| answer),
            failed => failed,
        };
        self.finish(unit, refused(what), outcome).await
    }

    /// Logs a refusal; of strangers only in the server's own log, which costs the account nothing.
    async fn log_refusal(&self, event: Event) -> Result<(), Failure> {
        if self.party().await.is_err() {
            tracing::info!(holder = %self.holder.thumbprint(), ?event, "refused");
            return Ok(());
        }
        let mut unit = self.begin().await?;
        unit.record(event).await?;
        unit.commit().await
    }
}

/// The audit event for something that is refused.
pub(crate) fn refused(what: Refused) -> impl FnOnce(symbolon_audit::Refusal) -> Event {
    move |reason| Event::Refused { what, reason }
}

impl FromRequestParts<Arc<Service>> for Call {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Failure> {
        let peer = parts.extensions.get().copied().unwrap_or(Peer(None));
        let id: Id = parameter(parts, "account").await?.parse().map_err(|_| Failure::UnknownAccount)?;
        Self::new(service, peer, AccountId::new(id.0)).await
    }
}

async fn parameter(parts: &mut Parts, name: &str) -> Result<String, Failure> {
    let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(Failure::malformed)?;
    let found = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    found.ok_or(Failure::NotFound("there is nothing at this path"))
}

/// The key that the path names.
pub(crate) struct KeyName(pub(crate) KeyId);

impl FromRequestParts<Arc<Service>> for KeyName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        parameter(parts, "key").await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The tenant that the path names.
pub(crate) struct TenantName(pub(crate) TenantId);

impl FromRequestParts<Arc<Service>> for TenantName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        parameter(parts, "tenant").await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The system that the path names.
pub(crate) struct SystemName(pub(crate) SystemId);

impl FromRequestParts<Arc<Service>> for SystemName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        parameter(parts, "system").await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The number that the path names: a grant's, or a key version's.
pub(crate) struct Number(pub(crate) u64);

impl FromRequestParts<Arc<Service>> for Number {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        let name = if parts.uri.path().ends_with("/certificate") { "version" } else { "id" };
        parameter(parts, name).await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The job that the path names.
pub(crate) struct JobName(pub(crate) JobId);

impl FromRequestParts<Arc<Service>> for JobName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        parameter(parts, "job").await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The fragment set that the path names.
pub(crate) struct SetName(pub(crate) Id);

impl FromRequestParts<Arc<Service>> for SetName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        parameter(parts, "set").await?.parse().map(Self).map_err(Failure::malformed)
    }
}

/// The query. A parameter that isn't known is refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Service>> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Service>) -> Result<Self, Failure> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|rejection| Failure::malformed(rejection.body_text()))
    }
}

/// The most bytes of a body, where a route doesn't say otherwise: the longest of the owner's documents, as base64.
pub(crate) const BODY: usize = 2 << 20;

/// A JSON body of at most `MOST` bytes, and the hash by which a repetition of the request is known.
pub(crate) struct Json<T, const MOST: usize = BODY> {
    pub(crate) body: T,
    pub(crate) request: [u8; 32],
}

impl<T: DeserializeOwned, const MOST: usize> FromRequest<Arc<Service>> for Json<T, MOST> {
    type Rejection = Failure;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Failure::UnsupportedMediaType);
        }
        let mut hash = Sha256::new_with_prefix(request.method().as_str());
        hash.update(request.uri().path());
        let arriving = timeout(service.request_time, Limited::new(request.into_body(), MOST).collect());
        let arrived = arriving.await.map_err(|_| Failure::TooSlow(service.request_time.as_secs()))?;
        let bytes = arrived.map_err(|error| body_failure(&*error, MOST))?.to_bytes();
        hash.update(&bytes);
        let body = serde_json::from_slice(&bytes).map_err(Failure::malformed)?;
        Ok(Self { body, request: hash.finalize().into() })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn body_failure(error: &(dyn std::error::Error + Send + Sync + 'static), most: usize) -> Failure {
    if error.is::<LengthLimitError>() {
        Failure::TooLarge(most)
    } else {
        Failure::malformed("the body broke off")
    }
}
