//! A job's round trip on loopback: a client opens a secret under a key in an HSM, through the access manager's queue and a
//! driver's process, which journals its answer before it sends it.

use std::hint::black_box;

use symbolon_client::Context;
use symbolon_client::hsm::NewHsmKey;
use symbolon_e2e::hsm::STORE;
use symbolon_fragments::names::KeyId;
use symbolon_hsm::{Module, TestToken};
use symbolon_protocol::api::{Health, Labels, path};
use symbolon_trust::KeyAlgorithm;

use crate::figure::Figure;
use crate::measure::{median, seconds};
use crate::site::Site;

const MILLISECONDS: f64 = 1e3;

/// The round trip with either module.
pub fn figures(rounds: usize) -> Vec<Figure> {
    [("driver-job", Module::SoftHsm2), ("driver-job-kryoptic", Module::Kryoptic)]
        .map(|(name, module)| job(name, module, rounds))
        .into()
}

fn job(name: &str, module: Module, rounds: usize) -> Figure {
    let (site, token) = (Site::start(), TestToken::new(module));
    let _driver = site.deployment.driver("hsm-1", &token.settings());
    let key: KeyId = "root".parse().expect("a key id");
    let new = NewHsmKey {
        key: key.clone(),
        store: STORE.parse().expect("a label"),
        algorithm: KeyAlgorithm::Aes256,
        labels: Labels::new(),
    };
    let (client, context) = (&site.client, Context::new());
    site.runtime.block_on(client.keys().create_in_hsm(&new)).expect("the HSM makes a key");
    let secret = vec![7; 32].into();
    let sealed = site.runtime.block_on(client.seal(&key, &secret, &context)).expect("the HSM seals");
    let open = || site.runtime.block_on(client.unseal(&key, &sealed, &context)).expect("the HSM opens");
    open();
    let jobs = seconds(rounds, || drop(black_box(open())));
    let access = client.access();
    let exchange = || {
        let health: Health =
            site.runtime.block_on(access.get(path::HEALTH)).expect("the access manager answers");
        health
    };
    let exchanges = seconds(rounds, || drop(black_box(exchange())));
    let (jobs, exchanges) = (MILLISECONDS * median(&jobs), MILLISECONDS * median(&exchanges));
    Figure::new(name, jobs, "ms", exchanges)
        .note("a bare exchange with the access manager; four durable writes are in a job")
}
