//! Customer fragments: made on this side, never sent, and nothing opens without them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use symbolon_client::Profile;
use symbolon_client::customer::Place;
use symbolon_e2e::{Deployment, exit};

/// The customer fragments of the account's first person, the one for writing first.
fn fragments(deployment: &Deployment) -> Vec<Place> {
    Profile::load(deployment.cli().profile()).unwrap().customer_fragments
}

/// Gives the person's profile these customer fragments and no others.
fn have(deployment: &Deployment, places: &[Place]) {
    let file = deployment.cli().profile().to_owned();
    let mut profile = Profile::load(&file).unwrap();
    profile.customer_fragments = places.to_vec();
    profile.save(&file).unwrap();
}

#[test]
fn a_key_with_a_customer_fragment_fails_clearly_without_it() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["customer-fragment", "create", "--plain"]).succeeds();
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "guarded"], b"message").succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    let first = fragments(&deployment);

    // Missing: for reading, and for writing.
    have(&deployment, &[]);
    for words in [
        cli.pipe(&["decrypt"], &sealed).fails(exit::NOT_FOUND),
        cli.pipe(&["encrypt", "--key", "guarded"], b"message").fails(exit::NOT_FOUND),
    ] {
        assert!(words.contains("customer fragment"), "{words}");
    }
    // Rotated: a new one for writing, the old one stays for reading.
    have(&deployment, &first);
    cli.run(&["customer-fragment", "rotate", "--plain"]).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    let newer = cli.pipe(&["encrypt", "--key", "guarded"], b"newer").succeeds();
    let both = fragments(&deployment);
    assert_eq!((both.len(), &both[1]), (2, &first[0]));
    // Wrong: another one than the header names.
    have(&deployment, &both[..1]);
    assert_eq!(cli.pipe(&["decrypt"], &newer).succeeds(), b"newer");
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::NOT_FOUND);
    assert!(words.contains("customer fragment"), "{words}");
    // Wrong: the right name, and other bytes behind it.
    have(&deployment, &both);
    let Place::File(file) = &both[1] else { panic!("it is in a file") };
    let mut digits = fs::read(file).unwrap();
    let last = digits.iter_mut().rfind(|byte| byte.is_ascii_hexdigit()).unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    fs::write(file, digits).unwrap();
    let refused = cli.pipe(&["decrypt"], &sealed);
    assert!(refused.stdout.is_empty(), "{refused}");
    let words = refused.fails(exit::INTEGRITY);
    assert!(words.contains("commitment") && !words.contains("kfm-"), "{words}");
}

#[test]
fn a_backup_restores_a_customer_fragment_and_one_serves_many_keys() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["customer-fragment", "create", "--plain"]).succeeds();
    let sealed = ["one", "two"].map(|key| {
        cli.run(&["key", "create", key, "--customer-fragment"]).succeeds();
        cli.pipe(&["encrypt", "--key", key], key.as_bytes()).succeeds()
    });
    let passphrase = deployment.site().directory().join("backup.passphrase");
    fs::write(&passphrase, "a passphrase for the safe\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let keeper = cli.clone().with_passphrase(&passphrase);
    keeper.run(&["customer-fragment", "backup", "safe.cf"]).succeeds();
    let Place::File(file) = &fragments(&deployment)[0] else { panic!("it is in a file") };
    fs::remove_file(file).unwrap();
    have(&deployment, &[]);
    cli.pipe(&["decrypt"], &sealed[0]).fails(exit::NOT_FOUND);

    keeper.run(&["customer-fragment", "restore", "safe.cf", "--plain"]).succeeds();
    for (key, sealed) in ["one", "two"].iter().zip(&sealed) {
        assert_eq!(cli.pipe(&["decrypt"], sealed).succeeds(), key.as_bytes());
    }
}
