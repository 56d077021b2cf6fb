//! The key chain from outside: states, wrapping, published vectors.

mod published;
mod states;
mod support;
mod vectors;
mod wrapping;
