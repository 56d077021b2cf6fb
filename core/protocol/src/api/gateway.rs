//! The gateway's interface for programs that combine nothing themselves.

use super::{Document, Secret};
use alloc::{collections::BTreeMap, string::String};
use serde::{Deserialize, Serialize};

/// Context pairs: authenticated with the ciphertext, not stored in it, needed again to open it.
pub type Context = BTreeMap<String, String>;

/// Body of `POST …/encrypt`.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EncryptRequest {
    /// The key id.
    pub key: String,
    /// What is to be encrypted.
    pub plaintext: Secret,
    /// Context pairs.
    #[serde(default)]
    pub context: Context,
}

/// Answer to `POST …/encrypt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Encrypted {
    /// The ciphertext with its header.
    pub ciphertext: Document,
    /// The key version that was used.
    pub version: u64,
}

/// Body of `POST …/decrypt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DecryptRequest {
    /// The ciphertext with its header.
    pub ciphertext: Document,
    /// The context pairs that it was encrypted with.
    #[serde(default)]
    pub context: Context,
}

/// Answer to `POST …/decrypt`.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decrypted {
    /// What was encrypted.
    pub plaintext: Secret,
    /// The key id that the header names.
    pub key: String,
    /// The key version that the header names.
    pub version: u64,
}

/// Body of `POST …/data-keys`: a new data key of 32 bytes, plain and wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DataKeyRequest {
    /// Id of the key that wraps it; its purpose must be `data-key`.
    pub key: String,
    /// Context pairs.
    #[serde(default)]
    pub context: Context,
}

/// Body of `POST …/data-keys/unwrap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UnwrapRequest {
    /// The wrapped data key.
    pub wrapped: Document,
    /// The context pairs that it was wrapped with.
    #[serde(default)]
    pub context: Context,
}

/// Body of `POST …/systems/{system}/data-keys`: a new data key of the key chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VolumeKeyRequest {
    /// The volume, as the storage system calls it.
    pub volume: String,
    /// What the key is for; `luks` where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// Body of `POST …/systems/{system}/data-keys/open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenVolumeKeyRequest {
    /// The wrapped data key.
    pub wrapped: Document,
    /// The volume that it was made for.
    pub volume: String,
    /// What it was made for; `luks` where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// Answer to `POST …/data-keys` and `POST …/data-keys/unwrap`, of a key or of a system.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataKey {
    /// The data key.
    pub plaintext: Secret,
    /// The data key, wrapped: what to store beside the data.
    pub wrapped: Document,
    /// The version of the key that wraps it.
    pub version: u64,
}
