//! What a suite's group costs by itself: the yardstick of the managers' figures.

use crate::measure::per_cpu_second;
use std::hint::black_box;
use symbolon_fragments::{
    OldRng, Suite, SuiteId, SuiteVisitor,
    suite::{Field, Group},
};

/// Multiplications of a variable point by a secret scalar, in constant time, that one second of a processor does.
pub fn multiplications_per_cpu_second(suite: SuiteId) -> f64 {
    suite.visit(Multiply)
}

struct Multiply;

impl SuiteVisitor for Multiply {
    type Output = f64;

    fn visit<S: Suite>(self) -> f64 {
        let secret = <S::Group as Group>::Field::random(&mut OldRng(&mut crate::sharing::rng()));
        per_cpu_second(15, 400, || {
            let mut point = S::hash_to_group(b"a point", &[b"symbolon-benches"]);
            move || point = black_box(point) * black_box(secret)
        })
    }
}
