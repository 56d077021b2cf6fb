//! Wire messages and the sans-I/O ceremony.
#![cfg_attr(not(feature = "openapi"), no_std)] // the schema derives need std
#![forbid(unsafe_code)]

extern crate alloc;

pub mod api;
pub mod ceremony;
pub mod wire;
