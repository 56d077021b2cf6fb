//! Channels between roles: mutual TLS 1.3 with pinned keys, framed messages inside, and the relay around.
//!
//! It moves messages and proves keys. It knows no document, checks no grant and stores nothing.
//!
//! - [`identity`]: a key as a TLS party. [`tls`]: the configurations.
//! - [`dial`]: a client's way to a server; [`channel`]: calls over it; [`http`]: the access manager's interfaces.
//! - [`listener`]: accepting connections; [`server`]: answering frames on them; [`quiet`]: closing those of HTTP that nobody
//!   uses; [`relay`]: carrying tunnels.
#![forbid(unsafe_code)]

pub mod channel;
pub mod dial;
mod frame;
pub mod http;
pub mod identity;
pub mod listener;
pub mod quiet;
pub mod relay;
pub mod server;
mod socket;
pub mod tls;

pub use channel::{CallError, Channel};
pub use dial::{DialError, Dialler, Route, Server};
pub use frame::FrameError;
pub use identity::{Identity, IdentityError};
pub use rustls;
pub use tokio_util::sync::CancellationToken;
