//! One line of the table, and the table.

use serde::Serialize;
use std::fmt;

/// A figure beside its baseline, both of the same run.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The median of the measurements.
    pub median: f64,
    /// The unit of median and baseline.
    pub unit: &'static str,
    /// What it is compared with.
    pub baseline: f64,
    /// `median / baseline`.
    pub ratio: f64,
    /// What the baseline is, and what the figure should reach; for people.
    #[serde(skip)]
    pub note: &'static str,
}

impl Figure {
    /// A figure and its ratio.
    pub fn new(name: impl Into<String>, median: f64, unit: &'static str, baseline: f64) -> Self {
        Self { name: name.into(), median, unit, baseline, ratio: median / baseline, note: "" }
    }

    /// The same with words on what the baseline is.
    #[must_use]
    pub fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }
}

/// All figures of a run, for people.
pub struct Table<'a>(pub &'a [Figure]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|figure| figure.name.len()).max().unwrap_or(4);
        writeln!(
            f,
            "{:width$}  {:>12}  {:<10} {:>12}  {:>6}",
            "figure", "median", "unit", "baseline", "ratio"
        )?;
        for Figure { name, median, unit, baseline, ratio, note } in self.0 {
            let (median, baseline) = (digits(*median), digits(*baseline));
            writeln!(f, "{name:width$}  {median:>12}  {unit:<10} {baseline:>12}  {ratio:>6.2}  {note}")?;
        }
        Ok(())
    }
}

/// Three significant digits or all before the point.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}
