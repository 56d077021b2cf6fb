//! Load tools for the project's figures. Every figure is taken beside a baseline in the same run, so that ratios, which
//! are what is promised, mean the same on every machine.

pub mod figure;
pub mod group;
pub mod measure;
pub mod sharing;
