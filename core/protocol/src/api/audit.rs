//! The Merkle log of an account, as it travels.

use super::{Document, Id};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// Which entries are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EntryQuery {
    /// Index of the first one, from 0.
    #[serde(default)]
    pub first: u64,
    /// At most so many, 1 to 1000; 100 where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryPage {
    /// Index of the first entry of the page, from 0.
    pub first: u64,
    /// The entries' canonical encodings, which are the tree's leaves.
    pub entries: Vec<Document>,
    /// How many entries the log has.
    pub size: u64,
}

/// Checkpoints of the log, as signed notes (C2SP tlog-checkpoint).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// Signed just now: every permit that was handed out before the request is in its tree.
    pub note: String,
    /// For a member of the roster: the checkpoint that it should cosign. It stays the same for some seconds, so that
    /// all members cosign the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// Of the latest checkpoints that were open, the one that most members cosigned, with their cosignatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<String>,
}

/// Which proof is asked for: inclusion with `leaf`, consistency with `from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// Size of the tree that the proof leads to.
    pub size: u64,
    /// Index of the entry whose inclusion is to be proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// Size of the smaller tree whose consistency is to be proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

/// An inclusion proof (RFC 6962 §2.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InclusionProof {
    /// Hashes from the leaf's sibling upwards.
    pub hashes: Vec<Id>,
}

/// A consistency proof (RFC 6962 §2.1.2).
pub type ConsistencyProof = InclusionProof;

/// Body of `POST …/audit/cosignatures`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Cosignature {
    /// Size of the open checkpoint that is cosigned.
    pub size: u64,
    /// The signature line (C2SP tlog-cosignature), without its newline.
    pub line: String,
    /// How far the member's own evaluation log has come: a signed evaluation head (specification §8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Document>,
}
