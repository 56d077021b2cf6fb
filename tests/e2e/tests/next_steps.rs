//! What a person is told who has made a slip or lost something: what it is about, and what to do next.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use symbolon_e2e::{Deployment, MANAGERS, exit, run, symbolon};

fn advice(status: &Value) -> String {
    status["advice"].to_string()
}

#[test]
fn status_says_whose_fragments_are_lost_and_how_they_come_back() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let healthy = cli.json(&["status"]);
    assert_eq!(healthy["advice"], json!([]), "{healthy}");
    assert!(healthy["access_manager"]["milliseconds"].is_u64(), "{healthy}");

    deployment.managers[1].stop();
    for file in fs::read_dir(deployment.site().home(MANAGERS[1])).unwrap().map(|entry| entry.unwrap().path())
    {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("fragments.db")) {
            fs::remove_file(file).unwrap();
        }
    }
    let down = cli.run(&["status"]).text();
    assert!(down.contains("kfm-2: it cannot be reached"), "{down}");
    assert!(down.contains("start kfm-2"), "{down}");
    deployment.managers[1].restart();
    let lost = advice(&cli.json(&["status"]));
    assert!(lost.contains("symbolon order repair --manager kfm-2"), "{lost}");
    deployment.owner().run(&["order", "repair", "--manager", "kfm-2"]).succeeds();
    cli.run(&["refresh"]).succeeds();
    assert_eq!(cli.json(&["status"])["advice"], json!([]));
}

#[test]
fn a_refresh_that_lacks_a_member_does_not_pass_for_one() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    deployment.managers[2].stop();
    let words = cli.run(&["refresh", "--wait", "1"]).fails(exit::UNAVAILABLE);
    assert!(words.contains("symbolon status"), "{words}");
    cli.run(&["refresh", "--wait", "0"]).succeeds();
}

#[test]
fn a_manager_that_holds_fragments_is_retired_by_force_only() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let words = cli.run(&["root", "retire", "kfm-3"]).fails(exit::CONFLICT);
    assert!(words.contains("symbolon order change"), "{words}");
    cli.run(&["root", "retire", "kfm-3", "--force"]).succeeds();
    let status = cli.run(&["status"]).text();
    assert!(!status.contains("kfm-3"), "{status}");
}

#[test]
fn roles_tell_whose_account_they_serve() {
    let deployment = Deployment::start();
    let account = deployment.cli().json(&["profile", "show"])["account"].as_str().unwrap().to_owned();
    for role in deployment.managers.iter().chain([&deployment.access_manager]) {
        let log = role.log();
        assert!(log.contains("serving") && log.contains(&account), "{log}");
    }
}

#[test]
fn the_owner_of_a_trial_types_no_passphrase_and_hears_of_slips() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let slip = cli.run(&["key", "disable", "ntoes"]);
    assert_eq!(slip.code, Some(0), "{slip}");
    assert!(slip.stderr.contains("the access manager knows no ntoes"), "{slip}");
    let words = cli.run(&["key", "destroy", "notes", "--version", "7"]).fails(exit::NOT_FOUND);
    assert!(words.contains("notes has no version 7"), "{words}");
    let said = cli.run(&["key", "destroy", "notes", "--version", "1"]).text();
    assert!(said.starts_with("notes v1 is to be destroyed at "), "{said}");

    let holder = deployment.person("bob").fingerprint;
    cli.run(&["grant", "revoke", "--holder", &holder]).succeeds();
    let words = cli.run(&["grant", "create", "--to", &holder, "--key", "*", "--allow", "decrypt"]);
    assert!(words.fails(exit::CONFLICT).contains("symbolon profile create"));
}

#[test]
fn a_passphrase_file_that_others_read_is_what_is_wrong() {
    let deployment = Deployment::start();
    let file = deployment.site().directory().join("passphrase");
    fs::write(&file, "a passphrase\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let cli = deployment.cli().with_passphrase(&file);
    cli.run(&["customer-fragment", "create"]).succeeds();
    cli.run(&["key", "create", "notes", "--customer-fragment"]).succeeds();

    // Looking takes no fragment; encrypting does.
    let without = deployment.cli();
    without.run(&["key", "list"]).succeeds();
    without.run(&["status"]).succeeds();
    let words = without.pipe(&["encrypt", "--key", "notes"], b"message").fails(exit::INVALID);
    assert!(words.contains("--passphrase-file FILE"), "{words}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let words = cli.pipe(&["encrypt", "--key", "notes"], b"message").fails(exit::INVALID);
    assert!(words.contains("chmod 600"), "{words}");
}

#[test]
fn programs_get_a_code_and_unix_seconds() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    let refused = cli.run(&["--json", "key", "show", "nothing"]).fails(exit::NOT_FOUND);
    let refused: Value = serde_json::from_str(&refused).expect("one JSON value on stderr");
    assert_eq!(refused["error"]["code"], json!("key-unknown"), "{refused}");
    cli.run(&["key", "create", "notes"]).succeeds();
    let shown = cli.json(&["key", "show", "notes"]);
    assert!(shown["versions"][0]["certificate"]["created"].is_u64(), "{shown}");
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let header = cli.pipe(&["--json", "inspect"], &sealed).json();
    assert!(header["created"].is_u64(), "{header}");
}

#[test]
fn a_deployment_to_try_out_needs_a_folder_of_its_own() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut dev = Command::new(symbolon());
    dev.args(["dev", "--prepare", "--directory", "."]).current_dir(folder.path());
    assert!(run(&mut dev, b"").fails(exit::INVALID).contains("--directory FOLDER"));
}
