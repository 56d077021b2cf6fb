//! The owner at work on real servers: revoking while managers are down, two administrators, moving keys to others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use symbolon_e2e::{Account, Cli, Deployment, MANAGERS, PATIENCE, Site, exit, new_person, run, symbolon};

#[test]
fn a_revocation_is_in_force_once_enough_managers_have_signed_for_it() {
    let mut deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let person = deployment.person("leaver");
    let grant = deployment.grant(&person.fingerprint, &["--key", "notes", "--allow", "encrypt,decrypt"]);
    let sealed = person.cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    deployment.managers[1].stop();
    deployment.managers[2].stop();
    let revoke = deployment.owner().run(&["grant", "revoke", &grant.to_string()]);
    let said = String::from_utf8_lossy(&revoke.stdout).into_owned();
    assert!(said.contains("Signed for by kfm-1 ") && said.contains("not in force"), "{said}");
    assert!(said.contains("kfm-2: ") && said.contains("kfm-3: "), "{said}");
    let words = revoke.fails(exit::UNAVAILABLE);
    assert!(words.contains("1 more") && words.contains("owner push"), "{words}");

    deployment.managers[1].restart();
    let said = deployment.owner().run(&["owner", "push"]).text();
    assert!(said.contains("kfm-1, kfm-2") && said.contains(": in force"), "{said}");
    deployment.managers[2].restart();
    let refused = person.cli.pipe(&["decrypt"], &sealed);
    assert!(refused.stdout.is_empty());
    refused.fails(exit::DENIED);
    let listed = deployment.owner().json(&["grant", "show", &grant.to_string()]);
    assert_eq!(listed["state"], json!("revoked"));
}

#[test]
fn a_manager_that_was_down_learns_everything_with_the_next_push() {
    let mut deployment = Deployment::start();
    let owner = deployment.owner();
    deployment.managers[2].stop();
    owner.run(&["key", "disable", "some/key"]).succeeds();
    owner.run(&["order", "lower-mark"]).succeeds();
    owner.run(&["root", "move", "kfm-1", &deployment.managers[0].address().to_string()]).succeeds();
    deployment.managers[2].restart();
    let said = owner.run(&["owner", "push"]).text();
    assert!(said.contains("kfm-1, kfm-2, kfm-3"), "{said}");
    let status = deployment.cli().json(&["status"]);
    let managers = status["fragment_managers"].as_array().expect("fragment managers");
    for manager in managers {
        assert_eq!((&manager["root_version"], &manager["deny_version"]), (&json!(2), &json!(1)), "{manager}");
    }
}

#[test]
fn keys_move_to_other_managers_and_everything_still_opens() {
    let mut deployment = Deployment::start();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let excluded = owner.run(&["order", "exclude", "--manager", "kfm-3"]);
    let warning = excluded.stderr.clone();
    excluded.succeeds();
    assert!(warning.contains("note: "), "going on with 2-of-2 is warned of: {warning}");
    wait_until(&owner, "order exclude", &["order", "exclude", "--manager", "kfm-3"]);
    deployment.managers[2].stop();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

    deployment.managers[2].restart();
    let all = ["order", "change", "--members", "kfm-1,kfm-2,kfm-3", "--threshold", "2"];
    owner.run(&all).succeeds();
    wait_until(&owner, "order change", &all);
    deployment.managers[0].stop();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn each_of_the_owners_keys_can_be_replaced_and_everything_goes_on() {
    let deployment = Deployment::start();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let person = deployment.person("someone");
    let grant = deployment.grant(&person.fingerprint, &["--key", "notes", "--allow", "decrypt"]).to_string();
    let stays_revoked = deployment.person("leaver");
    deployment.grant(&stays_revoked.fingerprint, &["--key", "notes", "--allow", "decrypt"]);
    owner.run(&["grant", "revoke", "--holder", &stays_revoked.fingerprint]).succeeds();

    for (role, version) in ["policy", "deny", "root"].into_iter().zip(2..) {
        let said = owner.json(&["root", "rotate-key", role]);
        assert_eq!((&said["version"], &said["in_force"]), (&json!(version), &json!(true)), "{said}");
        assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message", "after {role}");
        assert_eq!(person.cli.pipe(&["decrypt"], &sealed).succeeds(), b"message", "after {role}");
        stays_revoked.cli.pipe(&["decrypt"], &sealed).fails(exit::DENIED);
    }
    // The new keys do what the old ones did.
    owner.run(&["grant", "revoke", &grant]).succeeds();
    person.cli.pipe(&["decrypt"], &sealed).fails(exit::DENIED);
    deployment.grant(&person.fingerprint, &["--key", "notes", "--allow", "decrypt"]);
    assert_eq!(person.cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    owner.run(&["root", "move", "kfm-1", &deployment.managers[0].address().to_string()]).succeeds();
}

/// An order that was carried out leaves nothing to order: it is asked again until that is so.
#[track_caller]
fn wait_until(owner: &Cli, what: &str, order: &[&str]) {
    let begun = std::time::Instant::now();
    while owner.run(order).code != Some(exit::CONFLICT) {
        assert!(begun.elapsed() < PATIENCE, "{what} is not carried out");
    }
}

/// Founds an account with two administrators of whom both must sign, on a site whose roles don't run yet.
struct Two {
    ours: PathBuf,
    theirs: PathBuf,
    passphrase: PathBuf,
}

fn identity(site: &Site, role: &str, name: &str) -> serde_json::Value {
    let mut command = Command::new(symbolon());
    command.args(["--json", role, "identity", "--config"]).arg(site.config(name));
    run(&mut command, b"").json()
}

impl Two {
    fn found(site: &Site) -> Self {
        let [ours, theirs, passphrase] = ["ours", "theirs", "both"].map(|name| site.directory().join(name));
        fs::write(&passphrase, "a passphrase\n").unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        let two = Self { ours, theirs, passphrase };
        let cli = site.cli().with_passphrase(&two.passphrase);
        let second = cli.run(&["owner", "keys", "--owner", text(&two.theirs)]).text();
        two.init(site, &cli, second.trim());
        let root = two.ours.join("account.root");
        cli.run(&["owner", "sign", text(&root), "--owner", text(&two.theirs)]).succeeds();
        fs::copy(&root, two.theirs.join("account.root")).unwrap();
        for role in MANAGERS.iter().chain(&["access-manager"]) {
            fs::copy(&root, site.home(role).join("accounts/two.root")).unwrap();
        }
        two
    }

    fn init(&self, site: &Site, cli: &Cli, second: &str) {
        let first = Account::at(&site.home("owner").join("account.root"));
        let document = first.root.document();
        let keys = identity(site, "access-manager", "access-manager");
        let access_manager =
            format!("{}@{}", keys["identity"].as_str().unwrap(), document.access_manager.address);
        let managers = MANAGERS.iter().zip(&document.roster).map(|(name, member)| {
            let key = identity(site, "fragment-manager", name);
            format!("{name}={}@{}", key["identity"].as_str().unwrap(), member.address)
        });
        let managers: Vec<String> = managers.collect();
        let mut words = vec!["init", "--owner", text(&self.ours), "--administrators-needed", "2"];
        words.extend(["--administrator", second, "--access-manager", &access_manager]);
        words.extend(["--permit", keys["permit"].as_str().unwrap()]);
        for manager in &managers {
            words.extend(["--manager", manager]);
        }
        let words = cli.run(&words).fails(exit::UNAVAILABLE);
        assert!(words.contains("owner sign"), "{words}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

#[test]
fn two_administrators_grant_together_and_each_can_revoke_alone() {
    let site = Site::prepare();
    let two = Two::found(&site);
    let person = new_person(&site.home("person"), &two.ours.join("account.root"));
    let deployment = site.start();
    let administrator = person.cli.clone().with_passphrase(&two.passphrase);
    let grant = ["grant", "create", "--owner", text(&two.ours), "--to", &person.fingerprint];
    let rights = ["--key", "*", "--allow", "create,encrypt,decrypt"];
    let waits = administrator.run(&[&grant[..], &rights].concat()).fails(exit::UNAVAILABLE);
    assert!(waits.contains("1 of the 2 signatures"), "{waits}");
    person.cli.run(&["key", "create", "notes"]).fails(exit::DENIED);

    let waiting = two.ours.join("unsigned/1.grant");
    administrator.run(&["owner", "sign", text(&waiting), "--owner", text(&two.theirs)]).succeeds();
    administrator.run(&["owner", "push", "--owner", text(&two.theirs)]).succeeds();
    person.cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = person.cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    // The first administrator learns of the grant from the access manager, and takes it back alone.
    let said = administrator.run(&["grant", "revoke", "1", "--owner", text(&two.ours)]).text();
    assert!(said.contains(": in force"), "{said}");
    person.cli.pipe(&["decrypt"], &sealed).fails(exit::DENIED);
    drop(deployment);
}
