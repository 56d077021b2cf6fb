//! The one client: sessions, combination, envelope streams, key management.
#![forbid(unsafe_code)]
