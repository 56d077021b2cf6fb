//! Permits: the only way to wrap or to unwrap, made only where the states of all keys on the way were looked at.

use crate::state::State;
use core::{fmt, marker::PhantomData};
use symbolon_fragments::names::KeyId;

mod sealed {
    pub trait Sealed {}
}

/// A level of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// L1: the root key.
    Root,
    /// L2: the tenant's key.
    Tenant,
    /// L3: the system's key.
    System,
    /// L4: a data key.
    Data,
}

/// What is done with a key of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// A new key is made and wrapped under it.
    Wrap,
    /// A key under it is unwrapped.
    Unwrap,
}

/// An operation as a type; there are two.
pub trait Operation: sealed::Sealed {
    /// Which one.
    const KIND: OperationKind;
}

/// Making a key and wrapping it.
#[derive(Debug)]
pub enum Wrap {}

/// Unwrapping a key.
#[derive(Debug)]
pub enum Unwrap {}

impl sealed::Sealed for Wrap {}
impl sealed::Sealed for Unwrap {}

impl Operation for Wrap {
    const KIND: OperationKind = OperationKind::Wrap;
}

impl Operation for Unwrap {
    const KIND: OperationKind = OperationKind::Unwrap;
}

/// The operation `O` on one key at one place was found permitted by the states of all keys above. It is used up by what
/// it permits, and can be neither made nor copied elsewhere.
///
/// ```compile_fail,E0451
/// use symbolon_keychain::{DataPlace, Permit, Wrap};
/// fn forge(place: DataPlace) -> Permit<Wrap, DataPlace> {
///     Permit { place, operation: core::marker::PhantomData }
/// }
/// ```
///
/// ```compile_fail,E0382
/// use symbolon_keychain::{DataPlace, Permit, SystemKey, Unwrap};
/// fn twice(key: &SystemKey, permit: Permit<Unwrap, DataPlace>, wrapped: &[u8]) {
///     let _ = key.unwrap_data_key(permit, wrapped);
///     let _ = key.unwrap_data_key(permit, wrapped);
/// }
/// ```
#[must_use = "a permit permits one operation"]
#[derive(Debug)]
pub struct Permit<O, P> {
    place: P,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation, P> Permit<O, P> {
    /// A permit, if every key on the way permits the operation.
    pub(crate) fn check<'a>(
        place: P,
        way: impl IntoIterator<Item = (Level, &'a KeyId, State)>,
    ) -> Result<Self, Refused> {
        for (level, key, state) in way {
            if !state.permits(O::KIND) {
                return Err(Refused { level, key: key.clone(), state });
            }
        }
        Ok(Self { place, operation: PhantomData })
    }

    /// The place that it is for.
    pub const fn place(&self) -> &P {
        &self.place
    }

    /// Uses the permit up.
    pub(crate) fn into_place(self) -> P {
        self.place
    }
}

/// A key on the way is in a state that doesn't permit it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{level} {key} is {}", state.word())]
pub struct Refused {
    /// The key's level.
    pub level: Level,
    /// The key, tenant or system.
    pub key: KeyId,
    /// Its state.
    pub state: State,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Root => "root key",
            Self::Tenant => "tenant",
            Self::System => "system",
            Self::Data => "data key",
        })
    }
}
