//! The fragment manager role: it holds one fragment of each key and evaluates.
#![forbid(unsafe_code)]
