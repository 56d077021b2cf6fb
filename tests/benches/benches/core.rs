//! The parts of the function, one by one: `cargo bench -p symbolon-benches`.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use symbolon_benches::sharing::{Sharing, inputs, rng};
use symbolon_fragments::{Binding, Input, SuiteId};

const BATCHES: [u8; 3] = [1, 8, 64];

fn manager(criterion: &mut Criterion) {
    for suite in SuiteId::ALL {
        let sharing = Sharing::random(suite);
        let manager = &sharing.managers[0];
        let mut group = criterion.benchmark_group(format!("manager/{suite}"));
        for count in BATCHES {
            let inputs = inputs(suite, count);
            group.throughput(Throughput::Elements(count.into()));
            group.bench_with_input(BenchmarkId::new("evaluate", count), &inputs, |b, inputs| {
                b.iter(|| manager.evaluate(black_box(inputs)));
            });
            group.bench_with_input(BenchmarkId::new("evaluate and prove", count), &inputs, |b, inputs| {
                b.iter(|| manager.evaluate_proven(black_box(inputs), &mut rng()));
            });
        }
    }
}

fn client(criterion: &mut Criterion) {
    for suite in SuiteId::ALL {
        let sharing = Sharing::random(suite);
        let mut group = criterion.benchmark_group(format!("client/{suite}"));
        for count in BATCHES {
            let inputs = inputs(suite, count);
            group.throughput(Throughput::Elements(count.into()));
            group.bench_with_input(BenchmarkId::new("combine", count), &inputs, |b, inputs| {
                combine(b, &sharing, inputs);
            });
            group.bench_with_input(BenchmarkId::new("verify and combine", count), &inputs, |b, inputs| {
                verify(b, &sharing, inputs);
            });
        }
    }
}

fn combine(bencher: &mut criterion::Bencher<'_>, sharing: &Sharing, inputs: &[Input]) {
    let answers: Vec<_> =
        sharing.managers[..2].iter().map(|m| m.evaluate(inputs).expect("a batch")).collect();
    let start = || sharing.instance.combination(inputs.to_vec()).expect("a batch");
    bencher.iter_batched(
        start,
        |mut combination| {
            for (position, answer) in (0..).zip(&answers) {
                combination.accept(Sharing::index(position), answer).expect("it is right");
            }
            combination.finish()
        },
        BatchSize::SmallInput,
    );
}

fn verify(bencher: &mut criterion::Bencher<'_>, sharing: &Sharing, inputs: &[Input]) {
    let managers = sharing.managers[..2].iter();
    let answers = managers.map(|manager| manager.evaluate_proven(inputs, &mut rng()).expect("a batch"));
    let answers: Vec<_> = answers.collect();
    let start = || sharing.instance.combination(inputs.to_vec()).expect("a batch");
    bencher.iter_batched(
        start,
        |mut combination| {
            for (position, (answer, proof)) in (0..).zip(&answers) {
                combination.accept_proven(Sharing::index(position), answer, proof).expect("it is right");
            }
            combination.finish_proven()
        },
        BatchSize::SmallInput,
    );
}

fn derivation(criterion: &mut Criterion) {
    let suite = SuiteId::Ristretto255Sha512;
    let sharing = Sharing::random(suite);
    let inputs = inputs(suite, 1);
    let mut combination = sharing.instance.combination(inputs.clone()).expect("a batch");
    for position in 0..2 {
        let answer = sharing.managers[usize::from(position)].evaluate(&inputs).expect("a batch");
        combination.accept(Sharing::index(position), &answer).expect("it is right");
    }
    let output = combination.finish().expect("two answers").remove(0);
    let binding = Binding { header: &[0; 200], context: &[0; 40] };
    criterion.bench_function("derive", |b| b.iter(|| output.derive(None, black_box(binding))));
    criterion.bench_function("instance of 3", |b| b.iter(|| Sharing::random(suite).instance));
}

criterion_group!(core, manager, client, derivation);
criterion_main!(core);
