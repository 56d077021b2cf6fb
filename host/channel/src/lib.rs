//! Mutual TLS 1.3, the CONNECT relay, and framed messages inside.
#![forbid(unsafe_code)]
