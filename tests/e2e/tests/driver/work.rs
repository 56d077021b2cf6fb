//! What drivers do, and for whom.

use std::time::{Duration, Instant};

use symbolon_client::Context;
use symbolon_client::error::{Error, Integrity};
use symbolon_e2e::{disk_contains, memory_contains, new_key};
use symbolon_fragments::names::KeyId;
use symbolon_hsm::Module;

use crate::jobs::a_kill_in_mid_job_loses_nothing;
use crate::scene::{Scene, client, context};

#[test]
fn an_hsm_key_seals_opens_and_signs_through_a_driver() {
    an_hsm_key_does_what_it_is_for(&Scene::new());
}

/// The way of a driver on the other module: what it does, and its death in the middle of it.
#[test]
fn on_kryoptic_a_driver_does_the_same() {
    let mut scene = Scene::on(Module::Kryoptic, 5);
    an_hsm_key_does_what_it_is_for(&scene);
    a_kill_in_mid_job_loses_nothing(&mut scene);
}

fn an_hsm_key_does_what_it_is_for(scene: &Scene) {
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");

    let other = Context::from_pairs([("tenant", "other")]).unwrap();
    let refused = scene.runtime.block_on(scene.client.unseal(&key, &sealed, &other));
    assert!(matches!(refused.map(|_| ()), Err(Error::Integrity(Integrity::Driver(_)))));
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(scene.open(&key, &changed), Err(Error::Integrity(Integrity::Driver(_)))));

    let cli = scene.deployment.cli();
    cli.run(&["key", "create", "signer", "--store", "prod", "--algorithm", "ecdsa-p256"]).succeeds();
    let signer: KeyId = "signer".parse().unwrap();
    let signature = scene.runtime.block_on(scene.client.sign(&signer, b"message")).unwrap();
    let public = scene.runtime.block_on(scene.client.public_key(&signer, 1)).unwrap().expect("a key pair");
    let point = &public[public.len() - 65..];
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, point);
    public.verify(b"message", &signature).unwrap();

    // A second version seals from now on; the first one still opens.
    cli.run(&["key", "rotate", "acme-root"]).succeeds();
    let later = scene.seal(&key, b"later").unwrap();
    assert_eq!(scene.open(&key, &later).unwrap(), b"later");
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
    let shown = cli.run(&["key", "show", "acme-root"]).text();
    assert!(shown.contains("acme-root v2") && shown.contains("in the key store prod"), "{shown}");
}

#[test]
fn no_server_sees_what_an_hsm_seals_or_opens() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let mut secret = b"canary ".to_vec();
    secret.extend(symbolon_trust::KeyPair::seed(&new_key()).as_slice());
    let sealed = scene.seal(&key, &secret).unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), secret);
    assert!(!memory_contains(scene.deployment.access_manager.pid(), &secret));
    assert!(!disk_contains(&scene.deployment.site().home("access-manager"), &secret));
    // The driver forgets: what it keeps is sealed to whoever asked.
    assert!(!disk_contains(scene.driver.home(), &secret));
    scene.driver.process().stop();
}

#[test]
fn a_disabled_hsm_key_opens_nothing_until_it_is_enabled() {
    let scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    let owner = scene.deployment.owner();
    owner.run(&["key", "disable", "acme-root"]).succeeds();
    // A client that knows nothing yet gets no permit; the driver refuses the permit that another still has.
    let fresh = client(&scene.deployment);
    let refused = scene.runtime.block_on(fresh.unseal(&key, &sealed, &context()));
    assert!(matches!(refused.map(|_| ()), Err(Error::Denied(_))));
    assert!(matches!(scene.open(&key, &sealed), Err(Error::Denied(_))));
    owner.run(&["key", "enable", "acme-root"]).succeeds();
    let start = Instant::now();
    while scene.open(&key, &sealed).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "it opens again");
    }
}
