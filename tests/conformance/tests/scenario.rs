//! The whole scenario, in Rust, against real servers.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use symbolon_conformance::{Place, Scenario, run_all};

#[test]
fn rust_conforms() {
    let scenario = Scenario::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.json"));
    let mut place = Place::new();
    run_all(&mut place, &scenario.setup);
    for case in &scenario.cases {
        let played = catch_unwind(AssertUnwindSafe(|| run_all(&mut place, &case.steps)));
        if let Err(panic) = played {
            eprintln!("the case \"{}\" failed", case.name);
            resume_unwind(panic);
        }
        place.end_case();
    }
    assert!(scenario.cases.len() >= 60);
}
