//! Disks that are full: a tmpfs of a few megabytes in a mount namespace of the role's own.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use symbolon_e2e::{Deployment, Process, exit, run, small_disk, symbolon};

const MEGABYTE: usize = 1 << 20;

/// Starts a role again with its directory on a small disk, and gives that directory as it is seen from outside.
fn onto_small_disk(
    deployment: &mut Deployment,
    role: fn(&mut Deployment) -> &mut Process,
    name: &str,
) -> PathBuf {
    let home = deployment.site().home(name);
    let guardian = deployment.site().guardian().clone();
    let process = role(deployment);
    process.stop();
    let start = small_disk(process.start(), &home, 16 * MEGABYTE);
    *process = start.ready(&guardian);
    PathBuf::from(format!("/proc/{}/root{}", process.pid(), home.display()))
}

/// Writes until nothing goes in any more.
fn fill(directory: &std::path::Path) -> PathBuf {
    let path = directory.join("filler");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[0xee; 4096]).is_ok() {}
    while file.write_all(&[0xee]).is_ok() {}
    path
}

#[test]
fn a_manager_with_a_full_disk_says_so_goes_on_serving_and_recovers() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "before"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "before"], b"message").succeeds();
    let disk = onto_small_disk(&mut deployment, |deployment| &mut deployment.managers[1], "kfm-2");
    let filler = fill(&disk);

    let holder = deployment.person("revoked").fingerprint;
    deployment.grant(&holder, &["--key", "before", "--allow", "decrypt"]);
    let revoked = deployment.owner().run(&["grant", "revoke", "--holder", &holder]);
    let words = revoked.to_string();
    assert!(words.contains("kfm-2") && words.contains("full"), "{words}");
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

    fs::remove_file(filler).unwrap();
    deployment.owner().run(&["grant", "revoke", "--holder", &holder]).succeeds();
    cli.run(&["key", "create", "after"]).succeeds();
    let after = cli.pipe(&["encrypt", "--key", "after"], b"message").succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &after).succeeds(), b"message");
}

#[test]
fn an_access_manager_with_a_full_disk_says_so_and_recovers() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "before"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "before"], b"message").succeeds();
    let disk =
        onto_small_disk(&mut deployment, |deployment| &mut deployment.access_manager, "access-manager");
    let filler = fill(&disk);

    let words = cli.run(&["key", "create", "during"]).fails(exit::UNAVAILABLE);
    assert!(words.contains("full"), "{words}");

    fs::remove_file(filler).unwrap();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    cli.run(&["key", "create", "after"]).succeeds();
}

#[test]
fn a_full_disk_on_this_side_is_said_to_be_full() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let mut command = Command::new("sh");
    let script = "exec \"$0\" --profile \"$1\" encrypt --key notes > /dev/full";
    command.args(["-c", script]).arg(symbolon()).arg(cli.profile());
    let refused = run(&mut command, b"message");
    assert!(![Some(0), Some(exit::BUG)].contains(&refused.code), "{refused}");
    assert!(refused.stderr.contains("no space left"), "{refused}");
}
