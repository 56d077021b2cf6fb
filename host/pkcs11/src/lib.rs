//! PKCS#11 tokens, each with its vendor's library in a process of its own.
//!
//! A [`Token`] is what an operator configured: module, label, PIN file. [`Token::session`] starts a child process that
//! loads the module and logs in ([`broker`]); the [`Session`] that comes back is held to what is [`Allowed`], and its
//! [`Object`]s are handles. A library that crashes or hangs costs the call that met it: the next one gets a new child.
//! A PIN that the token refused is not tried again until its file changes, so that nothing here ever locks a token.
//!
//! This crate knows no plugin, and no policy but one: no caller gets a key out of a token in the clear ([`allowed`]).

pub mod allowed;
pub mod broker;
mod error;
mod link;
pub mod number;
mod pin;
mod session;
mod settings;
mod token;
mod wire;

pub use allowed::{Allowed, NotAllowed};
pub use error::Error;
pub use session::{Object, Session};
pub use settings::{Numbers, Program, TokenSettings};
pub use token::Token;
pub use wire::{Attribute, Mechanism, Parameters, Template, TokenInfo};
