//! Two accounts on the same servers (game k), the second one founded the way a real one is: each role prints its key, the owner signs it in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use symbolon_client::owner::Office;
use symbolon_e2e::datastore::{blob, datastore, query};
use symbolon_e2e::{
    Account, Cli, Deployment, MANAGERS, Party, Person, Site, exit, instance, new_person, run, symbolon,
};
use symbolon_protocol::api::Operation::Decrypt;
use symbolon_protocol::wire::{Document, Error, Refusal, Request};
use symbolon_trust::{Action, Order, Seconds, Signed};

/// The second account: its owner's folder, and a person with every right in it.
struct Second {
    owner: PathBuf,
    account: Account,
    person: Person,
}

/// What a role's `identity` prints.
fn printed(site: &Site, role: &str, name: &str, which: &str) -> String {
    let mut command = Command::new(symbolon());
    command.args([role, "identity", "--config"]).arg(site.config(name));
    let text = run(&mut command, b"").text();
    let line = text.lines().find_map(|line| line.strip_prefix(which)).expect("the key is printed");
    line.trim().to_owned()
}

/// Founds an account on a deployment's roles, none of which runs.
fn found(site: &Site) -> Second {
    let owner = site.home("second-owner");
    let passphrase = site.directory().join("second-passphrase");
    fs::write(&passphrase, "another passphrase\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let first = Account::at(&site.home("owner").join("account.root"));
    let managers: Vec<String> = MANAGERS
        .iter()
        .zip(&first.root.document().roster)
        .map(|(name, member)| {
            let key = printed(site, "fragment-manager", name, "identity ");
            format!("{name}={key}@{},operator=loopback,cloud=none,region=here", member.address)
        })
        .collect();
    let access_manager = format!(
        "{}@{}",
        printed(site, "access-manager", "access-manager", "identity "),
        first.root.document().access_manager.address
    );
    let permit = printed(site, "access-manager", "access-manager", "permit ");
    let folder = owner.to_str().unwrap();
    let mut words = vec!["init", "--owner", folder, "--access-manager", &access_manager, "--permit", &permit];
    for manager in &managers {
        words.extend(["--manager", manager]);
    }
    let founder = site.cli().with_passphrase(&passphrase);
    let said = founder.run(&words).text();
    let root = owner.join("account.root");
    let account = Account::at(&root);
    assert!(said.contains(&account.id().to_string()), "{said}");
    for role in MANAGERS.iter().chain(&["access-manager"]) {
        fs::copy(&root, site.home(role).join("accounts/second.root")).unwrap();
    }
    let person = new_person(&site.home("second-person"), &root);
    Second { owner, account, person }
}

impl Second {
    fn owner(&self, deployment: &Deployment) -> Cli {
        self.person.cli.clone().with_passphrase(&deployment.site().directory().join("second-passphrase"))
    }

    fn grant(&self, deployment: &Deployment, operations: &str) {
        let owner = self.owner.to_str().unwrap();
        let words = [
            "grant",
            "create",
            "--owner",
            owner,
            "--to",
            &self.person.fingerprint,
            "--key",
            "*",
            "--allow",
            operations,
        ];
        self.owner(deployment).run(&words).succeeds();
    }
}

#[test]
fn nothing_of_one_account_works_in_another() {
    let site = Site::prepare();
    let second = found(&site);
    let deployment = site.start();
    second.grant(&deployment, "create,encrypt,decrypt");
    let first_cli = deployment.cli();
    first_cli.run(&["key", "create", "notes"]).succeeds();
    second.person.cli.run(&["key", "create", "notes"]).succeeds();
    let in_first = first_cli.pipe(&["encrypt", "--key", "notes"], b"first").succeeds();
    let in_second = second.person.cli.pipe(&["encrypt", "--key", "notes"], b"second").succeeds();
    assert_eq!(second.person.cli.pipe(&["decrypt"], &in_second).succeeds(), b"second");

    // Ciphertexts, and callers.
    first_cli.pipe(&["decrypt"], &in_second).fails(exit::INVALID);
    second.person.cli.pipe(&["decrypt"], &in_first).fails(exit::INVALID);
    let (first, first_party) = (deployment.account(), Party::new(&deployment.identity_of_person()));
    let second_party = Party::new(&deployment.identity_of(&second.person));
    let problem = first.credential(&second_party, "notes", &[Decrypt]).unwrap_err();
    assert!([403, 404].contains(&problem.status), "{problem:?}");

    // Grants and permits, alone and mixed, shown by their rightful holder.
    let (first_grant, first_permit) = first.credential(&first_party, "notes", &[Decrypt]).unwrap();
    let (second_grant, second_permit) =
        second.account.credential(&second_party, "notes", &[Decrypt]).unwrap();
    let manager = first_party.direct(deployment.manager_address(0), &first.manager(0)).unwrap();
    for mixed in [(first_grant.clone(), second_permit.clone()), (second_grant, first_permit.clone())] {
        assert!(matches!(manager.authorise(&mixed), Err(Error::Refused { .. })));
    }
    // A verdict of one account, an instance of the other.
    let handle = manager.authorise(&(first_grant, first_permit)).unwrap();
    let set = second.account.set_of(&second_party, "notes");
    let foreign = instance(&second.account.newest_instance(&manager, set));
    let refused = manager.evaluate(handle, foreign, first_party.fresh_fields(), false).unwrap_err();
    assert!(matches!(refused, Error::NotHeld { .. }), "{refused:?}");

    an_order_of_another_account_is_refused(&deployment, &second, &first_party);
    // What the first account's owner takes away of a name, the second account's key of that name has still.
    deployment.owner().run(&["key", "disable", "notes"]).succeeds();
    first_cli.pipe(&["decrypt"], &in_first).fails(exit::DENIED);
    assert_eq!(second.person.cli.pipe(&["decrypt"], &in_second).succeeds(), b"second");
    deployment.owner().run(&["key", "enable", "notes"]).succeeds();

    a_certificate_of_another_account_is_refused(deployment, &in_first);
}

/// A stolen access manager serves the second account's certificate of a key of that name in the first.
fn a_certificate_of_another_account_is_refused(mut deployment: Deployment, in_first: &[u8]) {
    let id = deployment.account().id();
    let cli = deployment.cli();
    deployment.access_manager.stop();
    let store = datastore(&deployment.site().home("access-manager"));
    let rows = query(
        &store,
        "SELECT certificate, set_id FROM key_version WHERE account != ?",
        &[blob(id.as_bytes())],
    );
    let [foreign] = rows.as_slice() else { panic!("the second account has one key: {rows:?}") };
    let update = "UPDATE key_version SET certificate = ?, set_id = ? WHERE account = ?";
    query(&store, update, &[foreign[0].clone(), foreign[1].clone(), blob(id.as_bytes())]);
    deployment.access_manager.restart();
    for refused in [cli.pipe(&["encrypt", "--key", "notes"], b"first"), cli.pipe(&["decrypt"], in_first)] {
        assert!(refused.stdout.is_empty(), "{refused}");
        refused.fails(exit::INTEGRITY);
    }
}

/// The first account's owner signs an order for the second one.
fn an_order_of_another_account_is_refused(deployment: &Deployment, second: &Second, party: &Party) {
    let policy = deployment.owner_key(Office::Policy);
    let now = symbolon_e2e::unix_time();
    let order = |account| Order {
        account,
        serial: 1_000,
        issued: Seconds(now),
        expires: Seconds(now + 3600),
        action: Action::LowerMark { mark: Seconds(now) },
    };
    let first = deployment.account();
    let manager = party.direct(deployment.manager_address(0), &first.manager(0)).unwrap();
    let foreign = Signed::by(order(second.account.id()), [&policy]);
    let refused = manager.refused(Request::InstallOrder { order: foreign });
    let unsigned = Refusal::TooFewSignatures { got: 0, needed: 1 };
    assert_eq!(refused, Error::Refused { document: Document::Order, reason: unsigned });
}
