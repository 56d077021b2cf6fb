//! Keys, their versions, states and labels.

use super::{Document, Id};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// The operator's own words on a key: at most 32, names of 1 to 63 and values of at most 255 bytes.
pub type Labels = BTreeMap<String, String>;

/// What can be done with a key now, by all that the access manager knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// No version has a certificate yet.
    Pending,
    /// At least one version can be used.
    Active,
    /// The deny document disables it.
    Disabled,
    /// Every version that could be used is to be destroyed.
    Scheduled,
    /// Every version is destroyed.
    Destroyed,
}

/// What can be done with one version of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum VersionState {
    /// Its ceremony runs, or its certificate wasn't handed in yet.
    Pending,
    /// It can be used, if the key can.
    Active,
    /// An order destroys it when its waiting period ends.
    Scheduled,
    /// The waiting period of its destruction has ended.
    Destroyed,
}

/// Whether a fragment set serves this key version alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// The set serves this version alone; destroying the set destroys the key.
    Dedicated,
    /// The set is a shared root of many keys; deletion is a matter of policy.
    Shared,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Encrypting data.
    Data,
    /// Handing out data keys.
    DataKey,
    /// Wrapping other keys.
    Wrap,
    /// Signing, with a private key in an HSM.
    Sign,
}

/// A line of the list of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeySummary {
    /// The key id.
    pub key: String,
    /// Its state.
    pub state: KeyState,
    /// The newest version that has a certificate; 0 where none has.
    pub version: u64,
    /// How many versions there are, pending ones included.
    pub versions: u64,
    /// Where it is: `fragments`, or the label of a key store in HSMs.
    pub store: String,
    /// Name of the suite, such as `ristretto255-SHA512`; in an HSM, of the algorithm, such as `aes-256`.
    pub suite: String,
    /// Dedicated set or shared root.
    pub kind: KeyKind,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it needs a customer fragment.
    pub customer_fragment: bool,
    /// How many fragments make an operation; 0 in an HSM.
    pub t: u16,
    /// How many fragment managers hold one; 0 in an HSM.
    pub n: u16,
    /// Whether it existed whole at some time: true only for imported keys.
    pub ever_whole: bool,
    /// When it was asked for, Unix seconds.
    pub created: u64,
    /// The operator's labels.
    pub labels: Labels,
}

/// A key with its versions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// What the list says too.
    #[serde(flatten)]
    pub summary: KeySummary,
    /// Every version, newest first.
    pub all_versions: Vec<KeyVersion>,
}

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyVersion {
    /// Its number, from 1.
    pub version: u64,
    /// Its state.
    pub state: VersionState,
    /// The fragment set; absent until its ceremony has made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<Id>,
    /// Where it is: `fragments`, or the label of a key store in HSMs.
    pub store: String,
    /// Name of the suite; in an HSM, of the algorithm.
    pub suite: String,
    /// Dedicated set or shared root.
    pub kind: KeyKind,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it needs a customer fragment.
    pub customer_fragment: bool,
    /// How many fragments make an operation.
    pub t: u16,
    /// The fragment managers that were asked to hold one; their newest certificate decides.
    pub members: Vec<u16>,
    /// Whether it existed whole at some time.
    pub ever_whole: bool,
    /// When it was asked for, Unix seconds.
    pub created: u64,
    /// The holder's signed create request; in an HSM, the job that asked for it.
    pub request: Document,
    /// The key certificate, signed by all members; absent until it was handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Document>,
    /// The wrapped key, signed by the driver that had it made; absent until it was handed in, and for fragments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped_key: Option<Document>,
    /// When it is or was destroyed, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy_at: Option<u64>,
    /// Serial of the order that destroys it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy_serial: Option<u64>,
}

/// Body of `POST …/keys` and `POST …/keys/{key}/versions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The create request, signed by the holder (specification §2.6).
    pub request: Document,
    /// The signed grant that allows the holder to create it.
    pub grant: Document,
    /// Labels of a new key; on a new version they must be empty.
    #[serde(default)]
    pub labels: Labels,
}

/// Body of `PATCH …/keys/{key}`, with `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyPatch {
    /// A value sets the label, `null` removes it, others stay (RFC 7396).
    pub labels: BTreeMap<String, Option<String>>,
}

/// Which keys a list holds. Keys that the caller isn't granted are never in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    /// The previous page's `next`; absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many keys, 1 to 1000; 100 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only keys below this path, whole segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Only keys in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<KeyState>,
    /// Only keys with this label, written `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A page of keys in ascending order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeySummary>,
    /// The next page's `cursor`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How long `GET …/keys/{key}` may wait for a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct KeyWait {
    /// With `If-None-Match`: wait at most so many seconds (30 at most) for another entity tag, then answer 304.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}
