//! Liars: game d (a manager that evaluates with s + 1, a binary of its own) and game e (a forged commitment).

use std::fs;

use symbolon_e2e::{Deployment, Process, Start, build, eventually, exit};

/// Puts a liar in the place of a manager: same configuration, same identity, same datastore.
fn put_liar_in_place_of(deployment: &mut Deployment, position: usize, name: &str) {
    deployment.managers[position].stop();
    let config = deployment.site().config(name);
    let liar = build("symbolon-lying-manager", "symbolon-lying-manager");
    let start = Start::new(name, &liar, &["run", "--config", config.to_str().unwrap()]);
    let liar: Process = start.ready(deployment.site().guardian());
    deployment.managers[position] = liar;
}

#[test]
fn a_lying_manager_is_named_on_encrypt_and_on_decrypt() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    for suite in ["ristretto255", "p256"] {
        cli.run(&["key", "create", suite, "--suite", suite]).succeeds();
    }
    let honest =
        ["ristretto255", "p256"].map(|key| cli.pipe(&["encrypt", "--key", key], b"message").succeeds());

    put_liar_in_place_of(&mut deployment, 1, "kfm-2");
    for sealed in &honest {
        // Each time the message comes out; when the liar was among those who were asked, it is named.
        eventually("the liar is asked, and named while decryption goes on", || {
            let opened = cli.pipe(&["decrypt"], sealed);
            assert_eq!((opened.code, &opened.stdout[..]), (Some(0), &b"message"[..]), "{opened}");
            opened.stderr.contains("kfm-2") && opened.stderr.contains("lied")
        });
    }
    // With one honest manager besides the liar, it is always asked: it is named, and nothing is released.
    deployment.managers[0].stop();
    let refused = cli.pipe(&["decrypt"], &honest[0]);
    assert!(refused.stdout.is_empty(), "{refused}");
    assert!(refused.stderr.contains("kfm-2") && refused.stderr.contains("wrong answer"), "{refused}");
    for key in ["ristretto255", "p256"] {
        let refused = cli.pipe(&["encrypt", "--key", key], b"message");
        assert!(refused.code != Some(0) && refused.stdout.is_empty(), "a ciphertext was released: {refused}");
        assert!(refused.stderr.contains("kfm-2"), "{refused}");
    }
}

#[test]
fn a_forged_commitment_makes_a_ciphertext_invalid_and_blames_nobody() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let preamble = symbolon_envelope::Preamble::parse(&sealed).unwrap().len();
    // The commitment is the last part of the preamble.
    let mut forged = sealed.clone();
    forged[preamble - 1] ^= 1;
    let refused = cli.pipe(&["decrypt"], &forged);
    assert!(refused.stdout.is_empty(), "{refused}");
    let words = refused.fails(exit::INTEGRITY);
    assert!(words.contains("commitment") && !words.contains("kfm-"), "{words}");
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn a_ciphertext_in_a_file_is_not_replaced_when_encryption_fails() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    deployment.managers[0].stop();
    put_liar_in_place_of(&mut deployment, 1, "kfm-2");
    let directory = deployment.site().directory();
    fs::write(directory.join("plain"), "message").unwrap();
    let refused = cli.run(&["encrypt", "--key", "notes", "plain"]);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(!directory.join("plain.symbolon").exists());
    let left: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("plain.")), "{left:?}");
}
