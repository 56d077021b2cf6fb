//! Tests of the audit log through the crate's public face: an access manager and three managers, honest and not.

mod checkpoints;
mod support;
mod verification;
