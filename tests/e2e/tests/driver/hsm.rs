//! An HSM that fails, is away, or is another one: told by its cause, and nothing is lost.

use symbolon_client::error::{Error, Integrity};
use symbolon_e2e::exit;
use symbolon_e2e::hsm::token;
use symbolon_fragments::names::KeyId;
use symbolon_hsm::{Module, PIN};
use symbolon_protocol::api::JobTrouble;
use symbolon_protocol::jobs::SealedSecret;

use crate::scene::Scene;

#[test]
fn a_wrong_pin_is_tried_once_and_never_again() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    scene.driver.process().stop();
    scene.token.token().write_pin("not the pin");
    let run = || scene.deployment.site().run_driver(&scene.driver);
    let said = run().fails(exit::DENIED);
    assert!(said.contains("the token refuses the PIN"), "{said}");
    // However often a supervisor starts it again: the token is not asked. SoftHSM2 would lock after a few more.
    for _ in 0..5 {
        let said = run().fails(exit::DENIED);
        assert!(said.contains("has refused this PIN before"), "{said}");
    }
    scene.token.token().write_pin(PIN);
    scene.driver.start(&scene.deployment);
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
}

#[test]
fn a_token_that_goes_is_told_and_one_that_comes_back_is_used() {
    let mut scene = Scene::new();
    scene.token.fail("gone");
    let told = scene.trouble(scene.making("acme-root", 5));
    assert_eq!(told, Some(JobTrouble::TokenAbsent));
    scene.token.fail("");
    scene.runtime.block_on(scene.making("acme-root", 50)).unwrap().unwrap();
    assert!(scene.driver.process().is_running());

    // Where it is away at the start, the driver waits for it.
    scene.driver.process().stop();
    scene.token.fail("gone");
    scene.driver.spawn(&scene.deployment);
    scene.driver.says("no jobs are taken until it does");
    scene.token.fail("");
    scene.seal(&"acme-root".parse().unwrap(), b"the tenant's key").unwrap();
}

#[test]
fn a_module_that_is_not_there_is_named_and_nothing_is_lost() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    scene.driver.process().stop();
    let module = scene.token.settings().module.display().to_string();
    // A path where nothing is, and one where something else is.
    for wrong in ["/nowhere/libpkcs11.so", &scene.driver.config()] {
        scene.driver.reconfigure(&format!("module = {module:?}"), &format!("module = {wrong:?}"));
        let enrolling = ["driver", "enrol", "--config", &scene.driver.config()];
        for said in
            [scene.deployment.site().run_driver(&scene.driver), scene.deployment.cli().run(&enrolling)]
        {
            let said = said.fails(exit::INVALID);
            assert!(said.contains(wrong) && said.contains("`module`"), "{said}");
        }
        scene.driver.reconfigure(&format!("module = {wrong:?}"), &format!("module = {module:?}"));
    }
    scene.driver.start(&scene.deployment);
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
}

#[test]
fn a_mechanism_that_the_hsm_lacks_costs_the_one_job() {
    for (module, algorithm) in [(Module::SoftHsm2, "ed25519"), (Module::Kryoptic, "ecdsa-secp256k1")] {
        let mut scene = Scene::on(module, 5);
        let cli = scene.deployment.cli();
        let create = ["key", "create", "signer", "--store", "prod", "--algorithm"];
        let said = cli.run(&[&create[..], &[algorithm]].concat()).fails(exit::INVALID);
        assert!(said.contains("lacks"), "{said}");
        assert_eq!(scene.state_of("signer"), "pending");
        cli.run(&[&create[..], &["ecdsa-p256"]].concat()).succeeds();
        assert!(scene.driver.process().is_running());
    }
}

#[test]
fn what_one_module_sealed_is_nothing_to_another() {
    let scene = Scene::new();
    let other = token(Module::Kryoptic);
    let mut second = scene.deployment.site().lay_out_driver("hsm-2", &other.settings());
    second.reconfigure("\"prod\"", "\"backup\"");
    let fingerprint = scene.deployment.enrol_driver(&second, &["--create-master-key"]);
    scene.deployment.sign_in(&second, &fingerprint).succeeds();
    second.start(&scene.deployment);
    scene.runtime.block_on(scene.client.refresh_root()).unwrap();
    let here = scene.key("acme-root");
    scene.deployment.cli().run(&["key", "create", "elsewhere", "--store", "backup"]).succeeds();
    let elsewhere: KeyId = "elsewhere".parse().unwrap();
    let seal = |key| SealedSecret::from_bytes(&scene.seal(key, b"the tenant's key").unwrap()).unwrap();
    let (mut mine, mut theirs) = (seal(&here), seal(&elsewhere));
    // Each in the other's cover: it names the key that is asked, and only the HSM can tell.
    std::mem::swap(&mut mine.sealed, &mut theirs.sealed);
    for (key, sealed) in [(&here, &mine), (&elsewhere, &theirs)] {
        let refused = scene.open(key, &sealed.to_bytes());
        assert!(matches!(refused, Err(Error::Integrity(Integrity::Driver(_)))), "{refused:?}");
    }
    std::mem::swap(&mut mine.sealed, &mut theirs.sealed);
    for (key, sealed) in [(&here, &mine), (&elsewhere, &theirs)] {
        assert_eq!(scene.open(key, &sealed.to_bytes()).unwrap(), b"the tenant's key");
    }
}

#[test]
fn a_module_that_crashes_costs_its_own_process_alone() {
    let mut scene = Scene::new();
    scene.token.fail("crash");
    let told = scene.trouble(scene.making("acme-root", 5));
    assert_eq!(told, Some(JobTrouble::Module));
    assert!(scene.driver.process().is_running());
    scene.token.fail("");
    scene.runtime.block_on(scene.making("acme-root", 50)).unwrap().unwrap();
}
