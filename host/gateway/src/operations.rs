//! The four operations: bytes in JSON in, the client's work, bytes in JSON out.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use symbolon_client::{Context, Header, Preamble};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{
    self, DataKey, DataKeyRequest, DecryptRequest, Decrypted, Document, EncryptRequest, Encrypted, Problem,
    ProblemType, Secret, UnwrapRequest,
};

use zeroize::Zeroizing;

use crate::app::Acting;
use crate::failure::{Body, Failure};

/// Encrypts a small message.
#[utoipa::path(post, path = api::path::ENCRYPT, responses(
    (status = 200, body = Encrypted),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn encrypt(
    Acting(client): Acting,
    Body(request): Body<EncryptRequest>,
) -> Result<Json<Encrypted>, Failure> {
    let key = key_id(&request.key)?;
    let ciphertext = Box::pin(client.encrypt(&key, &request.plaintext.0, &context(request.context)?)).await?;
    let version = header(&ciphertext)?.version;
    Ok(Json(Encrypted { ciphertext: Document(ciphertext), version }))
}

/// Decrypts what [`encrypt`], or any other client, encrypted.
#[utoipa::path(post, path = api::path::DECRYPT, responses(
    (status = 200, body = Decrypted),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn decrypt(
    Acting(client): Acting,
    Body(request): Body<DecryptRequest>,
) -> Result<Json<Decrypted>, Failure> {
    let header = header(&request.ciphertext.0)?;
    let plaintext = client.decrypt(&request.ciphertext.0, &context(request.context)?).await?;
    Ok(Json(Decrypted { plaintext: Secret(plaintext), key: header.key.to_string(), version: header.version }))
}

/// Makes a data key: use the plain one and forget it, keep the wrapped one beside the data.
#[utoipa::path(post, path = api::path::DATA_KEYS, responses(
    (status = 200, body = DataKey),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn create_data_key(
    Acting(client): Acting,
    Body(request): Body<DataKeyRequest>,
) -> Result<Json<DataKey>, Failure> {
    let made = Box::pin(client.data_key(&key_id(&request.key)?, &context(request.context)?)).await?;
    answer(&made)
}

/// Unwraps a data key.
#[utoipa::path(post, path = api::path::DATA_KEYS_UNWRAP, responses(
    (status = 200, body = DataKey),
    (status = "default", body = Problem, content_type = api::PROBLEM_MEDIA_TYPE),
))]
pub(crate) async fn unwrap_data_key(
    Acting(client): Acting,
    Body(request): Body<UnwrapRequest>,
) -> Result<Json<DataKey>, Failure> {
    answer(&client.open_data_key(&request.wrapped.0, &context(request.context)?).await?)
}

fn answer(key: &symbolon_client::DataKey) -> Result<Json<DataKey>, Failure> {
    let version = header(key.wrapped())?.version;
    let plaintext = Secret(Zeroizing::new(key.expose().to_vec()));
    Ok(Json(DataKey { plaintext, wrapped: Document(key.wrapped().to_vec()), version }))
}

fn key_id(text: &str) -> Result<KeyId, Failure> {
    text.parse().map_err(|_| Failure::new(ProblemType::Malformed, "`key` is not a key id"))
}

fn context(pairs: api::Context) -> Result<Context, Failure> {
    Context::from_pairs(pairs).map_err(|error| Failure::new(ProblemType::Malformed, error.to_string()))
}

/// What a ciphertext says about itself.
fn header(ciphertext: &[u8]) -> Result<Header, Failure> {
    let preamble = Preamble::parse(ciphertext)
        .map_err(|error| Failure::new(ProblemType::InvalidCiphertext, error.to_string()))?;
    Ok(preamble.header().clone())
}

/// The system's clock, Unix seconds.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
