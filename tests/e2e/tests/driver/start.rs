//! What a driver refuses to start with: each a clear error of the real process, with its exit code, and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use symbolon_e2e::datastore::{datastore, scribble};
use symbolon_e2e::hsm::{Driver, signed, token};
use symbolon_e2e::{Deployment, Site, exit, new_key};
use symbolon_hsm::{FaultyModule, Module, TestToken, plugin};
use symbolon_plugin::Bundle;

#[test]
fn a_driver_is_signed_in_by_its_fingerprint_and_its_check_value() {
    let (deployment, token) = (Deployment::start(), token(Module::SoftHsm2));
    let first = deployment.site().lay_out_driver("hsm-1", &token.settings());
    let run = |driver: &Driver| deployment.site().run_driver(driver);
    let enrolling = deployment.cli().run(&["driver", "enrol", "--config", &first.config()]);
    let said = enrolling.fails(exit::NOT_FOUND);
    assert!(said.contains("no master key"), "{said}");
    let fingerprint = deployment.enrol_driver(&first, &["--create-master-key"]);
    let said = run(&first).fails(exit::DENIED);
    assert!(said.contains("does not list this driver"), "{said}");
    // The owner was given another driver's file than the operator read out.
    let stranger = new_key().public().thumbprint().to_string();
    deployment.sign_in(&first, &stranger).fails(exit::INTEGRITY);
    deployment.sign_in(&first, &fingerprint).succeeds();
    // A driver whose token has another master key doesn't come into the same store.
    let other = symbolon_e2e::hsm::token(Module::SoftHsm2);
    let second = deployment.site().lay_out_driver("hsm-2", &other.settings());
    let other_fingerprint = deployment.enrol_driver(&second, &["--create-master-key"]);
    let said = deployment.sign_in(&second, &other_fingerprint).fails(exit::INTEGRITY);
    assert!(said.contains("another master key"), "{said}");
    // Nor does one that was signed in and whose token was exchanged since.
    let folder = |token: &FaultyModule| token.token().folder().display().to_string();
    first.reconfigure(&folder(&token), &folder(&other));
    let said = run(&first).fails(exit::INTEGRITY);
    assert!(said.contains("another master key"), "{said}");
}

#[test]
fn a_plugin_that_is_cut_unsigned_or_for_another_world_is_refused() {
    let (site, token) = (Site::prepare(), TestToken::new(Module::SoftHsm2));
    let driver = site.lay_out_driver("hsm-1", &token.settings());
    let refused = |file: &[u8], code, words: &str| {
        driver.have_plugin(file);
        let said = site.run_driver(&driver).fails(code);
        assert!(said.contains(words), "{words}: {said}");
    };
    let whole = signed(plugin::bundle());
    refused(&whole[..whole.len() / 2], exit::INVALID, "damaged");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    refused(&changed, exit::INTEGRITY, "was changed after it was signed");
    let bundle = plugin::bundle();
    refused(&bundle.encode(), exit::INTEGRITY, "isn't signed");
    refused(bundle.component(), exit::INVALID, "symbolon plugin pack");
    let world = "symbolon:plugin/keystore-provider-full@";
    let of_world = |other: &str| {
        let manifest = bundle.manifest().replace(&format!("{world}0.1.0"), other);
        signed(Bundle::new(manifest, bundle.component().to_vec()))
    };
    refused(&of_world(&format!("{world}0.2.0")), exit::INVALID, "is wanted in version 0.2.0");
    refused(&of_world("symbolon:plugin/storage@0.1.0"), exit::INVALID, "this host has no world");
}

#[test]
fn a_configuration_or_a_passphrase_that_is_wrong_is_said_to_be() {
    let (site, token) = (Site::prepare(), TestToken::new(Module::SoftHsm2));
    let driver = site.lay_out_driver("hsm-1", &token.settings());
    let passphrase = |text: &str| {
        let file = site.directory().join(text);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        site.cli().with_passphrase(&file)
    };
    driver.reconfigure("{ file = \"sealing.key\" }", "{ passphrase = \"sealing.key\" }");
    let config = driver.config();
    let enrol = ["driver", "enrol", "--create-master-key", "--config", &config];
    passphrase("right").run(&enrol).succeeds();
    let said = passphrase("wrong").run(&["driver", "run", "--config", &config]).fails(exit::INVALID);
    assert!(said.contains("sealing key") && said.contains("passphrase"), "{said}");
    driver.reconfigure("\nstore = ", "\nstorre = 1\nstore = ");
    let said = site.run_driver(&driver).fails(exit::INVALID);
    assert!(said.contains("storre") && said.contains("config.toml"), "{said}");
}

#[test]
fn a_datastore_in_use_damaged_or_of_another_is_refused() {
    let (deployment, token) = (Deployment::start(), token(Module::SoftHsm2));
    let mut driver = deployment.driver("hsm-1", &token.settings());
    let site = deployment.site();
    let said = site.run_driver(&driver).fails(exit::CONFLICT);
    assert!(said.contains("another process"), "{said}");
    driver.process().stop();
    let store = datastore(driver.home());
    let aside: PathBuf = site.directory().join("aside");
    fs::copy(&store, &aside).unwrap();

    scribble(&store);
    let damaged = fs::read(&store).unwrap();
    let said = site.run_driver(&driver).fails(exit::INTEGRITY);
    assert!(said.contains("damaged") || said.contains("corrupt"), "{said}");
    assert!(fs::read(&store).unwrap() == damaged, "a damaged file is evidence and perhaps repairable");

    let twin = site.lay_out_driver("hsm-2", &token.settings());
    deployment.enrol_driver(&twin, &[]);
    fs::copy(&aside, twin.home().join("driver.db")).unwrap();
    let said = site.run_driver(&twin).fails(exit::INTEGRITY);
    assert!(said.contains("belongs to"), "{said}");

    fs::copy(&aside, &store).unwrap();
    driver.start(&deployment);
    deployment.cli().run(&["key", "create", "acme-root", "--store", "prod"]).succeeds();
}
