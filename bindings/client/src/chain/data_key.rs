//! Data keys: made and opened under a system's key, which is held on a lease.

use super::Chain;
use super::lease::{Lease, Wanted};
use super::links::{read_wrapped, unlike};
use crate::error::{Bug, Error, NotFound};
use std::sync::Arc;
use symbolon_keychain::{
    DataKey, Difference, Place, Purpose, System, SystemId, Unwrap, UnwrapError, Volume, Wrap, Wrapped,
};
use symbolon_protocol::api;
use tokio::time::Instant;

/// A data key: for the storage system's own cipher, and wrapped for keeping beside the data.
pub struct VolumeKey {
    /// The key; wiped when it is dropped.
    pub key: DataKey,
    /// The same, wrapped. [`Chain::open_data_key`] opens it.
    pub wrapped: Vec<u8>,
    /// The version of the system's key that wraps it.
    pub version: u64,
}

impl Chain {
    /// Makes a data key for a volume of a system.
    pub async fn create_data_key(
        &self,
        system: &SystemId,
        volume: &Volume,
        purpose: &Purpose,
    ) -> Result<VolumeKey, Error> {
        let lease = self.lease(system, None).await?;
        let permit = lease.system.data_permit::<Wrap>(volume.clone(), purpose.clone())?;
        let made = lease.key.generate_data_key(permit, &mut crate::random::system());
        let (key, wrapped) = made.map_err(|_| Bug::Internal("a lease on another key"))?;
        Ok(VolumeKey { key, wrapped: wrapped.to_bytes(), version: lease.system.version() })
    }

    /// Opens a wrapped data key. System, volume and purpose are what the caller expects, not what the wrapped key says: so
    /// a key that was put beside another volume is noticed.
    pub async fn open_data_key(
        &self,
        wrapped: &[u8],
        system: &SystemId,
        volume: &Volume,
        purpose: &Purpose,
    ) -> Result<VolumeKey, Error> {
        let parsed = Wrapped::from_bytes(wrapped)?;
        let version = version_of(&parsed, system)?;
        let lease = self.lease(system, Some(version)).await?;
        let permit = lease.system.data_permit::<Unwrap>(volume.clone(), purpose.clone())?;
        let key = lease.key.unwrap_data_key(permit, parsed)?;
        Ok(VolumeKey { key, wrapped: wrapped.to_vec(), version })
    }

    async fn lease(&self, system: &SystemId, version: Option<u64>) -> Result<Arc<Lease>, Error> {
        self.watch_over_leases();
        let on_behalf_of = self.client.on_behalf_of.clone();
        let wanted = Wanted { on_behalf_of, system: system.clone(), version };
        self.leases.get(&wanted, || self.open_system(system, version)).await
    }

    /// Unwraps a version of a system's key from the root key down. The tenant's key is dropped on the way out.
    async fn open_system(&self, id: &SystemId, version: Option<u64>) -> Result<Lease, Error> {
        let entry = self.system(id).await?;
        let (system, wrapped_tenant, wrapped) = self.read_system(&entry, id, version)?;
        let permit = system.permit::<Unwrap>()?;
        let (tenant_key, until) = self.open_tenant(system.tenant(), wrapped_tenant).await?;
        let key = tenant_key.unwrap_system_key(permit, wrapped.ok_or_else(unlike)?)?;
        Ok(Lease { system, key, until: Instant::from_std(until) })
    }

    /// A version of a system's key with the keys above, as the access manager tells of them.
    fn read_system(
        &self,
        entry: &api::System,
        id: &SystemId,
        version: Option<u64>,
    ) -> Result<(System, Option<Wrapped>, Option<Wrapped>), Error> {
        let version = version.unwrap_or(entry.summary.version);
        let found = entry.versions.iter().find(|found| found.version == version);
        let found = found.ok_or_else(|| NotFound::Version { key: id.id().clone(), version })?;
        let (tenant, wrapped_tenant) = self.read_tenant(&entry.above, found.tenant_version)?;
        let system = System::new(tenant, id.clone(), version, found.state.into()).map_err(|_| unlike())?;
        Ok((system, wrapped_tenant, found.wrapped.as_ref().map(read_wrapped).transpose()?))
    }
}

/// The version of the system's key that a data key says to be wrapped by, if it says to be of that system.
fn version_of(wrapped: &Wrapped, system: &SystemId) -> Result<u64, UnwrapError> {
    match wrapped.place() {
        Place::Data(place) if place.system == *system => Ok(place.system_version),
        Place::Data(place) if place.system.tenant() == system.tenant() => {
            Err(UnwrapError::Elsewhere(Difference::System))
        }
        Place::Data(_) => Err(UnwrapError::Elsewhere(Difference::Tenant)),
        Place::Tenant(_) | Place::System(_) => Err(UnwrapError::Elsewhere(Difference::Level)),
    }
}
