//! The keys themselves, wiped when they are dropped, and the operations on them, each of which uses a permit up.

use crate::permit::{Permit, Unwrap, Wrap};
use crate::place::{DataPlace, Difference, Place, SystemPlace, TenantPlace, same};
use crate::wrapped::{NotItsKey, UnwrapError, Wrapped};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_envelope::Context;
use symbolon_envelope::sealed::{self, Lock, SealingKey};
use zeroize::Zeroizing;

/// Bytes of every key of the chain.
pub const KEY_LEN: usize = 32;

/// An L2 key, unwrapped.
pub struct TenantKey {
    key: SealingKey,
    place: TenantPlace,
}

/// An L3 key, unwrapped.
pub struct SystemKey {
    key: SealingKey,
    place: SystemPlace,
}

/// An L4 key, unwrapped: for a storage system's own cipher.
pub struct DataKey(SealingKey);

/// A new L2 key, which the root key has still to seal.
pub struct NewTenantKey(TenantKey);

/// A stored L2 key, which the root key has still to open.
pub struct SealedTenantKey {
    place: TenantPlace,
    sealed: Vec<u8>,
}

impl NewTenantKey {
    /// What the root key is to seal.
    pub fn secret(&self) -> &[u8; KEY_LEN] {
        self.0.key.expose()
    }

    /// The context that it is to be sealed with.
    pub fn context(&self) -> Context {
        self.0.place.context()
    }

    /// The key with its stored form, now that the root key has sealed it.
    pub fn sealed(self, sealed: Vec<u8>) -> (TenantKey, Wrapped) {
        let wrapped = Wrapped::new(Place::Tenant(self.0.place.clone()), sealed);
        (self.0, wrapped)
    }
}

impl SealedTenantKey {
    /// What the root key is to open.
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// The context that it was sealed with.
    pub fn context(&self) -> Context {
        self.place.context()
    }

    /// The key, now that the root key has opened it.
    pub fn opened(self, secret: &[u8]) -> Result<TenantKey, UnwrapError> {
        Ok(TenantKey { key: key_of(secret)?, place: self.place })
    }
}

impl TenantKey {
    /// Makes a tenant's key.
    pub fn generate(permit: Permit<Wrap, TenantPlace>, rng: &mut impl CryptoRng) -> NewTenantKey {
        NewTenantKey(Self { key: SealingKey::generate(rng), place: permit.into_place() })
    }

    /// A tenant's key as it is stored, if it says to belong where the permit allows to open it.
    pub fn unwrap(
        permit: Permit<Unwrap, TenantPlace>,
        wrapped: Wrapped,
    ) -> Result<SealedTenantKey, UnwrapError> {
        let place = permit.into_place();
        let sealed = wrapped.at(&Place::Tenant(place.clone()))?;
        Ok(SealedTenantKey { place, sealed })
    }

    /// Makes a system's key and wraps it under this one.
    pub fn generate_system_key(
        &self,
        permit: Permit<Wrap, SystemPlace>,
        rng: &mut impl CryptoRng,
    ) -> Result<(SystemKey, Wrapped), NotItsKey> {
        let place = permit.into_place();
        self.check(&place).map_err(NotItsKey)?;
        let key = SealingKey::generate(rng);
        let wrapped = wrap(&self.key, Place::System(place.clone()), &key, rng);
        Ok((SystemKey { key, place }, wrapped))
    }

    /// Unwraps a system's key.
    pub fn unwrap_system_key(
        &self,
        permit: Permit<Unwrap, SystemPlace>,
        wrapped: Wrapped,
    ) -> Result<SystemKey, UnwrapError> {
        let place = permit.into_place();
        self.check(&place).map_err(UnwrapError::Elsewhere)?;
        let key = unwrap(&self.key, &Place::System(place.clone()), wrapped)?;
        Ok(SystemKey { key, place })
    }

    fn check(&self, below: &SystemPlace) -> Result<(), Difference> {
        same(Difference::Account, &self.place.account, &below.account)?;
        same(Difference::Tenant, &self.place.tenant, &below.system.tenant())?;
        same(Difference::Version, &self.place.version, &below.tenant_version)
    }
}

impl SystemKey {
    /// Makes a data key and wraps it under this one.
    pub fn generate_data_key(
        &self,
        permit: Permit<Wrap, DataPlace>,
        rng: &mut impl CryptoRng,
    ) -> Result<(DataKey, Wrapped), NotItsKey> {
        let place = permit.into_place();
        self.check(&place).map_err(NotItsKey)?;
        let key = SealingKey::generate(rng);
        let wrapped = wrap(&self.key, Place::Data(place), &key, rng);
        Ok((DataKey(key), wrapped))
    }

    /// Unwraps a data key.
    pub fn unwrap_data_key(
        &self,
        permit: Permit<Unwrap, DataPlace>,
        wrapped: Wrapped,
    ) -> Result<DataKey, UnwrapError> {
        let place = permit.into_place();
        self.check(&place).map_err(UnwrapError::Elsewhere)?;
        unwrap(&self.key, &Place::Data(place), wrapped).map(DataKey)
    }

    fn check(&self, below: &DataPlace) -> Result<(), Difference> {
        same(Difference::Account, &self.place.account, &below.account)?;
        same(Difference::System, &self.place.system, &below.system)?;
        same(Difference::Version, &self.place.version, &below.system_version)
    }
}

impl DataKey {
    /// The key's bytes, for the storage system that encrypts with them.
    pub fn expose(&self) -> &[u8; KEY_LEN] {
        self.0.expose()
    }
}

fn wrap(under: &SealingKey, place: Place, key: &SealingKey, rng: &mut impl CryptoRng) -> Wrapped {
    let sealed = sealed::seal(Lock::Key(under), &place.label(), key.expose(), rng);
    // A key, unlike a passphrase, costs nothing.
    Wrapped::new(place, sealed.expect("sealing under a key has no cost to refuse"))
}

fn unwrap(under: &SealingKey, place: &Place, wrapped: Wrapped) -> Result<SealingKey, UnwrapError> {
    let sealed = wrapped.at(place)?;
    let secret = sealed::open(Lock::Key(under), &place.label(), &sealed);
    key_of(&secret.map_err(UnwrapError::NotAuthentic)?)
}

fn key_of(secret: &[u8]) -> Result<SealingKey, UnwrapError> {
    let bytes: Zeroizing<[u8; KEY_LEN]> = Zeroizing::new(secret.try_into().map_err(|_| UnwrapError::Length)?);
    Ok(SealingKey::new(*bytes))
}
