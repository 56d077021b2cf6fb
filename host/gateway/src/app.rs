//! The gateway's interface: operations on bytes in JSON, and what says that it lives.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use symbolon_client::Client;
use symbolon_client::chain::Chain;
use symbolon_protocol::api::path::{HEALTH, OPENAPI};
use symbolon_protocol::api::{Health, ProblemType};
use tokio::time::timeout;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::callers::{Caller, Callers, CallersError, CallersFile};
use crate::chain;
use crate::config::Limits;
use crate::failure::Failure;
use crate::listener::Peer;
use crate::operations;

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) limits: Limits,
}

/// One account: the gateway's own client, and who may call it.
pub(crate) struct Tenant {
    pub(crate) client: Client,
    pub(crate) chain: Chain,
    pub(crate) callers: CallersFile,
}

/// A client that acts for the caller who proved to be one: its permits name the caller.
pub(crate) struct Acting(pub(crate) Client);

/// The account's key chains, for the caller who proved to be one: permits name the caller, and leases are the caller's own.
pub(crate) struct ActingChain {
    pub(crate) chain: Chain,
    pub(crate) caller: Caller,
}

/// The whole interface.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let (router, _) = described().split_for_parts();
    router
        .route(OPENAPI, get(openapi))
        .route(HEALTH, get(healthz))
        .fallback(|| async { Failure::from(ProblemType::NotFound) })
        .method_not_allowed_fallback(|| async { Failure::from(ProblemType::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(shared.limits.body_bytes))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), bounded))
        .with_state(shared)
}

/// The `OpenAPI` document of the interface, JSON, made from the code that serves it.
///
/// # Panics
/// Never: the document is made of strings and maps.
pub fn description() -> String {
    document().to_pretty_json().expect("strings and maps are JSON")
}

/// What the document says beside the operations.
#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Symbolon gateway",
    description = "Encrypts and decrypts for programs without a client library, at the customer's side. Callers show a \
                   bearer token or a client certificate. Bytes are base64url without padding.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct Document;

fn document() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(<Document as utoipa::OpenApi>::openapi())
        .routes(routes!(operations::encrypt))
        .routes(routes!(operations::decrypt))
        .routes(routes!(operations::create_data_key))
        .routes(routes!(operations::unwrap_data_key))
        .routes(routes!(chain::create_data_key))
        .routes(routes!(chain::open_data_key))
}

async fn openapi() -> Json<OpenApi> {
    Json(document())
}

/// Whether the gateway can tell its callers apart: a balancer sends nothing to one that cannot.
async fn healthz(State(shared): State<Arc<Shared>>) -> Result<Json<Health>, Failure> {
    for tenant in &shared.tenants {
        tenant.callers.current()?;
    }
    Ok(Json(Health {
        role: "gateway".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        time: operations::unix_time(),
    }))
}

/// No answer is kept by a cache, and no request takes longer than its time.
async fn bounded(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match timeout(shared.limits.request_time(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::from(ProblemType::TooSlow).into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

impl From<CallersError> for Failure {
    fn from(error: CallersError) -> Self {
        tracing::error!(cause = &error as &dyn std::error::Error, "a list of callers cannot be used");
        Self::new(ProblemType::Unavailable, "the gateway cannot read its list of callers")
    }
}

impl FromRequestParts<Arc<Shared>> for Acting {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let (tenant, caller) = caller(parts, shared)?;
        Ok(Self(tenant.client.on_behalf_of(caller.name())))
    }
}

impl FromRequestParts<Arc<Shared>> for ActingChain {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let (tenant, caller) = caller(parts, shared)?;
        Ok(Self { chain: tenant.chain.on_behalf_of(caller.name()), caller })
    }
}

/// Who calls, and whose gateway they call.
fn caller<'s>(parts: &Parts, shared: &'s Shared) -> Result<(&'s Tenant, Caller), Failure> {
    for tenant in &shared.tenants {
        if let Some(caller) = recognise(parts, &*tenant.callers.current()?) {
            return Ok((tenant, caller));
        }
    }
    let advice = "send a bearer token or a client certificate that the gateway lists";
    Err(Failure::new(ProblemType::Unauthenticated, advice))
}

/// By client certificate where one was shown and is listed, else by bearer token.
fn recognise(parts: &Parts, callers: &Callers) -> Option<Caller> {
    let by_key = parts.extensions.get::<Peer>().and_then(|peer| callers.by_key(peer.0.as_ref()?).ok());
    by_key.or_else(|| callers.by_token(bearer_token(parts)?).ok())
}

/// The token of `Authorization: Bearer …` (RFC 6750).
fn bearer_token(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
