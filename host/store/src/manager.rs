//! Tables of a fragment manager, and the typed queries on them.
//!
//! The rows are facts; which document is valid, which instance is served and what a record says is the fragment manager's
//! business. Fragments come and go sealed.

mod ages;
mod ceremony;
mod documents;
mod keys;
mod log;

pub use ceremony::{InstanceRow, NewInstance, Position, SetRow, Status};
pub use documents::OrderRow;
pub use keys::KeyRow;
pub use log::{Chain, RecordRow};

pub use crate::rows::accounts;

use crate::Schema;

/// The tables, by version.
pub const SCHEMA: Schema = Schema { scripts: &[include_str!("manager/schema-1.sql")] };

/// The tables of a fragment manager.
#[derive(Debug)]
pub enum Tables {}

/// An account's rows, as one transaction sees them.
pub type Rows<'t, T> = crate::Rows<'t, T, Tables>;
