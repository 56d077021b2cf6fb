//! Management of keys.

use crate::client::Client;
use crate::error::ClientError;
use crate::runtime::run;
use std::collections::HashMap;
use symbolon_client::Error;
use symbolon_client::keys::{KeyInfo, Members, NewKey, RootOfKey, fingerprint};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::{Index, KeyId, Purpose};
use symbolon_protocol::api;

/// The group that a key lives in.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum KeySuite {
    /// ristretto255 with SHA-512.
    Ristretto255,
    /// P-256 with SHA-256.
    P256,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum KeyPurpose {
    /// Messages.
    Data,
    /// Data keys.
    DataKey,
    /// Other keys.
    Wrap,
    /// Signatures, by a key in an HSM.
    Sign,
}

/// The fragment set of a new key.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum KeyRoot {
    /// One of its own.
    Dedicated,
    /// A new one, which other keys can join.
    NewShared,
    /// That of another key.
    SharedWith {
        /// The other key.
        key: String,
    },
}

/// What a new key is to be like.
#[derive(uniffi::Record)]
pub struct KeyPlan {
    /// Its id.
    pub key: String,
    /// Its suite.
    pub suite: KeySuite,
    /// How many fragments make an operation.
    pub threshold: u16,
    /// How many fragments there are.
    pub of: u16,
    /// Who holds them, by number in the roster; nobody in particular if empty.
    pub members: Vec<u16>,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whether every use takes a customer fragment too.
    pub customer_fragment: bool,
    /// Whose fragment set serves it.
    pub root: KeyRoot,
    /// Labels.
    pub labels: HashMap<String, String>,
}

/// What can be done with a key, or with a version of it.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum KeyState {
    /// It is being made.
    Pending,
    /// It can be used.
    Active,
    /// The owner disabled it.
    Disabled,
    /// It waits for its destruction.
    Scheduled,
    /// It is gone for good.
    Destroyed,
}

/// A key at a glance.
#[derive(uniffi::Record)]
pub struct KeySummary {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: KeyState,
    /// Its newest version.
    pub version: u64,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Labels.
    pub labels: HashMap<String, String>,
}

/// A key with its versions.
#[derive(uniffi::Record)]
pub struct KeyDetails {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: KeyState,
    /// Labels.
    pub labels: HashMap<String, String>,
    /// Versions with a verified certificate, newest first.
    pub versions: Vec<VerifiedVersion>,
}

/// A version of a key, as its certificate says that all members signed.
#[derive(uniffi::Record)]
pub struct VerifiedVersion {
    /// Its number.
    pub version: u64,
    /// Its suite.
    pub suite: KeySuite,
    /// How many fragments make an operation.
    pub threshold: u16,
    /// Who holds one, by number in the roster.
    pub members: Vec<u16>,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whether every use takes a customer fragment too.
    pub customer_fragment: bool,
    /// Whether other keys are on the same fragment set.
    pub shared: bool,
    /// When it was made, Unix seconds.
    pub created: u64,
    /// SHA-256 over the certificate: by which people compare it.
    pub fingerprint: Vec<u8>,
}

/// Which keys are listed.
#[derive(uniffi::Record)]
pub struct KeyFilter {
    /// Only keys below this one.
    pub below: Option<String>,
    /// Only keys with this label: `name` or `name=value`.
    pub label: Option<String>,
}

#[uniffi::export]
impl Client {
    /// Makes a key.
    pub async fn create_key(&self, plan: KeyPlan) -> Result<KeyDetails, ClientError> {
        let (plan, client) = (new_key(plan)?, self.0.clone());
        run(async move { Ok(details(&Box::pin(client.keys().create(&plan)).await?)) }).await
    }

    /// Makes a new version of a key.
    pub async fn rotate_key(&self, key: String) -> Result<KeyDetails, ClientError> {
        let client = self.0.clone();
        run(async move { Ok(details(&Box::pin(client.keys().rotate(&key.parse()?)).await?)) }).await
    }

    /// A key with its versions.
    pub async fn show_key(&self, key: String) -> Result<KeyDetails, ClientError> {
        let client = self.0.clone();
        run(async move { Ok(details(&client.keys().show(&key.parse()?).await?)) }).await
    }

    /// The keys that the holder is granted.
    pub async fn list_keys(&self, filter: KeyFilter) -> Result<Vec<KeySummary>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let query =
                api::KeyQuery { below: filter.below, label: filter.label, ..api::KeyQuery::default() };
            Ok(client.keys().list(query).await?.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// Sets labels, and removes those whose value is nothing. Gives all labels afterwards.
    pub async fn label_key(
        &self,
        key: String,
        labels: HashMap<String, Option<String>>,
    ) -> Result<HashMap<String, String>, ClientError> {
        let client = self.0.clone();
        run(async move {
            let key = client.keys().label(&key.parse()?, labels.into_iter().collect()).await?;
            Ok(key.summary.labels.into_iter().collect())
        })
        .await
    }
}

fn new_key(plan: KeyPlan) -> Result<NewKey, ClientError> {
    let members = match plan.members.as_slice() {
        [] => Members::Any(plan.of),
        numbers => Members::These(numbers.iter().copied().map(index).collect::<Result<_, _>>()?),
    };
    let root = match plan.root {
        KeyRoot::Dedicated => RootOfKey::Dedicated,
        KeyRoot::NewShared => RootOfKey::NewShared,
        KeyRoot::SharedWith { key } => RootOfKey::SharedWith(key_id(&key)?),
    };
    Ok(NewKey {
        key: key_id(&plan.key)?,
        suite: plan.suite.into(),
        t: plan.threshold,
        members,
        purpose: purpose(plan.purpose)?,
        customer_fragment: plan.customer_fragment,
        root,
        labels: plan.labels.into_iter().collect(),
    })
}

fn key_id(text: &str) -> Result<KeyId, ClientError> {
    Ok(text.parse().map_err(Error::from)?)
}

fn index(number: u16) -> Result<Index, ClientError> {
    Index::new(number)
        .ok_or_else(|| ClientError::invalid("members", "fragment managers are numbered from 1 on"))
}

fn purpose(purpose: KeyPurpose) -> Result<Purpose, ClientError> {
    match purpose {
        KeyPurpose::Data => Ok(Purpose::Data),
        KeyPurpose::DataKey => Ok(Purpose::DataKey),
        KeyPurpose::Wrap => Ok(Purpose::Wrap),
        KeyPurpose::Sign => Err(ClientError::invalid("wrong-purpose", "a key of fragments does not sign")),
    }
}

fn details(info: &KeyInfo) -> KeyDetails {
    let summary = &info.entry.summary;
    let version = |verified: &symbolon_trust::VerifiedKeyCertificate| {
        let certificate = verified.certificate();
        VerifiedVersion {
            version: certificate.version,
            suite: certificate.suite.into(),
            threshold: certificate.t,
            members: certificate.members.iter().map(|index| index.get()).collect(),
            purpose: certificate.purpose.into(),
            customer_fragment: certificate.customer_fragment,
            shared: certificate.kind == symbolon_trust::KeyKind::Shared,
            created: certificate.created.0,
            fingerprint: fingerprint(verified).to_vec(),
        }
    };
    KeyDetails {
        id: summary.key.clone(),
        state: summary.state.into(),
        labels: summary.labels.clone().into_iter().collect(),
        versions: info.certificates.iter().map(version).collect(),
    }
}

impl From<api::KeySummary> for KeySummary {
    fn from(summary: api::KeySummary) -> Self {
        Self {
            id: summary.key,
            state: summary.state.into(),
            version: summary.version,
            purpose: summary.purpose.into(),
            labels: summary.labels.into_iter().collect(),
        }
    }
}

/// Names that mean the same on both sides.
macro_rules! the_same {
    ($ours:ident = $theirs:ty { $($name:ident = $their_name:ident),+ }) => {
        impl From<$theirs> for $ours {
            fn from(value: $theirs) -> Self {
                match value {
                    $(<$theirs>::$their_name => Self::$name),+
                }
            }
        }
    };
}

the_same!(KeySuite = SuiteId { Ristretto255 = Ristretto255Sha512, P256 = P256Sha256 });
the_same!(SuiteId = KeySuite { Ristretto255Sha512 = Ristretto255, P256Sha256 = P256 });
the_same!(KeyPurpose = Purpose { Data = Data, DataKey = DataKey, Wrap = Wrap });
the_same!(KeyPurpose = api::Purpose { Data = Data, DataKey = DataKey, Wrap = Wrap, Sign = Sign });
the_same!(KeyState = api::KeyState {
    Pending = Pending, Active = Active, Disabled = Disabled, Scheduled = Scheduled, Destroyed = Destroyed
});
