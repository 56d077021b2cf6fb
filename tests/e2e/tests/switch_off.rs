//! Switching a root key off where gateways have keys below it on a lease: who is told, who says that it let go, who is named.

use serde_json::{Value, json};
use symbolon_e2e::{Deployment, Gateway, eventually, exit, unix_time};

const ROOT: &str = "acme-root";
const SYSTEM: &str = "acme/ceph-eu";
/// As long as a permit lasts, and with it the longest lease.
const LEASE: u64 = 60;

/// A chain down to one system.
fn deployment() -> Deployment {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", ROOT, "--purpose", "wrap"]).succeeds();
    cli.run(&["tenant", "create", "acme", "--root", ROOT]).succeeds();
    cli.run(&["system", "create", SYSTEM]).succeeds();
    deployment
}

/// Leases of processes that can acknowledge: those of gateways.
fn gateways(leases: &Value) -> Vec<&Value> {
    let leases = leases.as_array().unwrap_or_else(|| panic!("leases: {leases}"));
    leases.iter().filter(|lease| lease["process"].is_string()).collect()
}

fn acknowledged(leases: &Value) -> usize {
    gateways(leases).iter().filter(|lease| lease["acknowledged"] == true).count()
}

#[test]
fn gateways_let_go_at_once_and_say_so_and_the_one_that_hangs_is_named_with_the_end_of_its_lease() {
    let deployment = deployment();
    let owner = deployment.owner();
    let (prompt, hanging) = (Gateway::start(&deployment), Gateway::second(&deployment));
    for gateway in [&prompt, &hanging] {
        assert_eq!(gateway.data_key(SYSTEM, "vol-1"), 200);
    }
    // Each data key is a line of the gateway's own log; the access manager only hears of the lease.
    let logged = prompt.process.log();
    assert!(logged.contains("data key made") && logged.contains("volume=\"vol-1\""), "{logged}");
    let before = owner.json(&["key", "leases", ROOT]);
    assert_eq!((gateways(&before).len(), acknowledged(&before)), (2, 0), "{before}");

    hanging.process.freeze();
    let disabled = owner.json(&["key", "disable", ROOT]);
    let leases = &disabled["leases"];
    assert_eq!((gateways(leases).len(), acknowledged(leases)), (2, 1), "{disabled}");
    let waits = gateways(leases).into_iter().find(|lease| lease["acknowledged"] == false).unwrap();
    let until = waits["until"].as_u64().unwrap();
    assert!((1..=unix_time() + LEASE).contains(&until), "{disabled}");
    // It let go before it said so: no lease is left to open anything with.
    assert_eq!(prompt.data_key(SYSTEM, "vol-2"), 409);
    // For people: how many, and who not yet.
    let told = owner.run(&["key", "leases", ROOT]).text();
    assert!(told.contains("acknowledged: let go") && told.contains("ends by itself at "), "{told}");

    // What hung wakes up: it lets go before it serves anybody, and says so late.
    hanging.process.thaw();
    eventually("it acknowledges late, or its lease has ended", || {
        let leases = owner.json(&["key", "leases", ROOT]);
        gateways(&leases).iter().all(|lease| lease["acknowledged"] == true)
    });
    assert_eq!(hanging.data_key(SYSTEM, "vol-2"), 409);

    owner.run(&["key", "enable", ROOT]).succeeds();
    for gateway in [&prompt, &hanging] {
        eventually("it opens again", || gateway.data_key(SYSTEM, "vol-3") == 200);
    }
}

#[test]
fn all_that_acknowledge_do_so_within_a_second_at_every_level() {
    let deployment = deployment();
    let owner = deployment.owner();
    let gateway = Gateway::start(&deployment);
    for (noun, name) in [("key", ROOT), ("tenant", "acme"), ("system", SYSTEM)] {
        eventually("it has a lease", || gateway.data_key(SYSTEM, "vol-1") == 200);
        let disabled = owner.json(&[noun, "disable", name]);
        let leases = &disabled["leases"];
        assert_eq!((gateways(leases).len(), acknowledged(leases)), (1, 1), "{disabled}");
        assert!(disabled["leases_took_ms"].as_u64().unwrap() < 1000, "{disabled}");
        assert_eq!(gateway.data_key(SYSTEM, "vol-2"), 409, "{noun} {name}");
        owner.run(&[noun, "enable", name]).succeeds();
    }
}

#[test]
fn a_dry_run_lists_what_would_be_met_and_changes_nothing() {
    let deployment = deployment();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    // What isn't below the key is not in it.
    cli.run(&["key", "create", "other-root", "--purpose", "wrap"]).succeeds();
    cli.run(&["tenant", "create", "umbrella", "--root", "other-root"]).succeeds();
    cli.run(&["system", "create", "umbrella/db"]).succeeds();
    cli.run(&["system", "create", "acme/db"]).succeeds();
    let person = deployment.person("operator");
    let theirs = deployment.grant(&person.fingerprint, &["--key", "acme/*", "--allow", "decrypt"]);
    let elsewhere = deployment.grant(&person.fingerprint, &["--key", "umbrella/*", "--allow", "decrypt"]);
    let revoked = deployment.grant(&person.fingerprint, &["--key", ROOT, "--allow", "decrypt"]);
    owner.run(&["grant", "revoke", &revoked.to_string()]).succeeds();
    let gateway = Gateway::start(&deployment);
    assert_eq!(gateway.data_key(SYSTEM, "vol-1"), 200);

    let run = owner.json(&["key", "disable", ROOT, "--dry-run"]);
    let names = |list: &str, name: &str| -> Vec<Value> {
        run[list].as_array().unwrap().iter().map(|entry| entry[name].clone()).collect()
    };
    assert_eq!(names("tenants", "tenant"), [json!("acme")]);
    assert_eq!(names("systems", "system"), [json!(SYSTEM), json!("acme/db")]);
    let grants = names("grants", "id");
    assert!(grants.contains(&json!(theirs)), "{run}");
    assert!(![elsewhere, revoked].iter().any(|id| grants.contains(&json!(id))), "{run}");
    assert_eq!((gateways(&run["leases"]).len(), acknowledged(&run["leases"])), (1, 0), "{run}");
    let text = owner.run(&["key", "disable", ROOT, "--dry-run"]).text();
    assert!(text.contains("1 tenant, 2 systems") && text.contains("Nothing was changed"), "{text}");

    // Nobody noticed: nothing was signed, the lease is still there, the next data key is made.
    assert_eq!(cli.json(&["key", "show", ROOT])["state"], json!("active"));
    assert_eq!(gateway.data_key(SYSTEM, "vol-2"), 200);
    owner.run(&["key", "disable", "nothing", "--dry-run"]).fails(exit::NOT_FOUND);
}
