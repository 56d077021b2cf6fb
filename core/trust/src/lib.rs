//! Accounts, the owner's root, grants, permits, deny documents, orders and certificates, and the checks that give witnesses.
#![no_std]
#![forbid(unsafe_code)]
