//! All roles on loopback, each a process of its own with the files that a real deployment has.

mod fleet;
mod layout;
mod memory;
