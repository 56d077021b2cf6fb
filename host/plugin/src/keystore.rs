//! A plugin as a store of keys: the contract's calls, for one tenant.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bindings::exported::provider;
use crate::bindings::keystore::types;
use crate::capability::log::line;
pub use crate::instance::KeyRef;
use crate::instance::{Fault, Instance};
use crate::plugin::{Caller, Plugin};
use crate::tenant::Tenant;
use crate::verdict::{CallError, Size, Slice, Verdict};

/// The longest durable handle of a key, bytes.
const MAX_ID: usize = 16 << 10;
/// The longest name of a store, a version or an algorithm, bytes.
const MAX_NAME: usize = 64;
/// More than any store has.
const MAX_ALGORITHMS: usize = 256;
/// Bytes of a check value.
const CHECK_VALUE: std::ops::RangeInclusive<usize> = 8..=64;

/// A store of keys behind a plugin, as one tenant sees it. Clones share the plugin.
///
/// Each method is one call of the plugin and has its limits. None is ever repeated here: whether a call may be made twice
/// is its caller's to know.
#[derive(Clone)]
pub struct Keystore {
    plugin: Plugin,
    tenant: Tenant,
    request: Arc<str>,
    /// An instance of its own for each call.
    fresh: bool,
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The store's name.
    pub name: String,
    /// The plugin's or the store's version.
    pub version: String,
    /// What it was seen to do.
    pub algorithms: Vec<String>,
}

/// What key to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// `aes-256`, `ecdsa-p256`, `ed25519`, …: see the plugin author's guide.
    pub algorithm: String,
    /// `seal`, `wrap`, `sign`.
    pub usages: Vec<String>,
}

/// A key that the store made, or opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKey {
    /// Its durable handle: keep it, it may be the only copy of the (wrapped) key.
    pub id: Vec<u8>,
    /// As in the specification that it was made by.
    pub algorithm: String,
    /// Likewise.
    pub usages: Vec<String>,
    /// `SubjectPublicKeyInfo` (DER, RFC 5280 §4.1) of a key pair.
    pub public_key: Option<Vec<u8>>,
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub enum SignInput<'i> {
    /// The algorithm hashes it itself (Ed25519), or the store does.
    Message(&'i [u8]),
    /// Hashed by the caller.
    Digest(&'i [u8]),
}

impl Keystore {
    pub(crate) fn new(plugin: Plugin, tenant: Tenant) -> Self {
        Self { plugin, tenant, request: "".into(), fresh: false }
    }

    /// The same store; calls carry this id in the logs.
    #[must_use]
    pub fn for_request(&self, id: &str) -> Self {
        Self { request: id.into(), ..self.clone() }
    }

    /// What the store says of itself.
    pub async fn describe(&self) -> Result<Descriptor, CallError> {
        let call = self.call(&[], |mut it| async { (it.describe().await, it) });
        let described = call.await?;
        Ok(described.into())
    }

    /// Whether the plugin's settings make sense. Reaches nothing.
    pub async fn check_config(&self) -> Result<(), CallError> {
        self.call(&[], |mut it| async { (it.check_config().await, it) }).await
    }

    /// Whether the store behind the plugin can be reached.
    pub async fn health(&self) -> Result<(), CallError> {
        self.call(&[], |mut it| async { (it.health().await.map(drop), it) }).await
    }

    /// Generates the store's master key.
    pub async fn create_master(&self) -> Result<(), CallError> {
        self.offered(Slice::Master)?;
        self.call(&[], |mut it| async { (it.create_master().await, it) }).await
    }

    /// The value, of 8 to 64 bytes, by which two stores show that they have the same master key.
    pub async fn check_value(&self) -> Result<Vec<u8>, CallError> {
        self.offered(Slice::Master)?;
        let value = self.call(&[], |mut it| async { (it.check_value().await, it) }).await?;
        if !CHECK_VALUE.contains(&value.len()) {
            return Err(broken("a check value of another length than 8 to 64 bytes"));
        }
        Ok(value)
    }

    /// Generates a key in the store. `binding` says whose it is, and opens it again.
    pub async fn generate(&self, spec: &KeySpec, binding: &[u8]) -> Result<GeneratedKey, CallError> {
        let sizes = [&spec.parts()[..], &[binding]].concat();
        let spec = types::KeySpec::from(spec);
        self.call(&sizes, |mut it| async { (it.generate(&spec, binding).await, it) }).await?.try_into()
    }

    /// What the key's durable handle stands for.
    pub async fn info(&self, key: KeyRef<'_>) -> Result<GeneratedKey, CallError> {
        self.call(&key.parts(), |mut it| async { (it.info(key).await, it) }).await?.try_into()
    }

    /// Ends a key that the store keeps. Of others, only their handle is worth anything.
    pub async fn destroy(&self, key: KeyRef<'_>) -> Result<(), CallError> {
        self.call(&key.parts(), |mut it| async { (it.destroy(key).await, it) }).await
    }

    /// Seals a secret, which the plugin doesn't see.
    pub async fn seal(
        &self,
        key: KeyRef<'_>,
        plaintext: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.offered(Slice::Sealing)?;
        let secret = Zeroizing::new(plaintext.to_vec());
        let sizes = [key.id, key.binding, plaintext, associated];
        self.call(&sizes, |mut it| async { (it.seal(key, secret, associated).await, it) }).await
    }

    /// Opens what was sealed; the plugin doesn't see it.
    pub async fn open(
        &self,
        key: KeyRef<'_>,
        sealed: &[u8],
        associated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CallError> {
        self.offered(Slice::Sealing)?;
        let sizes = [key.id, key.binding, sealed, associated];
        self.call(&sizes, |mut it| async { (it.open(key, sealed, associated).await, it) }).await
    }

    /// Wraps a key of the store under another.
    pub async fn wrap(
        &self,
        under: KeyRef<'_>,
        key: KeyRef<'_>,
        associated: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.offered(Slice::Wrapping)?;
        let sizes = [under.id, under.binding, key.id, key.binding, associated];
        self.call(&sizes, |mut it| async { (it.wrap(under, key, associated).await, it) }).await
    }

    /// Makes a wrapped key a key of the store again.
    pub async fn unwrap(
        &self,
        under: KeyRef<'_>,
        wrapped: &[u8],
        associated: &[u8],
        spec: &KeySpec,
        binding: &[u8],
    ) -> Result<GeneratedKey, CallError> {
        self.offered(Slice::Wrapping)?;
        let sizes = [&[under.id, under.binding, wrapped, associated, binding], &spec.parts()[..]].concat();
        let spec = types::KeySpec::from(spec);
        let call = self.call(&sizes, |mut it| async {
            (it.unwrap(under, wrapped, associated, &spec, binding).await, it)
        });
        call.await?.try_into()
    }

    /// Signs.
    pub async fn sign(
        &self,
        key: KeyRef<'_>,
        algorithm: &str,
        input: SignInput<'_>,
    ) -> Result<Vec<u8>, CallError> {
        self.offered(Slice::Signing)?;
        let sizes = [key.id, key.binding, algorithm.as_bytes(), input.bytes()];
        let call = self.call(&sizes, |mut it| async {
            let signature = match input {
                SignInput::Message(message) => it.sign_message(key, algorithm, message).await,
                SignInput::Digest(digest) => it.sign_digest(key, algorithm, digest).await,
            };
            (signature, it)
        });
        call.await
    }

    /// Tries the plugin with keys that are thrown away: what must be new each time is, in one instance as in another,
    /// and what was sealed opens. For `symbolon plugin check`, and before a store is relied on.
    pub async fn probe(&self) -> Result<(), CallError> {
        let fresh = Self { fresh: true, ..self.for_request("probe") };
        let spec = KeySpec { algorithm: "aes-256".into(), usages: vec!["seal".into()] };
        let (one, two) = (fresh.generate(&spec, b"probe").await?, fresh.generate(&spec, b"probe").await?);
        if one.id == two.id {
            return Err(Verdict::FrozenEntropy { what: "a new key" }.into());
        }
        let key = KeyRef { id: &one.id, binding: b"probe" };
        if self.plugin.offers().contains(&Slice::Sealing) {
            fresh.probe_sealing(key).await?;
        }
        fresh.destroy(key).await?;
        fresh.destroy(KeyRef { id: &two.id, binding: b"probe" }).await
    }

    async fn probe_sealing(&self, key: KeyRef<'_>) -> Result<(), CallError> {
        const SECRET: &[u8; 32] = b"not a secret: the probe's secret";
        let (one, two) = (self.seal(key, SECRET, b"probe").await?, self.seal(key, SECRET, b"probe").await?);
        if one == two {
            return Err(Verdict::FrozenEntropy { what: "a sealed secret" }.into());
        }
        if self.open(key, &one, b"probe").await?.as_slice() != SECRET {
            return Err(broken("another secret than was sealed"));
        }
        Ok(())
    }

    /// One call of the plugin. The instance goes in and comes back, or is gone.
    async fn call<R, F>(&self, input: &[&[u8]], work: impl FnOnce(Box<Instance>) -> F) -> Result<R, CallError>
    where
        F: Future<Output = (Result<R, Fault>, Box<Instance>)>,
    {
        let limit = self.plugin.limits().input;
        if input.iter().map(|part| part.len()).sum::<usize>() > limit {
            return Err(Verdict::TooLarge { what: Size::Input, limit }.into());
        }
        let caller = Caller { tenant: &self.tenant, request: &self.request, fresh: self.fresh };
        self.plugin.call(caller, work).await
    }

    fn offered(&self, slice: Slice) -> Result<(), CallError> {
        if self.plugin.offers().contains(&slice) { Ok(()) } else { Err(Verdict::NotOffered(slice).into()) }
    }
}

impl<'k> KeyRef<'k> {
    const fn parts(self) -> [&'k [u8]; 2] {
        [self.id, self.binding]
    }
}

impl KeySpec {
    fn parts(&self) -> Vec<&[u8]> {
        std::iter::once(&self.algorithm).chain(&self.usages).map(String::as_bytes).collect()
    }
}

impl<'i> SignInput<'i> {
    const fn bytes(self) -> &'i [u8] {
        match self {
            Self::Message(bytes) | Self::Digest(bytes) => bytes,
        }
    }
}

impl From<&KeySpec> for types::KeySpec {
    fn from(spec: &KeySpec) -> Self {
        Self { algorithm: spec.algorithm.clone(), usages: spec.usages.clone(), attributes: Vec::new() }
    }
}

/// Texts of a stranger, for people: escaped and cut.
impl From<provider::Descriptor> for Descriptor {
    fn from(described: provider::Descriptor) -> Self {
        let text = |text: &String| line(text, MAX_NAME);
        Self {
            name: text(&described.name),
            version: text(&described.version),
            algorithms: described.algorithms.iter().take(MAX_ALGORITHMS).map(text).collect(),
        }
    }
}

impl TryFrom<types::KeyInfo> for GeneratedKey {
    type Error = CallError;

    fn try_from(info: types::KeyInfo) -> Result<Self, CallError> {
        if info.id.is_empty() || info.id.len() > MAX_ID {
            return Err(broken("a key's id of no, or more than 16,384, bytes"));
        }
        Ok(Self { id: info.id, algorithm: info.algorithm, usages: info.usages, public_key: info.public_key })
    }
}

fn broken(how: &str) -> CallError {
    Verdict::Malformed { how: how.into() }.into()
}
