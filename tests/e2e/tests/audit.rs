//! Rewriting the past in the access manager's datastore: whatever was done to it, `symbolon audit verify` says so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_audit::{Entry, Event, Frontier, Hash, NodeId};
use symbolon_e2e::datastore::{blob, bytes, datastore, query};
use symbolon_e2e::{Deployment, Party, exit, instance, unix_time};
use symbolon_protocol::api::Operation::{Decrypt, Encrypt};
use symbolon_trust::{Seconds, Signed};

/// A deployment in which something happened.
fn lived_in() -> Deployment {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    deployment
}

fn store(deployment: &Deployment) -> PathBuf {
    datastore(&deployment.site().home("access-manager"))
}

/// The log's entries, as the thief finds them.
fn entries(deployment: &Deployment) -> Vec<Entry> {
    let rows = query(&store(deployment), "SELECT entry FROM audit_leaf ORDER BY position", &[]);
    rows.iter().map(|row| Entry::from_bytes(&bytes(&row[0])).unwrap()).collect()
}

fn put(deployment: &Deployment, position: u64, entry: &Entry) {
    let update = "UPDATE audit_leaf SET entry = ? WHERE position = ?";
    query(&store(deployment), update, &[blob(&entry.to_bytes()), json!(position)]);
}

/// The first permit in the log, and where it is.
fn a_permit(entries: &[Entry]) -> (u64, Entry) {
    let found = entries.iter().find(|entry| matches!(entry.event, Event::PermitIssued { .. }));
    found.map(|entry| (entry.sequence, entry.clone())).expect("a permit was issued")
}

/// Does something to the stopped access manager's datastore, and gives what an audit says afterwards.
fn after(deployment: &mut Deployment, change: impl FnOnce(&Deployment)) -> String {
    deployment.access_manager.stop();
    change(deployment);
    deployment.access_manager.restart();
    let audit = deployment.cli().run(&["audit", "verify"]);
    assert_eq!(audit.code, Some(exit::INTEGRITY), "{audit}");
    String::from_utf8(audit.stdout).unwrap()
}

#[test]
fn an_honest_log_verifies_and_counts_what_was_evaluated() {
    let deployment = lived_in();
    let report = deployment.cli().json(&["audit", "verify"]);
    assert_eq!(report["faults"], json!([]), "{report}");
    assert_eq!(report["not_compared"], json!([]), "{report}");
    assert_eq!(report["managers"], json!(["kfm-1", "kfm-2", "kfm-3"]), "{report}");
    assert!(report["evaluations"].as_u64().unwrap() >= 4, "two managers each for two operations: {report}");
    assert!(report["entries"].as_u64().unwrap() >= 4, "{report}");
}

#[test]
fn an_edited_entry_is_named() {
    let mut deployment = lived_in();
    let (position, mut permit) = a_permit(&entries(&deployment));
    let Event::PermitIssued { grant_serial, .. } = &mut permit.event else { unreachable!() };
    *grant_serial += 1;
    let words = after(&mut deployment, |deployment| put(deployment, position, &permit));
    assert!(words.contains(&format!("entry {position} was edited")), "{words}");
}

#[test]
fn a_removed_entry_is_found() {
    let mut deployment = lived_in();
    let (position, _) = a_permit(&entries(&deployment));
    let words = after(&mut deployment, |deployment| {
        let store = store(deployment);
        query(&store, "DELETE FROM audit_leaf WHERE position = ?", &[json!(position)]);
    });
    assert!(words.contains("FOUND"), "{words}");
}

#[test]
fn reordered_entries_are_found() {
    let mut deployment = lived_in();
    let entries = entries(&deployment);
    let (position, permit) = a_permit(&entries);
    let before = entries[usize::try_from(position).unwrap() - 1].clone();
    let words = after(&mut deployment, |deployment| {
        put(deployment, position, &before);
        put(deployment, position - 1, &permit);
    });
    assert!(words.contains("FOUND") && words.contains("missing"), "{words}");
}

#[test]
fn a_permit_that_was_left_out_shows_in_the_managers_own_logs() {
    let deployment = lived_in();
    let account = deployment.account();
    let person = Party::new(&deployment.identity_of_person());
    // The thief of the permit key is granted something itself, and writes itself a permit that nobody logs.
    let (grant, permit) = account.credential(&person, "notes", &[Encrypt, Decrypt]).unwrap();
    let mut unlogged = permit.body().clone();
    unlogged.id = [9; 16];
    (unlogged.issued, unlogged.not_after) = (Seconds(unix_time()), Seconds(unix_time() + 60));
    let unlogged = Signed::by(unlogged, [&deployment.permit_key()]);
    let manager = person.direct(deployment.manager_address(1), &account.manager(1)).unwrap();
    let set = account.set_of(&person, "notes");
    let instance = instance(&account.newest_instance(&manager, set));
    let handle = manager.authorise(&(grant, unlogged)).unwrap();
    manager.evaluate(handle, instance, person.fresh_fields(), false).unwrap();

    let audit = deployment.cli().run(&["audit", "verify"]);
    assert_eq!(audit.code, Some(exit::INTEGRITY), "{audit}");
    let words = String::from_utf8(audit.stdout).unwrap();
    assert!(
        words.contains("manager 2 evaluated under a permit that the access manager's log lacks"),
        "{words}"
    );
}

/// The whole log rewritten, tree and all; the access manager signs it again by itself. Only what managers cosigned and what they remember is against it.
#[test]
fn a_log_that_was_rewritten_whole_is_not_the_one_that_managers_cosigned() {
    let mut deployment = lived_in();
    wait_for_cosignatures(&deployment);
    let words = after(&mut deployment, |deployment| {
        let mut entries = entries(deployment);
        let (position, mut permit) = a_permit(&entries);
        let Event::PermitIssued { grant_serial, .. } = &mut permit.event else { unreachable!() };
        *grant_serial += 1;
        entries[usize::try_from(position).unwrap()] = permit.clone();
        put(deployment, position, &permit);
        rewrite_tree(deployment, &entries);
    });
    assert!(words.contains("was rewritten"), "{words}");
}

/// Managers cosign every few seconds. What is waited for is the event, by asking for it again.
fn wait_for_cosignatures(deployment: &Deployment) {
    let (permit, _) = a_permit(&entries(deployment));
    let begun = std::time::Instant::now();
    loop {
        let report = deployment.cli().json(&["audit", "verify"]);
        if report["cosigned"]["entries"].as_u64().is_some_and(|cosigned| cosigned > permit) {
            return;
        }
        assert!(begun.elapsed() < symbolon_e2e::PATIENCE, "nothing is cosigned: {report}");
    }
}

fn rewrite_tree(deployment: &Deployment, entries: &[Entry]) {
    let mut frontier = Frontier::new();
    let mut nodes: BTreeMap<NodeId, Hash> = BTreeMap::new();
    for entry in entries {
        nodes.extend(frontier.append(entry.leaf_hash()));
    }
    let store = store(deployment);
    for (node, hash) in nodes {
        let update = "UPDATE audit_node SET hash = ? WHERE level = ? AND position = ?";
        let values: [Value; 3] = [blob(&hash.0), json!(node.level), json!(node.index)];
        query(&store, update, &values);
    }
}
