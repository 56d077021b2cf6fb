//! The whole scenario, in Rust, against real servers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use symbolon_conformance::{Place, Scenario, run_all};
use symbolon_hsm::{Module, TestToken};

/// Set in the process that plays: the token's module reads its environment there, which a test must not change its own.
const PLAYS: &str = "SYMBOLON_PLAYS_SCENARIO";

#[test]
fn rust_conforms() {
    if std::env::var_os(PLAYS).is_some() {
        return play();
    }
    let token = TestToken::new(Module::SoftHsm2);
    let mut player = Command::new(std::env::current_exe().expect("this test is a program"));
    player.args(["--exact", "rust_conforms", "--nocapture"]).envs(token.environment()).env(PLAYS, "1");
    assert!(player.status().expect("it starts").success());
}

fn play() {
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
