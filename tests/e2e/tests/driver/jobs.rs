//! Drivers that die, hang, come twice or come too late: each job is done once, or it is said that it was not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use symbolon_e2e::{exit, wrong_clock};
use symbolon_fragments::names::KeyId;
use symbolon_hsm::Module;
use symbolon_protocol::api::JobTrouble;

use crate::scene::{Scene, context, trouble};

#[test]
fn a_driver_killed_in_mid_job_loses_nothing() {
    a_kill_in_mid_job_loses_nothing(&mut Scene::new());
}

pub fn a_kill_in_mid_job_loses_nothing(scene: &mut Scene) {
    scene.token.fail("hang");
    let making = scene.making("made-once", 50);
    scene.wait_for_lease();
    scene.driver.process().kill();
    scene.token.fail("");
    scene.driver.start(&scene.deployment);
    let made = scene.runtime.block_on(making).unwrap().unwrap();
    // The job was done by its second leaseholder; one key came of it, and it works.
    assert_eq!((made.wrapped.len(), made.entry.all_versions.len()), (1, 1));
    let key: KeyId = "made-once".parse().unwrap();
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
}

#[test]
fn a_driver_takes_over_the_lease_of_one_that_hangs_and_the_first_result_stands() {
    let mut scene = Scene::new();
    let token = scene.token.token().settings();
    let mut second = scene.deployment.site().lay_out_driver("hsm-2", &token);
    let fingerprint = scene.deployment.enrol_driver(&second, &[]);
    scene.deployment.sign_in(&second, &fingerprint).succeeds();
    scene.runtime.block_on(scene.client.refresh_root()).unwrap();
    scene.token.fail("hang");
    let making = scene.making("acme-root", 50);
    scene.wait_for_lease();
    scene.driver.process().freeze();
    second.start(&scene.deployment);
    let made = scene.runtime.block_on(making).unwrap().unwrap();
    assert_eq!(made.wrapped[0].key().driver.get(), 5, "the second driver made it");
    // Back again, the first one is too late with whatever came of it, and goes on with other jobs.
    scene.token.fail("");
    scene.driver.process().thaw();
    let key: KeyId = "acme-root".parse().unwrap();
    let sealed = scene.seal(&key, b"more").unwrap();
    second.process().stop();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"more");
    assert!(scene.driver.process().is_running());
}

#[test]
fn two_processes_with_one_identity_are_told_apart() {
    let mut scene = Scene::new();
    let twin = scene.deployment.site().home("twin");
    fs::create_dir(&twin).unwrap();
    for name in ["config.toml", "identity.key", "job.key", "sealing.key", "hsm.plugin"] {
        fs::copy(scene.driver.home().join(name), twin.join(name)).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(twin.join(name), private).unwrap();
    }
    let config = twin.join("config.toml");
    let refused = scene.deployment.cli().run(&["driver", "run", "--config", config.to_str().unwrap()]);
    let said = refused.fails(exit::CONFLICT);
    assert!(said.contains("another process works with this driver's identity"), "{said}");
    // The one that was there first goes on.
    let key = scene.key("acme-root");
    scene.seal(&key, b"x").unwrap();
    assert!(scene.driver.process().is_running());
}

#[test]
fn an_answer_that_comes_after_the_jobs_time_is_of_no_use() {
    let mut scene = Scene::on(Module::SoftHsm2, 60);
    scene.token.fail("wait");
    let making = scene.making("acme-root", 10);
    scene.wait_for_lease();
    assert_eq!(scene.trouble(making), None, "a driver is at it");
    // Jobs live two minutes at most.
    let guardian = scene.deployment.site().guardian().clone();
    let access_manager = &mut scene.deployment.access_manager;
    access_manager.stop();
    *access_manager = wrong_clock(access_manager.start(), "+3m").ready(&guardian);
    scene.token.fail("");
    scene.driver.says("the answer is of no use any more");
    assert_eq!(scene.state_of("acme-root"), "pending");
    assert!(scene.driver.process().is_running());
}

#[test]
fn no_job_is_left_when_nobody_drives() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"x").unwrap();
    scene.driver.process().stop();
    let client = scene.client.within(Duration::from_secs(13));
    let alone = scene.runtime.block_on(async { client.unseal(&key, &sealed, &context()).await });
    assert_eq!(trouble(alone.map(|opened| opened.secret.to_vec())), Some(JobTrouble::NoDriver));
}
