//! The gateway role: encryption over HTTPS for programs without a client library.
//!
//! It runs on the customer's side, with a client profile and a grant of its own, and combines there. Callers prove who they are by a
//! bearer token or a client certificate; their names go into every permit as `on-behalf-of`, so that the access manager's policy
//! decides and its audit log tells. It is not a key store: nothing that it derives outlives the request, nothing of it touches a disk.
#![forbid(unsafe_code)]

mod app;
pub mod callers;
mod chain;
mod config;
mod failure;
mod listener;
mod operations;
mod outcome;
mod run;
pub mod tls;

pub use app::description;
pub use config::{Account, Config, Limits, Tls};
pub use run::{Gateway, OpenError};
