//! The access manager role: metadata, policy, permits, relay, audit.
#![forbid(unsafe_code)]
