//! The append-only ceremony log of an account, as it travels.
//!
//! A message's own format, its signature and the chain's hash are the ceremony's (specification §5).

use super::{Document, Id};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogEntry {
    /// Its place, from 1, without gaps.
    pub sequence: u64,
    /// Hash of the chain up to and including it.
    pub hash: Id,
    /// The message.
    pub message: Document,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogHead {
    /// The last entry's place; 0 for an empty log.
    pub sequence: u64,
    /// The chain's hash there; all zero for an empty log.
    pub hash: Id,
}

/// What `GET …/ceremonies/log` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Only entries behind this place.
    #[serde(default)]
    pub after: u64,
    /// Where there are none, wait at most so many seconds (30 at most) for one.
    #[serde(default)]
    pub wait: u64,
    /// At most so many entries, 1 to 1000; 100 where it is absent. A page is cut at 8 MiB too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The entries, in order.
    pub entries: Vec<LogEntry>,
    /// Where the log ends; more than these entries may lie before it.
    pub head: LogHead,
}

/// Body of `POST …/ceremonies/log`: messages appended together, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogPost {
    /// The messages, signed by the caller's identity key. The log is at-least-once: a message may come twice.
    pub messages: Vec<Document>,
}
