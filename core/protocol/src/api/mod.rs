//! The JSON types and paths of the REST interfaces (specification §7), shared by the servers and by every client.
//!
//! Signed documents travel in JSON as base64url of their canonical encoding ([`Document`]), so that what was signed
//! is never rebuilt from JSON. Nothing here checks a signature or decides anything: that is `symbolon-trust` and the
//! access manager.

mod audit;
mod ceremony;
mod chain;
mod encoded;
mod gateway;
mod grant;
mod job;
mod key;
mod lease;
pub mod path;
mod permit;
mod problem;
mod set;

pub use audit::{
    Checkpoint, ConsistencyProof, Cosignature, EntryPage, EntryQuery, InclusionProof, ProofQuery,
};
pub use ceremony::{LogEntry, LogHead, LogPage, LogPost, LogQuery};
pub use chain::{
    System, SystemPage, SystemQuery, SystemSummary, SystemVersion, Tenant, TenantPage, TenantQuery,
    TenantSummary, TenantVersion, WrappedKey,
};
pub use encoded::{Document, DocumentError, Id, Secret};
pub use gateway::{
    Context, DataKey, DataKeyRequest, DecryptRequest, Decrypted, EncryptRequest, Encrypted,
    OpenVolumeKeyRequest, UnwrapRequest, VolumeKeyRequest,
};
pub use grant::{Grant, GrantPage, GrantQuery, GrantState, Order, OrderPage};
pub use job::{
    Job, JobAnswer, JobGiveBack, JobLease, JobPage, JobPost, JobQuery, JobReceipt, JobRenewal, JobState,
    JobTrouble, JobWait, LeasedJob, NoTrouble,
};
pub use key::{
    CreateKey, Key, KeyKind, KeyPage, KeyPatch, KeyQuery, KeyState, KeySummary, KeyVersion, KeyWait, Labels,
    Purpose, VersionState,
};
pub use lease::{KeyLease, KeyLeases};
pub use permit::{Operation, Permit, PermitRequest};
pub use problem::{PROBLEM_MEDIA_TYPE, Problem, ProblemType};
pub use set::{Instance, RefreshRequest, Refreshed, Set, SetPage, SetQuery};

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// One signed document, as the body of a request or of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// The document and its signatures.
    pub document: Document,
}

/// What of a document with versions is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
    /// The version; the newest where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Which page of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many items, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Whether the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// The role that answers, such as `access-manager`.
    pub role: String,
    /// The program's version.
    pub version: String,
    /// The server's clock, Unix seconds.
    pub time: u64,
}
