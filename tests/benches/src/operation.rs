//! Whole operations of a client: loopback, channels up, permit held.

use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::sharing::{Sharing, inputs, rng};
use crate::site::{Site, key};
use std::hint::black_box;
use symbolon_client::Context;
use symbolon_fragments::{Binding, SuiteId};
use symbolon_protocol::api::{Health, Operation, Permit, PermitRequest, path};

const MICROSECONDS: f64 = 1e6;

/// Decrypt and encrypt for both suites, and what a permit costs.
pub fn figures(at: &Site, rounds: usize) -> Vec<Figure> {
    let mut figures = Vec::new();
    for suite in SuiteId::ALL {
        figures.extend(of_suite(at, suite, rounds));
    }
    figures.push(permit(at, rounds));
    figures
}

fn of_suite(at: &Site, suite: SuiteId, rounds: usize) -> [Figure; 2] {
    let key = key(suite).parse().expect("a key id");
    let context = Context::new();
    let encrypt =
        || at.runtime.block_on(at.client.encrypt(&key, b"a short message", &context)).expect("it is granted");
    let sealed = encrypt();
    let decrypt = || at.runtime.block_on(at.client.decrypt(&sealed, &context)).expect("it is granted");
    decrypt();
    let decryption = seconds(rounds, || drop(black_box(decrypt())));
    let encryption = seconds(rounds, || drop(black_box(encrypt())));
    let suffix = if suite == SuiteId::P256Sha256 { "-p256" } else { "" };
    let figure = |name: &str, times: &[f64], proven, note| {
        let baseline = bare(suite, proven, rounds);
        Figure::new(format!("{name}{suffix}"), MICROSECONDS * median(times), "µs", MICROSECONDS * baseline)
            .note(note)
    };
    [
        figure(
            "operation-decrypt",
            &decryption,
            false,
            "to its bare cryptography; should be below 1000 µs on ristretto255",
        ),
        figure(
            "operation-encrypt",
            &encryption,
            true,
            "to its bare cryptography; should be below 2000 µs on ristretto255",
        ),
    ]
}

/// The cryptography of one operation, in memory, one manager's part and the client's: managers work side by side.
fn bare(suite: SuiteId, proven: bool, rounds: usize) -> f64 {
    let sharing = Sharing::random(suite);
    let inputs = inputs(suite, 1);
    let answer = |position: u16| {
        let manager = &sharing.managers[usize::from(position)];
        let (evaluations, proof) = manager.evaluate_proven(&inputs, &mut rng()).expect("a batch");
        (Sharing::index(position), evaluations, proof)
    };
    let answers = [answer(0), answer(1)];
    let manager = || {
        if proven {
            drop(black_box(sharing.managers[0].evaluate_proven(&inputs, &mut rng())));
        } else {
            drop(black_box(sharing.managers[0].evaluate(&inputs)));
        }
    };
    let client = || {
        let mut combination = sharing.instance.combination(inputs.clone()).expect("a batch");
        for (index, evaluations, proof) in &answers {
            let proof = proven.then_some(proof);
            let accepted = match proof {
                Some(proof) => combination.accept_proven(*index, evaluations, proof),
                None => combination.accept(*index, evaluations),
            };
            accepted.expect("it is right");
        }
        let output = combination.finish().expect("two answers").remove(0);
        drop(black_box(output.derive(None, Binding { header: &[0; 200], context: &[0; 1] })));
    };
    median(&seconds(rounds, || {
        manager();
        client();
    }))
}

/// A permit from the access manager, beside the same exchange without a signature and without a word in the audit log.
fn permit(at: &Site, rounds: usize) -> Figure {
    let access = at.client.access();
    let path = path::of_account(path::PERMITS, access.account());
    let wanted = PermitRequest {
        key: key(SuiteId::Ristretto255Sha512).into(),
        version: None,
        operations: vec![Operation::Decrypt],
        on_behalf_of: None,
        process: None,
    };
    let permit = || {
        let answer: Permit = at.runtime.block_on(access.post(path.clone(), &wanted)).expect("it is granted");
        drop(black_box(answer));
    };
    let health = || {
        let answer: Health = at.runtime.block_on(access.get(path::HEALTH)).expect("it answers");
        drop(black_box(answer));
    };
    permit();
    let [permits, healths] = [seconds(rounds, permit), seconds(rounds, health)];
    let [permits, healths] = [permits, healths].map(|times| MICROSECONDS * median(&times));
    Figure::new("operation-permit", permits, "µs", healths)
        .note("to asking whether the access manager is well")
}
