//! The function as its users see it, through the public interface alone.

mod properties;
mod refusals;
mod sharings;
