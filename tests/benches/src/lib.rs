//! Load tools for the project's figures. Every figure is taken beside a baseline in the same run, so that ratios, which
//! are what is promised, mean the same on every machine.
#![expect(
    clippy::missing_panics_doc,
    reason = "a measurement that fails ends the run by panicking, always and everywhere"
)]

pub mod bulk;
pub mod dev;
pub mod driver;
pub mod figure;
pub mod group;
mod half;
pub mod hsm;
pub mod kotlin;
pub mod manager;
pub mod measure;
pub mod operation;
pub mod plugin;
pub mod process;
pub mod python;
pub mod refresh;
mod sdk;
pub mod shared;
pub mod sharing;
pub mod site;
