//! A newcomer's two minutes, as JOURNEYS of the README tells them, and what is said when something is not as it should be.

use std::fs;

use symbolon_e2e::{Deployment, eventually, exit};
use symbolon_envelope::{Header, Preamble};

/// Bytes that no compression or luck gives back by itself; longer than one chunk of the format.
fn message() -> Vec<u8> {
    (0..300_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).collect()
}

#[test]
fn files_and_pipes_are_encrypted_and_decrypted() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    let created = cli.run(&["key", "create", "notes", "--threshold", "2-of-3"]).text();
    assert!(created.contains("never existed whole"), "{created}");
    let report = deployment.site().directory().join("report.pdf");
    let message = message();
    fs::write(&report, &message).unwrap();

    cli.run(&["encrypt", "--key", "notes", "report.pdf"]).succeeds();
    let sealed = fs::read(report.with_extension("pdf.symbolon")).unwrap();
    assert!(memchr::memmem::find(&sealed, &message[..64]).is_none());
    fs::remove_file(&report).unwrap();
    cli.run(&["decrypt", "report.pdf.symbolon"]).succeeds();
    assert!(fs::read(&report).unwrap() == message);

    let piped = cli.pipe(&["encrypt", "--key", "notes", "--context", "album=2026"], &message).succeeds();
    let opened = cli.pipe(&["decrypt", "--context", "album=2026"], &piped).succeeds();
    assert!(opened == message);
    let refused = cli.pipe(&["decrypt", "--context", "album=2025"], &piped);
    assert!(refused.stdout.is_empty(), "not a byte of plaintext under another context");
    let words = refused.fails(exit::INTEGRITY);
    assert!(words.contains("context") && words.contains("notes"), "{words}");
}

#[test]
fn one_manager_down_is_a_note_and_two_down_are_both_named() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes", "--threshold", "2-of-3"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    deployment.managers[1].stop();
    eventually("who is down is asked, and noted", || {
        let opened = cli.pipe(&["decrypt"], &sealed);
        assert_eq!((opened.code, &opened.stdout[..]), (Some(0), &b"message"[..]), "{opened}");
        opened.stderr.contains("kfm-2")
    });

    deployment.managers[2].stop();
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::UNAVAILABLE);
    assert!(words.contains("kfm-2") && words.contains("kfm-3") && !words.contains("kfm-1"), "{words}");

    deployment.managers[1].restart();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn what_does_not_exist_or_is_switched_off_is_told_apart() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    let owner = deployment.owner();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    let words = cli.pipe(&["encrypt", "--key", "nothing"], b"message").fails(exit::NOT_FOUND);
    assert!(words.contains("nothing"), "{words}");
    let words = cli.run(&["key", "show", "notes", "--version", "7"]).fails(exit::NOT_FOUND);
    assert!(words.contains('7'), "{words}");
    let words = cli.pipe(&["decrypt"], &of_version(&sealed, 7)).fails(exit::NOT_FOUND);
    assert!(words.contains("no version 7"), "{words}");
    let words = cli.run(&["key", "create", "notes"]).fails(exit::CONFLICT);
    assert!(words.contains("notes"), "{words}");

    let disabled = owner.run(&["key", "disable", "notes"]).text();
    assert!(["kfm-1", "kfm-2", "kfm-3"].iter().all(|name| disabled.contains(name)), "{disabled}");
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::DENIED);
    assert!(words.contains("disabled"), "{words}");
    owner.run(&["key", "enable", "notes"]).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

/// The same ciphertext, if its header is to be believed under another version of the key.
fn of_version(sealed: &[u8], version: u64) -> Vec<u8> {
    let preamble = Preamble::parse(sealed).unwrap();
    let header = Header { version, ..preamble.header().clone() };
    [&header.encode(), &sealed[preamble.header().encode().len()..]].concat()
}

#[test]
fn an_old_version_decrypts_after_a_rotation() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let first = cli.pipe(&["encrypt", "--key", "notes"], b"first").succeeds();
    cli.run(&["key", "rotate", "notes"]).succeeds();
    let second = cli.pipe(&["encrypt", "--key", "notes"], b"second").succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &first).succeeds(), b"first");
    assert_eq!(cli.pipe(&["decrypt"], &second).succeeds(), b"second");
    let version = |sealed: &[u8]| cli.pipe(&["--json", "inspect", "-"], sealed).json()["version"].clone();
    assert_eq!((version(&first), version(&second)), (1.into(), 2.into()));
}

#[test]
fn a_damaged_ciphertext_gives_no_plaintext_and_blames_nobody() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], &message()).succeeds();

    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let truncated = sealed[..sealed.len() - 70_000].to_vec();
    let extended = [&sealed[..], &[0]].concat();
    for (name, damaged) in [("flipped", flipped), ("truncated", truncated), ("extended", extended)] {
        let refused = cli.pipe(&["decrypt"], &damaged);
        assert!(message().starts_with(&refused.stdout), "{name}: wrong plaintext");
        let words = refused.fails(exit::INTEGRITY);
        assert!(!words.contains("kfm-"), "{name}: {words}");
    }
    let words = cli.pipe(&["decrypt"], b"not a ciphertext at all").fails(exit::INTEGRITY);
    assert!(words.contains("not"), "{words}");
}
