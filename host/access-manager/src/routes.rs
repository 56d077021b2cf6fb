//! The routes: one file a noun. The router and its `OpenAPI` document are one thing.

mod audit;
mod ceremonies;
mod create;
mod deny;
pub(crate) mod grants;
mod hsm_keys;
mod jobs;
mod key_leases;
mod keys;
mod leases;
mod meta;
mod orders;
mod permits;
mod root;
mod sets;
mod systems;
mod tenants;

use crate::{failure::Failure, service::Service};
use std::sync::Arc;
use symbolon_protocol::api::ProblemType;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the `OpenAPI` document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Symbolon access manager",
        description = "Metadata, permits and logs of keys that exist only as fragments. Mutual TLS 1.3; the holder is \
                       the client certificate's key. Signed documents travel as base64url of their canonical encoding. \
                       `CONNECT <account>.<index>:443` is a byte relay to a fragment manager, which OpenAPI can't describe.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(symbolon_protocol::api::Problem, ProblemType))
)]
struct Document;

/// All routes with their description.
pub(crate) fn router() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(meta::health))
        .routes(routes!(meta::openapi))
        .routes(routes!(root::show, root::put))
        .routes(routes!(deny::show, deny::put))
        .routes(routes!(key_leases::acknowledge))
        .routes(routes!(orders::list, orders::add))
        .routes(routes!(grants::list, grants::add))
        .routes(routes!(grants::show))
        .routes(routes!(keys::list, create::key))
        .routes(routes!(keys::show, keys::label))
        .routes(routes!(key_leases::list))
        .routes(routes!(create::version))
        .routes(routes!(create::certify))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::show))
        .routes(routes!(tenants::rotate))
        .routes(routes!(systems::list, systems::create))
        .routes(routes!(systems::show))
        .routes(routes!(systems::rotate))
        .routes(routes!(permits::issue))
        .routes(routes!(jobs::submit))
        .routes(routes!(jobs::show))
        .routes(routes!(leases::lease))
        .routes(routes!(leases::renew))
        .routes(routes!(leases::give_back))
        .routes(routes!(leases::finish))
        .routes(routes!(sets::list))
        .routes(routes!(sets::show))
        .routes(routes!(sets::instances))
        .routes(routes!(sets::refresh))
        .routes(routes!(ceremonies::read, ceremonies::post))
        .routes(routes!(audit::entries))
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::proof))
        .routes(routes!(audit::cosign))
        .fallback(nothing_here)
}

async fn nothing_here() -> Failure {
    Failure::NotFound("there is nothing at this path; /openapi.json lists what there is")
}

/// Most items of a page, and how many there are where the caller doesn't say.
const MOST: u32 = 1000;
const USUAL: u32 = 100;

fn limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(Failure::malformed(format_args!("limit is 1 to {MOST}"))),
    }
}

/// The place after which a page begins, from the cursor that the page before gave.
fn after(cursor: Option<&str>) -> Result<u64, Failure> {
    cursor.map_or(Ok(0), |cursor| {
        cursor.parse().map_err(|_| Failure::malformed("cursor is the previous page's `next`"))
    })
}

/// The next page's cursor, if this one is full.
fn next(items: usize, limit: u32, last: Option<u64>) -> Option<String> {
    last.filter(|_| items == limit as usize).map(|last| last.to_string())
}
