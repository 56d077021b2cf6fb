//! What the server says about itself.

use crate::{answer::Answer, clock::wall};
use symbolon_protocol::api::{Health, path};
use symbolon_store::Role;

/// Whether the server serves.
#[utoipa::path(get, path = path::HEALTH, responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Answer {
    let (role, version) = (Role::AccessManager.name().into(), env!("CARGO_PKG_VERSION").into());
    Answer::json(&Health { role, version, time: wall().0 })
}

/// The interface's description (`OpenAPI` 3.1), made from the code.
#[utoipa::path(get, path = path::OPENAPI, responses((status = 200, description = "OpenAPI document")))]
pub(crate) async fn openapi() -> Answer {
    Answer::json(&crate::openapi())
}
