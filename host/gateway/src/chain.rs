//! Data keys of key chains: made and opened for storage systems that know a system, a volume, and how to keep a wrapped
//! key beside the data.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use symbolon_client::chain::VolumeKey;
use symbolon_keychain::{Purpose, SystemId, Volume, WrongName};
use symbolon_protocol::api::{
    self, DataKey, Document, OpenVolumeKeyRequest, Problem, ProblemType, Secret, VolumeKeyRequest,
};
use zeroize::Zeroizing;

use crate::app::{ActingChain, Shared};
use crate::callers::Caller;
use crate::failure::{Body, Failure};

/// Makes a data key for a volume: use the plain one and forget it, keep the wrapped one beside the data.
#[utoipa::path(post, path = api::path::SYSTEM_DATA_KEYS, params(("system" = String, Path)), responses(
    (status = 200, body = DataKey),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn create_data_key(
    ActingChain { chain, caller }: ActingChain,
    SystemName(system): SystemName,
    Body(request): Body<VolumeKeyRequest>,
) -> Result<Json<DataKey>, Failure> {
    let (volume, purpose) = (name(&request.volume)?, purpose(request.purpose.as_deref())?);
    let made = Box::pin(chain.create_data_key(&system, &volume, &purpose)).await?;
    log("made", &caller, &system, &volume, &purpose, made.version);
    Ok(answer(made))
}

/// Opens the data key of a volume.
#[utoipa::path(post, path = api::path::SYSTEM_DATA_KEYS_OPEN, params(("system" = String, Path)), responses(
    (status = 200, body = DataKey),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn open_data_key(
    ActingChain { chain, caller }: ActingChain,
    SystemName(system): SystemName,
    Body(request): Body<OpenVolumeKeyRequest>,
) -> Result<Json<DataKey>, Failure> {
    let (volume, purpose) = (name(&request.volume)?, purpose(request.purpose.as_deref())?);
    let opened = Box::pin(chain.open_data_key(&request.wrapped.0, &system, &volume, &purpose)).await?;
    log("opened", &caller, &system, &volume, &purpose, opened.version);
    Ok(answer(opened))
}

/// One line a data key, before it is handed out: under a lease the access manager doesn't hear of it.
fn log(done: &str, caller: &Caller, system: &SystemId, volume: &Volume, purpose: &Purpose, version: u64) {
    let (caller, volume, purpose) = (caller.name(), volume.as_str(), purpose.as_str());
    tracing::info!(caller, %system, version, volume, purpose, "data key {done}");
}

fn answer(key: VolumeKey) -> Json<DataKey> {
    let plaintext = Secret(Zeroizing::new(key.key.expose().to_vec()));
    Json(DataKey { plaintext, wrapped: Document(key.wrapped), version: key.version })
}

fn purpose(named: Option<&str>) -> Result<Purpose, Failure> {
    named.map_or_else(|| Ok(Purpose::luks()), name)
}

fn name<T: FromStr<Err = WrongName>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error: WrongName| Failure::new(ProblemType::Malformed, error.to_string()))
}

/// The system that the path names.
pub(crate) struct SystemName(SystemId);

impl FromRequestParts<Arc<Shared>> for SystemName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, shared)
            .await
            .map_err(|_| Failure::from(ProblemType::NotFound))?;
        name(&text).map(Self)
    }
}
