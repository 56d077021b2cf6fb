//! The scenario that every binding of the client runs, and its runner for Rust. README.md says what the words mean.
//!
//! A step that fails panics with its case and its number: this is a harness of tests.
#![expect(clippy::missing_panics_doc, reason = "a harness fails a test by panicking, always and everywhere")]

mod callback;
mod control;
mod file;
mod keys;
mod message;
mod place;
mod scenario;
mod stream;
mod value;

pub use place::Place;
pub use scenario::{Case, Scenario, Step};

use symbolon_client::Error;

/// What a step gives: nothing, or the client's error.
type Outcome = Result<(), Error>;

/// Runs one step, and sees that it ends as the scenario says.
fn run(place: &mut Place, step: &Step) {
    let outcome = scenario::act(place, step);
    match (outcome, &step.error) {
        (Ok(()), None) => {}
        (Err(error), Some(expected)) => {
            let told = (error.kind().word(), error.code());
            assert_eq!(told, (&expected.kind[..], &expected.code[..]), "{}: {step:?}", error.detail());
        }
        (Ok(()), Some(expected)) => panic!("{expected:?} was expected: {step:?}"),
        (Err(error), None) => panic!("{} ({}): {step:?}", error.detail(), error.code()),
    }
}

/// Runs a list of steps.
pub fn run_all(place: &mut Place, steps: &[Step]) {
    for step in steps {
        run(place, step);
    }
}
