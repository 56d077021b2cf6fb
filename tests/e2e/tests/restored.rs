//! Managers that lost something: game h (restored from an old backup), a lost disk, and what refresh does to old fragments.

use std::path::{Path, PathBuf};
use std::process::Command;

use symbolon_e2e::{Deployment, MANAGERS, combine_fragments, derived, exit, run};
use symbolon_envelope::{Aes256GcmCore, Preamble};
use symbolon_fragments::names::Index;

/// Copies a manager's whole directory, wrapping keys and sealing key included, while it is stopped: the worst of backups.
fn back_up(deployment: &mut Deployment, position: usize) -> PathBuf {
    let home = deployment.site().home(MANAGERS[position]);
    let backup = deployment.site().directory().join(format!("backup-of-{}", MANAGERS[position]));
    deployment.managers[position].stop();
    copy(&home, &backup);
    deployment.managers[position].restart();
    backup
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    run(Command::new("cp").arg("-a").arg(from).arg(to), b"").succeeds();
}

#[test]
fn a_manager_restored_from_an_old_backup_has_nothing_to_answer_and_is_repaired() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let backup = back_up(&mut deployment, 0);
    let old = deployment.fragment_of_manager(0, "notes");
    for _ in 0..2 {
        cli.run(&["refresh", "notes"]).succeeds();
    }
    assert_ne!(deployment.fragment_of_manager(0, "notes"), old, "refreshed fragments are other ones");

    deployment.managers[0].stop();
    copy(&backup, &deployment.site().home("kfm-1"));
    deployment.managers[0].restart();
    assert_eq!(deployment.fragment_of_manager(0, "notes"), old, "the backup has the old fragment");
    it_is_of_no_use(&deployment, &sealed, &old);
    // Under the current certificate it has nothing to answer; two others are enough, one other is not.
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    deployment.managers[1].stop();
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::UNAVAILABLE);
    assert!(words.contains("kfm-2"), "{words}");
    deployment.managers[1].restart();

    deployment.owner().run(&["order", "repair", "--manager", "kfm-1"]).succeeds();
    cli.run(&["refresh", "notes"]).succeeds();
    deployment.managers[1].stop();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    assert_ne!(deployment.fragment_of_manager(0, "notes"), old);
}

/// Who has the old fragment, and steals today's of another manager, has two halves that don't fit.
fn it_is_of_no_use(deployment: &Deployment, sealed: &[u8], old: &[u8]) {
    let account = deployment.account();
    let certificate = deployment.certificate_of(1, "notes");
    let preamble = Preamble::parse(sealed).unwrap();
    let todays = [1, 2].map(|at| (account.index(at), deployment.fragment_of_manager(at, "notes")));
    let opens = |fragments: &[(Index, Vec<u8>)]| {
        let output = combine_fragments(&certificate, &preamble, fragments).unwrap();
        preamble.unlock::<Aes256GcmCore>(derived(&output, &preamble)).is_ok()
    };
    for today in &todays {
        assert!(!opens(&[(account.index(0), old.to_vec()), today.clone()]));
    }
    assert!(opens(&todays), "two of today's are the threshold");
}

#[test]
fn a_manager_that_lost_its_disk_is_repaired_without_any_backup() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    deployment.managers[2].stop();
    for lost in std::fs::read_dir(deployment.site().home("kfm-3")).unwrap() {
        let path = lost.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["config.toml", "identity.key", "sealing.key", "accounts"].iter().all(|kept| *kept != name) {
            std::fs::remove_file(path).unwrap();
        }
    }
    deployment.managers[2].restart();
    assert_eq!(deployment.fragments_held(2), 0);
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

    deployment.owner().run(&["order", "repair", "--manager", "kfm-3"]).succeeds();
    cli.run(&["refresh", "notes"]).succeeds();
    deployment.managers[0].stop();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn after_a_refresh_old_fragments_are_gone_and_new_ones_open_old_ciphertexts() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let before = [0, 1, 2].map(|position| deployment.fragment_of_manager(position, "notes"));
    cli.run(&["refresh", "notes"]).succeeds();
    for position in [0, 1, 2] {
        assert_ne!(deployment.fragment_of_manager(position, "notes"), before[position]);
        assert_eq!(deployment.fragments_held(position), 1, "the old fragment is erased");
    }
    for position in [0, 1, 2] {
        deployment.managers[position].stop();
        assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
        deployment.managers[position].restart();
    }
}
