//! The plugin host against its guests: each hostile one costs its own call, with its own verdict.

mod admission;
mod beside;
mod contract;
mod good;
mod hostile;
mod rust;
mod support;
mod tenants;
