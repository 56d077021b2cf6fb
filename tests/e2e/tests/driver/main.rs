//! Keys in an HSM behind real drivers: what they do, who can make them do it, and what happens when something breaks.

mod hsm;
mod jobs;
mod scene;
mod start;
mod theft;
mod work;
