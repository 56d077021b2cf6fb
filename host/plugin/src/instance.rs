//! One instance of a plugin, and the calls of its exports.

use std::sync::Arc;
use std::time::{Duration, Instant as Time};

use wasmtime::component::{InstancePre, Resource, ResourceAny};
use wasmtime::{Engine, Store};
use zeroize::Zeroizing;

use crate::bindings::exported::{master, provider, sealing, signing, wrapping};
use crate::bindings::{errors, keystore};
use crate::guest::{Call, Guest};
use crate::secret::Secret;
use crate::tenant::Tenant;

/// Where the exports are in a component; those of slices that it has.
pub struct Indices {
    provider: provider::GuestIndices,
    master: Option<master::GuestIndices>,
    sealing: Option<sealing::GuestIndices>,
    wrapping: Option<wrapping::GuestIndices>,
    signing: Option<signing::GuestIndices>,
}

impl Indices {
    pub fn of(pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
        Ok(Self {
            provider: provider::GuestIndices::new(pre)?,
            master: master::GuestIndices::new(pre).ok(),
            sealing: sealing::GuestIndices::new(pre).ok(),
            wrapping: wrapping::GuestIndices::new(pre).ok(),
            signing: signing::GuestIndices::new(pre).ok(),
        })
    }
}

/// A call that gave no result, seen from inside.
pub enum Fault {
    /// The host's.
    Host(wasmtime::Error),
    /// The plugin's own.
    Plugin(errors::Error),
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Host(error)
    }
}

impl From<errors::Error> for Fault {
    fn from(error: errors::Error) -> Self {
        Self::Plugin(error)
    }
}

/// An instance, and what was looked up of its exports so far.
pub struct Instance {
    store: Store<Guest>,
    exports: wasmtime::component::Instance,
    indices: Arc<Indices>,
    provider: provider::Guest,
    sealing: Option<sealing::Guest>,
    signing: Option<signing::Guest>,
    calls: u32,
    born: Time,
}

/// A key's durable handle, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct KeyRef<'k> {
    /// `key-info.id`.
    pub id: &'k [u8],
    /// As it was generated with.
    pub binding: &'k [u8],
}

impl Instance {
    /// A fresh instance; its start functions run under the call's limits.
    pub async fn start(
        engine: &Engine,
        pre: &InstancePre<Guest>,
        indices: &Arc<Indices>,
        guest: Guest,
    ) -> wasmtime::Result<Box<Self>> {
        let mut store = Store::new(engine, guest);
        let (handles, output) = (store.data().limits.handles, store.data().limits.output);
        store.limiter(|guest| guest);
        store.set_max_component_handles(handles);
        store.set_hostcall_fuel(output);
        store.epoch_deadline_callback(|mut context| context.data_mut().tick());
        store.set_epoch_deadline(1);
        let exports = pre.instantiate_async(&mut store).await?;
        let provider = indices.provider.load(&mut store, &exports)?;
        Ok(Box::new(Self {
            store,
            exports,
            indices: Arc::clone(indices),
            provider,
            sealing: None,
            signing: None,
            calls: 1,
            born: Time::now(),
        }))
    }

    /// Whose it is.
    pub fn tenant(&self) -> &Tenant {
        &self.store.data().tenant
    }

    /// Begins another call.
    pub fn begin(&mut self, call: Call) {
        self.store.data_mut().call = call;
        self.store.set_epoch_deadline(1);
        self.calls += 1;
    }

    /// Whether it is too old, too large or too much used to serve once more.
    pub fn worn(&self, max_calls: u32, max_age: Duration) -> bool {
        let guest = self.store.data();
        self.calls >= max_calls
            || self.born.elapsed() > max_age
            || guest.memory() > guest.limits.memory / 4 * 3
    }

    /// Lines that the running call wanted to log beyond its number.
    pub fn dropped_lines(&self) -> u32 {
        self.store.data().call.log_dropped
    }

    pub async fn describe(&mut self) -> Result<provider::Descriptor, Fault> {
        Ok(self.provider.call_describe(&mut self.store).await??)
    }

    pub async fn check_config(&mut self) -> Result<(), Fault> {
        Ok(self.provider.call_check_config(&mut self.store).await??)
    }

    pub async fn health(&mut self) -> Result<provider::Attributes, Fault> {
        Ok(self.provider.call_health(&mut self.store).await??)
    }

    pub async fn create_master(&mut self) -> Result<(), Fault> {
        let master = self.master()?;
        Ok(master.call_create(&mut self.store).await??)
    }

    pub async fn check_value(&mut self) -> Result<Vec<u8>, Fault> {
        let master = self.master()?;
        Ok(master.call_check_value(&mut self.store).await??)
    }

    pub async fn generate(
        &mut self,
        spec: &keystore::types::KeySpec,
        binding: &[u8],
    ) -> Result<keystore::types::KeyInfo, Fault> {
        let key = self.provider.call_generate(&mut self.store, spec, binding).await??;
        let info = self.provider.key().call_info(&mut self.store, key).await?;
        self.close(key, info).await
    }

    pub async fn info(&mut self, key: KeyRef<'_>) -> Result<keystore::types::KeyInfo, Fault> {
        let key = self.open_key(key).await?;
        let info = self.provider.key().call_info(&mut self.store, key).await?;
        self.close(key, info).await
    }

    pub async fn destroy(&mut self, key: KeyRef<'_>) -> Result<(), Fault> {
        let key = self.open_key(key).await?;
        let destroyed = self.provider.key().call_destroy(&mut self.store, key).await?;
        self.close(key, destroyed).await
    }

    pub async fn seal(
        &mut self,
        key: KeyRef<'_>,
        plaintext: Zeroizing<Vec<u8>>,
        associated: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let key = self.open_key(key).await?;
        let secret =
            self.store.data_mut().table.push(Secret::new(plaintext)).map_err(wasmtime::Error::from)?;
        let lent = Resource::new_borrow(secret.rep());
        let sealing = self.sealing()?;
        let sealed = sealing.call_seal(&mut self.store, key, lent, associated).await?;
        self.store.data_mut().table.delete(secret).map_err(wasmtime::Error::from)?;
        self.close(key, sealed).await
    }

    pub async fn open(
        &mut self,
        key: KeyRef<'_>,
        sealed: &[u8],
        associated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let key = self.open_key(key).await?;
        let sealing = self.sealing()?;
        let opened = sealing.call_open_sealed(&mut self.store, key, sealed, associated).await?;
        let secret = self.close(key, opened).await?;
        Ok(self.store.data_mut().table.delete(secret).map_err(wasmtime::Error::from)?.into_bytes())
    }

    pub async fn wrap(
        &mut self,
        wrapping: KeyRef<'_>,
        key: KeyRef<'_>,
        associated: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let under = self.open_key(wrapping).await?;
        let key = match self.provider.call_open(&mut self.store, key.id, key.binding).await? {
            Ok(key) => key,
            Err(error) => return self.close(under, Err(error)).await,
        };
        let slice = self.wrapping()?;
        let wrapped = slice.call_wrap(&mut self.store, under, key, associated).await?;
        key.resource_drop_async(&mut self.store).await?;
        self.close(under, wrapped).await
    }

    pub async fn unwrap(
        &mut self,
        wrapping: KeyRef<'_>,
        wrapped: &[u8],
        associated: &[u8],
        spec: &keystore::types::KeySpec,
        binding: &[u8],
    ) -> Result<keystore::types::KeyInfo, Fault> {
        let under = self.open_key(wrapping).await?;
        let slice = self.wrapping()?;
        let key = slice.call_unwrap(&mut self.store, under, wrapped, associated, spec, binding).await?;
        let key = self.close(under, key).await?;
        let info = self.provider.key().call_info(&mut self.store, key).await?;
        self.close(key, info).await
    }

    pub async fn sign_digest(
        &mut self,
        key: KeyRef<'_>,
        algorithm: &str,
        digest: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let key = self.open_key(key).await?;
        let signing = self.signing()?;
        let signature = signing.call_sign_digest(&mut self.store, key, &algorithm.to_owned(), digest).await?;
        self.close(key, signature).await
    }

    pub async fn sign_message(
        &mut self,
        key: KeyRef<'_>,
        algorithm: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let key = self.open_key(key).await?;
        let signing = self.signing()?;
        let signature =
            signing.call_sign_message(&mut self.store, key, &algorithm.to_owned(), message).await?;
        self.close(key, signature).await
    }

    async fn open_key(&mut self, key: KeyRef<'_>) -> Result<ResourceAny, Fault> {
        Ok(self.provider.call_open(&mut self.store, key.id, key.binding).await??)
    }

    /// Drops the key's handle, whatever the plugin said about it.
    async fn close<R>(&mut self, key: ResourceAny, result: Result<R, errors::Error>) -> Result<R, Fault> {
        key.resource_drop_async(&mut self.store).await?;
        Ok(result?)
    }

    fn master(&mut self) -> wasmtime::Result<master::Guest> {
        present(self.indices.master.as_ref())?.load(&mut self.store, &self.exports)
    }

    fn wrapping(&mut self) -> wasmtime::Result<wrapping::Guest> {
        present(self.indices.wrapping.as_ref())?.load(&mut self.store, &self.exports)
    }

    /// Looked up once an instance, as `signing`: the two slices of the hot path.
    fn sealing(&mut self) -> wasmtime::Result<sealing::Guest> {
        if let Some(found) = &self.sealing {
            return Ok(found.clone());
        }
        let found = present(self.indices.sealing.as_ref())?.load(&mut self.store, &self.exports)?;
        self.sealing = Some(found.clone());
        Ok(found)
    }

    fn signing(&mut self) -> wasmtime::Result<signing::Guest> {
        if let Some(found) = &self.signing {
            return Ok(found.clone());
        }
        let found = present(self.indices.signing.as_ref())?.load(&mut self.store, &self.exports)?;
        self.signing = Some(found.clone());
        Ok(found)
    }
}

/// Slices that a component doesn't have are refused before a call; this is the belt to those braces.
fn present<T>(slice: Option<&T>) -> wasmtime::Result<&T> {
    slice.ok_or_else(|| wasmtime::format_err!("the component lacks this slice"))
}
