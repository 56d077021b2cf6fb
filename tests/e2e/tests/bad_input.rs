//! What an operator gets wrong, and what a machine does to files: each a clear error from the real process, nothing lost.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use symbolon_e2e::{Site, datastore::scribble, exit};

/// How a role refuses to start: with the right exit code, in words, without a panic.
#[track_caller]
fn refusal(site: &Site, name: &str, code: i32) -> String {
    let (status, log) = site.role(name).refused(site.guardian());
    assert_eq!(status.code(), Some(code), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    log
}

fn datastore(site: &Site, name: &str) -> PathBuf {
    symbolon_e2e::datastore::datastore(&site.home(name))
}

const ROLES: [&str; 3] = ["kfm-1", "access-manager", "gateway"];

#[test]
fn an_unknown_configuration_key_is_named_with_its_file_and_line() {
    let site = Site::prepare();
    for name in ROLES {
        let path = site.config(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("lissten = \"127.0.0.1:1\"\n{text}")).unwrap();
        let log = refusal(&site, name, exit::INVALID);
        assert!(log.contains("lissten") && log.contains("config.toml"), "{log}");
    }
}

#[test]
fn a_missing_configuration_file_is_named() {
    let site = Site::prepare();
    fs::remove_file(site.config("kfm-1")).unwrap();
    let log = refusal(&site, "kfm-1", exit::LOCAL);
    assert!(log.contains("config.toml"), "{log}");
}

#[test]
fn a_port_in_use_is_said_with_its_number() {
    let site = Site::prepare();
    for name in ROLES {
        let running = site.role(name).ready(site.guardian());
        let address = running.address();
        drop(running);
        let _taken = TcpListener::bind(address).unwrap();
        let log = refusal(&site, name, exit::LOCAL);
        assert!(log.contains(&address.port().to_string()) && log.contains("in use"), "{log}");
    }
}

#[test]
fn two_processes_on_one_datastore_are_one_too_many() {
    let site = Site::prepare();
    for name in ["kfm-1", "access-manager"] {
        let running = site.role(name).ready(site.guardian());
        let elsewhere = running.address().to_string();
        let text = fs::read_to_string(site.config(name)).unwrap();
        // The second one listens on a port of its own: only the datastore stands between them.
        site.reconfigure(name, &elsewhere, "127.0.0.1:0");
        let log = refusal(&site, name, exit::CONFLICT);
        assert!(log.contains("another process"), "{log}");
        fs::write(site.config(name), text).unwrap();
    }
}

#[test]
fn a_swapped_datastore_is_refused() {
    let site = Site::prepare();
    for name in ["kfm-1", "kfm-2"] {
        site.role(name).ready(site.guardian()).stop();
    }
    let (one, two) = (datastore(&site, "kfm-1"), datastore(&site, "kfm-2"));
    let kept = site.directory().join("kept");
    fs::rename(&one, &kept).unwrap();
    fs::rename(&two, &one).unwrap();
    let log = refusal(&site, "kfm-1", exit::INTEGRITY);
    assert!(log.contains("belongs to"), "{log}");
    fs::rename(&one, &two).unwrap();
    fs::rename(&kept, &one).unwrap();
    site.role("kfm-1").ready(site.guardian()).stop();
}

#[test]
fn a_corrupted_datastore_is_refused_and_left_as_it_is() {
    let site = Site::prepare();
    for name in ["kfm-1", "access-manager"] {
        site.role(name).ready(site.guardian()).stop();
        let path = datastore(&site, name);
        scribble(&path);
        let damaged = fs::read(&path).unwrap();
        let log = refusal(&site, name, exit::INTEGRITY);
        assert!(log.contains("damaged") || log.contains("corrupt"), "{log}");
        assert!(fs::read(&path).unwrap() == damaged, "a damaged file is evidence and perhaps repairable");
    }
}

#[test]
fn a_wrong_passphrase_is_said_to_be_wrong() {
    let site = Site::prepare();
    let wrong = site.directory().join("wrong");
    fs::write(&wrong, "not the passphrase\n").unwrap();
    fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let deployment = site.start();
    let owner = deployment.cli().with_passphrase(&wrong);
    let words = owner.run(&["key", "disable", "notes"]).fails(exit::INVALID);
    assert!(words.contains("passphrase"), "{words}");
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let deployment = Site::prepare().start();
    let open = deployment.site().directory().join("open");
    fs::write(&open, "whatever\n").unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let words =
        deployment.cli().with_passphrase(&open).run(&["key", "disable", "notes"]).fails(exit::INVALID);
    assert!(words.contains("0600"), "{words}");
}
