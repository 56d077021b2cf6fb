//! A fragment manager that joins later, on a machine of its own, its sealing key under a passphrase; and one that leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use symbolon_e2e::{Deployment, Process, Start, disk_contains, eventually, exit, free_port, run, symbolon};
use symbolon_fragments::names::Index;

const NAME: &str = "kfm-4";
const PASSPHRASE: &str = "correct horse battery staple";

/// The newcomer's machine: its directory, where it listens, and what its operator types.
struct Newcomer {
    home: PathBuf,
    address: String,
    passphrase: PathBuf,
}

impl Newcomer {
    fn new(deployment: &Deployment) -> Self {
        let home = deployment.site().home(NAME);
        fs::create_dir_all(home.join("accounts")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let config = format!(
            "listen = \"{address}\"\naccounts = \"accounts\"\ndatastore = \"fragments.db\"\n\
             identity = \"identity.key\"\nsealing = {{ passphrase = \"sealing.key\" }}\n"
        );
        fs::write(home.join("config.toml"), config).unwrap();
        let passphrase = passphrase(deployment, "right", PASSPHRASE);
        Self { home, address, passphrase }
    }

    fn verb(&self, verb: &str, passphrase: &Path) -> Vec<String> {
        let words = ["--passphrase-file", text(passphrase), "fragment-manager", verb, "--config"];
        let mut words = words.map(str::to_owned).to_vec();
        words.push(text(&self.home.join("config.toml")).to_owned());
        words
    }

    /// What `identity` prints, for the owner.
    fn identity(&self) -> String {
        let mut command = Command::new(symbolon());
        command.args(self.verb("identity", &self.passphrase));
        let printed = run(&mut command, b"").text();
        printed.trim().strip_prefix("identity ").expect("the public key").to_owned()
    }

    fn how(&self, passphrase: &Path) -> Start {
        let words = self.verb("run", passphrase);
        Start::new(NAME, &symbolon(), &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Its operator is given the account's root document and its successors.
    fn receives_documents(&self, deployment: &Deployment) {
        let owner = deployment.site().home("owner");
        fs::copy(owner.join("account.root"), self.home.join("accounts/account.root")).unwrap();
        for entry in fs::read_dir(owner.join("successors")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, self.home.join("accounts").join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn passphrase(deployment: &Deployment, name: &str, words: &str) -> PathBuf {
    let path = deployment.site().directory().join(name);
    fs::write(&path, words).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

#[test]
fn a_manager_joins_with_a_passphrase_takes_over_and_another_retires() {
    let mut deployment = Deployment::start();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let before = deployment.certificate_of(1, "notes");
    let (newcomer, mut fourth) = signed_in(&deployment);

    // Three others hold the key from now on, and the one that leaves holds nothing of it any more.
    owner.run(&["order", "change", "--members", "kfm-2,kfm-3,kfm-4", "--threshold", "2"]).succeeds();
    eventually("who leaves erases", || deployment.fragments_held(0) == 0);
    owner.run(&["root", "retire", "kfm-1"]).succeeds();
    let after = deployment.certificate_of(1, "notes");
    assert_eq!(after.members, [2, 3, 4].map(|index| Index::new(index).unwrap()));
    assert_eq!(before.commitment[0], after.commitment[0], "the key's public point");
    assert_ne!(before.commitment[1], after.commitment[1], "another sharing of it");
    deployment.managers[0].stop();
    deployment.managers[1].stop();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message", "by kfm-3 and the newcomer");

    // Its disk alone starts nothing: it takes the passphrase.
    fourth.stop();
    cli.pipe(&["decrypt"], &sealed).fails(exit::UNAVAILABLE);
    assert!(!disk_contains(&newcomer.home, PASSPHRASE.as_bytes()));
    fourth.restart();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

/// The newcomer, signed in by the owner and running. A wrong passphrase does not start it.
fn signed_in(deployment: &Deployment) -> (Newcomer, Process) {
    let (newcomer, owner) = (Newcomer::new(deployment), deployment.owner());
    let member = format!("{NAME}={}@{},operator=new", newcomer.identity(), newcomer.address);
    owner.run(&["root", "add-manager", &member]).succeeds();
    newcomer.receives_documents(deployment);
    let wrong = passphrase(deployment, "wrong", "wrong horse battery staple");
    let (status, log) = newcomer.how(&wrong).refused(deployment.site().guardian());
    assert_eq!(status.code(), Some(exit::INVALID), "{log}");
    assert!(log.contains("passphrase") && log.contains("sealing.key"), "{log}");
    let running = newcomer.how(&newcomer.passphrase).ready(deployment.site().guardian());
    owner.run(&["owner", "push"]).succeeds();
    (newcomer, running)
}
