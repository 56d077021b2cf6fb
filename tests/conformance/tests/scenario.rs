//! The whole scenario, in Rust, against real servers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use symbolon_conformance::{Place, Scenario, run_all};

#[test]
fn rust_conforms() {
    let scenario = Scenario::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.json"));
    let mut place = Place::new();
    run_all(&mut place, &scenario.setup);
    let failed: Vec<_> = scenario
        .cases
        .iter()
        .filter(|case| {
            let played = catch_unwind(AssertUnwindSafe(|| run_all(&mut place, &case.steps)));
            place.end_case();
            played.is_err()
        })
        .map(|case| &case.name)
        .collect();
    assert!(failed.is_empty(), "of {} cases, these failed: {failed:#?}", scenario.cases.len());
    assert!(scenario.cases.len() >= 60);
}
