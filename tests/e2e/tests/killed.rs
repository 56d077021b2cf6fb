//! Death in the middle of every state change: the access manager is killed instead of its 1st, 2nd, 3rd, … flush to disk while a key is
//! created, its fragments are refreshed and a caller is revoked. Nothing is lost, and everything can be asked for again.

use symbolon_e2e::{Crash, Deployment, Finished, exit};

/// So many state changes at least are gone through, or the test does not test what it says.
const AT_LEAST: u32 = 3;
/// A run that never gets through without dying would go on for ever.
const AT_MOST: u32 = 60;

/// Seconds that somebody waits for a role that died, before asking again.
const IMPATIENT: u32 = 5;
/// Seconds that somebody waits for roles that are all up.
const PATIENT: u32 = 100;

/// What an owner does in an afternoon; every step may be asked for again.
fn afternoon(deployment: &Deployment, key: &str, holder: &str, within: u32) -> Result<(), String> {
    let cli = deployment.cli().within_secs(within);
    // Asked for again, a key whose making was interrupted is made; one that is finished is there already.
    let created = cli.run(&["key", "create", key]);
    if created.code != Some(exit::CONFLICT) {
        done(&created)?;
    }
    let sealed = cli.pipe(&["encrypt", "--key", key], key.as_bytes());
    if sealed.code != Some(0) {
        return Err(sealed.to_string());
    }
    done(&cli.run(&["refresh", key]))?;
    let opened = cli.pipe(&["decrypt"], &sealed.stdout);
    if opened.code != Some(0) || opened.stdout != key.as_bytes() {
        return Err(opened.to_string());
    }
    let grant = ["grant", "create", "--to", holder, "--key", key, "--allow", "encrypt"];
    done(&deployment.owner().within_secs(within).run(&grant))?;
    done(&deployment.owner().within_secs(within).run(&["grant", "revoke", "--holder", holder]))
}

fn done(finished: &Finished) -> Result<(), String> {
    if finished.code == Some(0) { Ok(()) } else { Err(finished.to_string()) }
}

/// Plays afternoons; in the n-th one, it dies instead of its n-th flush.
#[test]
fn an_access_manager_killed_in_every_state_change_loses_nothing() {
    let mut deployment = Deployment::start();
    let guardian = deployment.site().guardian().clone();
    let crash = Crash::new(&guardian);
    let honest = deployment.access_manager.start().clone();
    let cli = deployment.cli();
    cli.run(&["key", "create", "before"]).succeeds();
    let before = cli.pipe(&["encrypt", "--key", "before"], b"before").succeeds();
    for round in 1..=AT_MOST {
        deployment.access_manager.kill();
        crash.disarm();
        deployment.access_manager = crash.under(&honest).ready(&guardian);
        crash.arm(round);
        let holder = deployment.person(&format!("person-{round}")).fingerprint;
        let key = format!("round-{round}");
        let first = afternoon(&deployment, &key, &holder, IMPATIENT);
        let died = !deployment.access_manager.is_running();
        if died {
            crash.disarm();
            deployment.access_manager.restart_dead();
            afternoon(&deployment, &key, &holder, PATIENT)
                .unwrap_or_else(|error| panic!("round {round}: {error}"));
        } else {
            first.unwrap_or_else(|error| panic!("round {round}, nobody died: {error}"));
        }
        assert_eq!(cli.pipe(&["decrypt"], &before).succeeds(), b"before", "round {round}");
        if !died {
            assert!(round > AT_LEAST, "{} has only {round} state changes", honest.name);
            return;
        }
    }
    panic!("{} still dies after {AT_MOST} rounds", honest.name);
}
