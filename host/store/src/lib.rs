//! Durable state of the roles, on `SQLite`; the only crate that names `sqlx`.
//!
//! [`Datastore::open`] is the way in: it locks the datastore to this process, checks that it is whole and that it
//! belongs to this role, and brings its tables to the program's version. [`Rows`] binds a transaction to one account;
//! [`access`] has the typed queries of the access manager, [`manager`] those of a fragment manager, [`driver`] those of a
//! driver. They take a [`Read`] or a [`Write`], so that whoever calls decides what is one transaction. Nothing here knows
//! what a document says or who may do what.

pub mod access;
mod datastore;
pub mod driver;
mod error;
mod lock;
pub mod manager;
mod rows;
mod schema;
mod sealing;
mod value;

pub use datastore::{Changes, Connection, Datastore, Read, Reading, Write};
pub use error::{OpenError, StoreError};
pub use rows::Rows;
pub use schema::{Owner, Role, Schema};
pub use sealing::Sealing;
