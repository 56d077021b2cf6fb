//! The ciphertext format and the sealing of small secrets.
#![no_std]
#![forbid(unsafe_code)]
