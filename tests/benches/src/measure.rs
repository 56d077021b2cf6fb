//! Medians of times: of the wall clock, and of the processor time of this thread.

use rustix::time::{ClockId, clock_gettime};
use std::num::NonZero;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

/// The median; the mean of the middle two where there are two.
///
/// # Panics
/// If there is no sample.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(low, high)
}

/// Seconds of each of `rounds` runs.
pub fn seconds(rounds: usize, mut run: impl FnMut()) -> Vec<f64> {
    let one = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..rounds).map(one).collect()
}

/// How often `run` is done in a second of processor time while every processor does the same: the median of `rounds`
/// of `times` runs on each.
///
/// All of them at once, since a server under load uses them all, and two processors may be two threads of one core: a
/// loop alone gets half as much done again as each of two side by side.
pub fn per_cpu_second<R: FnMut()>(rounds: usize, times: u32, make: impl Fn() -> R + Sync) -> f64 {
    let all = || {
        let mut run = make();
        let one = |_| {
            let start = thread_time();
            (0..times).for_each(|_| run());
            f64::from(times) / thread_time().saturating_sub(start).as_secs_f64()
        };
        (0..rounds).map(one).collect::<Vec<_>>()
    };
    let processors = available_parallelism().map_or(1, NonZero::get);
    let samples: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(all)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a bare loop ends")).collect()
    });
    median(&samples)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds =
        u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("it counts up from zero");
    Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < f64::EPSILON);
    }
}
