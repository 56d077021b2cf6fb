//! Jobs for HSMs: what a driver admits, who reads what, and that one result counts, whatever crashes.

mod crashes;
mod judging;
mod support;
mod ticket;
