//! `cargo xtask bench`: takes the figures on deployments of its own, and prints one table.

use std::process::ExitCode;
use std::time::Duration;
use symbolon_benches::figure::{Figure, Table};
use symbolon_benches::site::Site;
use symbolon_benches::{bulk, dev, driver, hsm, kotlin, manager, operation, plugin, python, refresh, shared};

const USAGE: &str = "usage: cargo xtask bench [--quick] [--json FILE] [GROUP…]
  groups: manager operation bulk memory refresh shared-root plugin hsm driver kotlin python (all of them without one)
  --quick: a tenth of the time, for a look; its figures are rough";

/// What is measured, and how thoroughly.
struct Plan {
    groups: Vec<String>,
    json: Option<String>,
    quick: bool,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == hsm::BROKER) {
        return symbolon_pkcs11::broker::main();
    }
    let Some(plan) = Plan::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let figures = plan.measure();
    println!("{}", Table(&figures));
    plan.write(&figures)
}

impl Plan {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut plan = Self { groups: Vec::new(), json: None, quick: false };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => plan.quick = true,
                "--json" => plan.json = Some(words.next()?),
                group if GROUPS.iter().any(|(name, _)| *name == group) => plan.groups.push(word),
                _ => return None,
            }
        }
        Some(plan)
    }

    fn measure(&self) -> Vec<Figure> {
        let wanted = |name: &str| self.groups.is_empty() || self.groups.iter().any(|group| group == name);
        let mut figures = Vec::new();
        for (name, measure) in GROUPS.into_iter().filter(|(name, _)| wanted(name)) {
            eprintln!("── {name}");
            figures.extend(measure(self));
        }
        figures
    }

    fn write(&self, figures: &[Figure]) -> ExitCode {
        let Some(file) = &self.json else { return ExitCode::SUCCESS };
        let json = serde_json::to_string_pretty(figures).expect("figures are JSON");
        match std::fs::write(file, json + "\n") {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{file}: {error}");
                ExitCode::from(9)
            }
        }
    }

    /// A number of repetitions, or a tenth of it.
    fn often(&self, count: usize) -> usize {
        if self.quick { count.div_ceil(10) } else { count }
    }
}

type Group = (&'static str, fn(&Plan) -> Vec<Figure>);

const GROUPS: [Group; 11] = [
    ("manager", |plan| manager::figures(&Site::with_keys(), plan.often(5), Duration::from_secs(3))),
    ("operation", |plan| operation::figures(&Site::with_keys(), plan.often(400))),
    ("bulk", |plan| bulk::figures(&Site::with_keys(), plan.often(7), plan.often(1024))),
    ("memory", |_| dev::figures()),
    ("refresh", |plan| refresh::figures(&[plan.often(1_000), plan.often(10_000)])),
    ("shared-root", |plan| {
        shared::figures(&Site::start(), [plan.often(1_000), plan.often(100_000)], plan.often(400))
    }),
    ("plugin", |plan| plugin::figures(plan.often(500))),
    ("hsm", |plan| hsm::figures(plan.often(100))),
    ("driver", |plan| driver::figures(plan.often(200))),
    ("kotlin", |plan| kotlin::figures(&Site::with_keys(), plan.often(51), plan.often(1024))),
    ("python", |plan| python::figures(&Site::with_keys(), plan.often(51), plan.often(1024))),
];
