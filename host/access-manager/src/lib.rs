//! The access manager role: metadata, policy, permits, the relay, the ceremony log, and the audit log.
//!
//! It stores and serves what owners, holders and managers sign, and signs two things itself: permits and checkpoints.
//! It can't make a grant, a root document, a key or a certificate, and holds no fragment. Whatever it changes, it
//! changes together with its audit entry or not at all ([`unit`](crate)).
#![forbid(unsafe_code)]

mod account;
mod accounts;
mod answer;
mod call;
mod ceremony;
mod clock;
mod config;
mod drivers;
mod failure;
mod holdings;
mod housekeeping;
mod idempotency;
mod journal;
mod links;
mod policy;
mod poll;
mod rate;
mod relay;
mod routes;
mod server;
mod service;
mod show;
mod unit;
mod wake;

pub use accounts::AccountsError;
pub use config::{Config, Limits, Public};
pub use policy::PolicyError;
pub use server::{AccessManager, Keys, Listeners, OpenError, RunError, run};

/// The interface's description (`OpenAPI` 3.1), made from the routes themselves.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::router().into_openapi()
}
