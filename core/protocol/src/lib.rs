//! Wire messages, and the sans-I/O machines: ceremonies, and jobs for HSMs.
#![cfg_attr(not(feature = "openapi"), no_std)] // the schema derives need std
#![forbid(unsafe_code)]

extern crate alloc;

pub mod api;
pub mod ceremony;
pub mod hpke;
pub mod jobs;
pub mod wire;
