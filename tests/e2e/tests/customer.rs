//! Customer fragments: made on this side, never sent, and nothing opens without them.

use std::fs;

use symbolon_e2e::{Cli, Deployment, exit};

/// The profile of the account's first person, with these customer fragments and no others.
fn with_fragments(deployment: &Deployment, files: &[&str]) -> Cli {
    let profile = deployment.site().directory().join("profile.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let others: Vec<&str> = text.lines().filter(|line| !line.starts_with("customer-fragments")).collect();
    fs::write(&profile, format!("customer-fragments = {files:?}\n{}\n", others.join("\n"))).unwrap();
    deployment.cli()
}

#[test]
fn a_key_with_a_customer_fragment_fails_clearly_without_it() {
    let deployment = Deployment::start();
    let cli = with_fragments(&deployment, &[]);
    cli.run(&["customer-fragment", "create", "first.cf", "--no-passphrase"]).succeeds();
    cli.run(&["customer-fragment", "create", "second.cf", "--no-passphrase"]).succeeds();
    let cli = with_fragments(&deployment, &["first.cf"]);
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "guarded"], b"message").succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

    // Missing: for reading, and for writing.
    let without = with_fragments(&deployment, &[]);
    let words = without.pipe(&["decrypt"], &sealed).fails(exit::NOT_FOUND);
    assert!(words.contains("customer fragment"), "{words}");
    let words = without.pipe(&["encrypt", "--key", "guarded"], b"message").fails(exit::NOT_FOUND);
    assert!(words.contains("customer fragment"), "{words}");
    // Wrong: another one than the header names.
    let wrong = with_fragments(&deployment, &["second.cf"]);
    let words = wrong.pipe(&["decrypt"], &sealed).fails(exit::NOT_FOUND);
    assert!(words.contains("customer fragment"), "{words}");

    // Rotated: a new one for writing, the old one stays for reading.
    let rotated = with_fragments(&deployment, &["second.cf", "first.cf"]);
    assert_eq!(rotated.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    let newer = rotated.pipe(&["encrypt", "--key", "guarded"], b"newer").succeeds();
    let only_new = with_fragments(&deployment, &["second.cf"]);
    assert_eq!(only_new.pipe(&["decrypt"], &newer).succeeds(), b"newer");
}

#[test]
fn a_backup_restores_a_customer_fragment_and_one_serves_many_keys() {
    let deployment = Deployment::start();
    let cli = with_fragments(&deployment, &[]);
    cli.run(&["customer-fragment", "create", "first.cf", "--no-passphrase"]).succeeds();
    let cli = with_fragments(&deployment, &["first.cf"]);
    let sealed = ["one", "two"].map(|key| {
        cli.run(&["key", "create", key, "--customer-fragment"]).succeeds();
        cli.pipe(&["encrypt", "--key", key], key.as_bytes()).succeeds()
    });
    let directory = deployment.site().directory();
    let passphrase = directory.join("backup.passphrase");
    fs::write(&passphrase, "a passphrase for the safe\n").unwrap();
    fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let keeper = cli.clone().with_passphrase(&passphrase);
    keeper.run(&["customer-fragment", "backup", "first.cf", "safe.cf"]).succeeds();
    fs::remove_file(directory.join("first.cf")).unwrap();
    cli.pipe(&["decrypt"], &sealed[0]).fails(exit::NOT_FOUND);

    keeper.run(&["customer-fragment", "restore", "safe.cf", "first.cf", "--no-passphrase"]).succeeds();
    for (key, sealed) in ["one", "two"].iter().zip(&sealed) {
        assert_eq!(cli.pipe(&["decrypt"], sealed).succeeds(), key.as_bytes());
    }
}
