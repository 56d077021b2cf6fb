//! Tests of the trust documents through the crate's public face: one account with all its keys, and everything that
//! somebody without the right one may try.

mod certificates;
mod deny_and_orders;
mod documents;
mod evaluation;
mod forgery;
mod requests;
mod root;
mod shapes;
mod support;
mod vectors;
