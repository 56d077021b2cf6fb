//! The account's owner: a folder with keys and documents, kept off the servers, and the ways of signing and sending.
//!
//! [`Owner`] is the folder: what was founded, granted, denied and ordered so far. [`Signer`] is its keys, each opened
//! when it is first needed. [`Courier`] takes documents to the managers and brings their receipts back. Nothing here
//! asks a server whether something is allowed: a document speaks for itself.

mod account;
mod blast_radius;
mod cosign;
mod courier;
mod delivery;
mod documents;
mod drivers;
mod folder;
mod leases;
mod rotation;
mod sets;
mod signer;
mod sync;
#[cfg(test)]
mod tests;

pub use account::{Administrator, NewAccount, NewMember};
pub use blast_radius::BlastRadius;
pub use cosign::{Waiting, sign_first_root};
pub use courier::{Courier, Delivered};
pub use delivery::{Delivery, DeliveryError, Report};
pub use documents::{GrantTerms, ORDER_LIFETIME, RootChange, UnknownGrant};
pub use drivers::{CheckedDriver, DriverError, NewDriver};
pub use folder::{Owner, OwnerError};
pub use leases::Lease;
pub use rotation::Renewed;
pub use sets::Holding;
pub use signer::{Office, Signer};
pub use sync::SyncError;
