//! A plugin in Rust that misbehaves as its setting `behaviour` says, and else keeps the contract: what a hostile plugin, or
//! one with a mistake in it, can do with a plugin author's own tools. For tests only.
//!
//! What the tools forbid (a result outside of memory, text that is none, an allocator that lies) the guests in
//! WebAssembly's text form do, one folder up.

mod behaviour;
mod bindings;
mod handles;
mod keys;
mod resources;

/// What this component exports.
struct Guest;

bindings::export!(Guest with_types_in bindings);
