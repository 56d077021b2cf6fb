//! One fragment manager process under load over its real channel, by the processor time that it uses.

use crate::figure::Figure;
use crate::group::multiplications_per_cpu_second;
use crate::measure::median;
use crate::process::cpu_time;
use crate::site::{Line, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use symbolon_e2e::PATIENCE;
use symbolon_fragments::{
    Fields, SuiteId,
    names::{Purpose, Thumbprint},
};
use symbolon_protocol::api::Operation;
use symbolon_protocol::wire::{Inputs, Request, Response};

/// How requests come.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    operation: Operation,
    /// Inputs in a request.
    inputs: u8,
    /// Requests in flight.
    requests: usize,
    target: &'static str,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "manager-decrypt-batch",
        operation: Operation::Decrypt,
        inputs: 32,
        requests: 4,
        target: "of the bare scalar multiplication; should reach 0.7",
    },
    Shape {
        name: "manager-decrypt-single",
        operation: Operation::Decrypt,
        inputs: 1,
        requests: 32,
        target: "of the bare scalar multiplication; should reach 0.5",
    },
    Shape {
        name: "manager-encrypt-batch",
        operation: Operation::Encrypt,
        inputs: 32,
        requests: 4,
        target: "of the bare scalar multiplication, proofs included; should reach 0.5",
    },
];

const WARM_UP: Duration = Duration::from_millis(500);

/// Inputs per processor second of the first manager, for both suites.
pub fn figures(at: &Site, rounds: usize, span: Duration) -> Vec<Figure> {
    let figure = |suite, shape: Shape| {
        let runs: Vec<_> = (0..rounds).map(|_| round(at, suite, shape, span)).collect();
        let (rates, baselines): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        let name = match suite {
            SuiteId::Ristretto255Sha512 => shape.name.to_owned(),
            SuiteId::P256Sha256 => format!("{}-p256", shape.name),
        };
        Figure::new(name, median(&rates), "1/cpu-s", median(&baselines)).note(shape.target)
    };
    SuiteId::ALL.into_iter().flat_map(|suite| SHAPES.map(|shape| figure(suite, shape))).collect()
}

/// One measurement and its baseline.
fn round(at: &Site, suite: SuiteId, shape: Shape, span: Duration) -> (f64, f64) {
    let line = Arc::new(at.line(suite, shape.operation));
    let writer = at.client.holder();
    let pid = at.deployment.managers[0].pid();
    drive(at, &line, writer, shape, WARM_UP);
    let before = cpu_time(pid);
    let done = drive(at, &line, writer, shape, span);
    let used = cpu_time(pid).saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "a count of seconds' worth of requests")]
    let rate = done as f64 / used.as_secs_f64();
    (rate, multiplications_per_cpu_second(suite))
}

/// Keeps requests in flight for that long; returns how many inputs were evaluated.
fn drive(at: &Site, line: &Arc<Line>, writer: Thumbprint, shape: Shape, span: Duration) -> u64 {
    let done = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + span;
    at.runtime.block_on(async {
        let caller = |_| tokio::spawn(call_until(end, Arc::clone(line), writer, shape, Arc::clone(&done)));
        let callers: Vec<_> = (0..shape.requests).map(caller).collect();
        for caller in callers {
            caller.await.expect("the load runs to its end");
        }
    });
    done.load(Ordering::Relaxed)
}

async fn call_until(end: Instant, line: Arc<Line>, writer: Thumbprint, shape: Shape, done: Arc<AtomicU64>) {
    let prove = shape.operation == Operation::Encrypt;
    while Instant::now() < end {
        let inputs = Inputs::new((0..shape.inputs).map(|_| fields(writer)).collect()).expect("1 to 64");
        let request = Request::Evaluate { handle: line.handle, instance: line.instance, prove, inputs };
        match line.channel.call(request, PATIENCE).await {
            Ok(Response::Evaluated { evaluations, proof, .. }) if proof.is_some() == prove => {
                done.fetch_add(evaluations.len() as u64, Ordering::Relaxed);
            }
            other => panic!("evaluations were expected, not {other:?}"),
        }
    }
}

fn fields(writer: Thumbprint) -> Fields {
    let mut r = [0; 32];
    getrandom::fill(&mut r).expect("the system gives random bytes");
    Fields { purpose: Purpose::Data, writer, created: symbolon_e2e::unix_time(), r }
}
