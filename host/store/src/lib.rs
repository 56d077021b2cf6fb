//! Durable state of the roles on SQLite.
#![forbid(unsafe_code)]
