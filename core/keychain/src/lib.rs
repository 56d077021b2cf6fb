//! The key chain: levels, states, permits, and how each key is wrapped by the one above (specification §9).
//!
//! | level | key | wrapped by |
//! | --- | --- | --- |
//! | L1 | root key: in fragments, or inside an HSM; it is never here | nothing |
//! | L2 | [`TenantKey`], one a tenant | the root key, by sealing it as a small secret |
//! | L3 | [`SystemKey`], one a linked system: a storage cluster, a database | its tenant's key |
//! | L4 | [`DataKey`], one a volume | its system's key |
//!
//! What may be done is decided by the states of all keys on the way ([`Tenant::permit`], [`System::permit`],
//! [`System::data_permit`]). The answer is a [`Permit`], which nothing else can make, and which the functions that wrap
//! and unwrap take by value: skipping the check doesn't compile, and a permit serves once, for the place that it names.
//!
//! Nothing here fetches a row, asks a root key or keeps a lease: that is the client's, in `bindings/client`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod chain;
mod key;
mod names;
mod permit;
mod place;
mod state;
mod wrapped;

pub use chain::{NotOfTenant, Root, System, Tenant};
pub use key::{DataKey, KEY_LEN, NewTenantKey, SealedTenantKey, SystemKey, TenantKey};
pub use names::{Purpose, SystemId, TenantId, Volume, WrongName};
pub use permit::{Level, Operation, OperationKind, Permit, Refused, Unwrap, Wrap};
pub use place::{DataPlace, Difference, Place, SystemPlace, TenantPlace};
pub use state::{Action, Destruction, Direction, Facts, PERMITTED, State, TRANSITIONS, Transition};
pub use wrapped::{NotItsKey, UnwrapError, Wrapped};
