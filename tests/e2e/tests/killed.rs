//! Death in the middle of every state change: one role at a time is killed instead of its 1st, 2nd, 3rd, … flush to disk while a key is
//! created, its fragments are refreshed and a caller is revoked. Nothing is lost, and everything can be asked for again.

use std::thread;
use std::time::Duration;

use symbolon_e2e::{Cli, Crash, Deployment, Finished, Process, exit};

/// So many state changes at least are gone through, or the test does not test what it says.
const AT_LEAST: u32 = 3;
/// A run that never gets through without dying would go on for ever.
const AT_MOST: u32 = 90;
/// Deployments in which roles die at the same time.
const AT_ONCE: u32 = 3;

/// Seconds that somebody waits for a role that died, before asking again.
const IMPATIENT: u32 = 5;
/// Seconds that somebody waits for roles that are all up.
const PATIENT: u32 = 50;
/// How long a killed process may be seen by the system after its connections are gone.
const DYING: Duration = Duration::from_secs(3);

/// What an owner does in an afternoon; every step may be asked for again.
fn afternoon(deployment: &Deployment, key: &str, holder: &str, within: u32) -> Result<(), String> {
    let cli = deployment.cli().within_secs(within);
    make(&cli, key)?;
    done(&cli.run(&["refresh", key]))?;
    settle(deployment, key, holder, within)
}

/// The afternoon after a death. A refresh that was interrupted is tried again by the managers themselves, after a minute.
fn afternoon_again(deployment: &Deployment, key: &str, holder: &str) -> Result<(), String> {
    make(&deployment.cli().within_secs(PATIENT), key)?;
    settle(deployment, key, holder, PATIENT)
}

fn make(cli: &Cli, key: &str) -> Result<(), String> {
    // Asked for again, a key whose making was interrupted is made; one that is finished is there already.
    done_by_now(&cli.run(&["key", "create", key]))
}

/// What was encrypted opens, and what was granted is revoked.
fn settle(deployment: &Deployment, key: &str, holder: &str, within: u32) -> Result<(), String> {
    let cli = deployment.cli().within_secs(within);
    let owner = deployment.owner().within_secs(within);
    let sealed = cli.pipe(&["encrypt", "--key", key], key.as_bytes());
    done(&sealed)?;
    let opened = cli.pipe(&["decrypt"], &sealed.stdout);
    done(&opened)?;
    assert_eq!(opened.stdout, key.as_bytes());
    // Asked for again, a caller who was revoked before the death is granted nothing any more.
    done_by_now(&owner.run(&["grant", "create", "--to", holder, "--key", key, "--allow", "encrypt"]))?;
    done(&owner.run(&["grant", "revoke", "--holder", holder]))
}

/// All keys get new fragments, whatever was interrupted before.
fn all_refreshed(deployment: &Deployment) {
    let cli = deployment.cli().within_secs(PATIENT);
    let refreshed = (0..4).any(|_| cli.run(&["refresh"]).code == Some(0));
    assert!(refreshed, "{}", cli.run(&["status"]));
}

fn done(finished: &Finished) -> Result<(), String> {
    if finished.code == Some(0) { Ok(()) } else { Err(finished.to_string()) }
}

/// Done now, or in the way because it, or what comes after it, was done before the death.
fn done_by_now(finished: &Finished) -> Result<(), String> {
    if finished.code == Some(exit::CONFLICT) { Ok(()) } else { done(finished) }
}

/// Plays afternoons; in the n-th one, the role dies instead of its n-th flush. Several deployments share the numbers, since most
/// of an afternoon is waiting.
fn die_everywhere(role: fn(&mut Deployment) -> &mut Process) {
    thread::scope(|scope| {
        for first in 1..=AT_ONCE {
            scope.spawn(move || die_at(role, (first..=AT_MOST).step_by(AT_ONCE as usize)));
        }
    });
}

/// Plays afternoons with these numbers, until nobody dies in one.
fn die_at(role: fn(&mut Deployment) -> &mut Process, rounds: impl Iterator<Item = u32>) {
    let mut deployment = Deployment::start();
    let guardian = deployment.site().guardian().clone();
    let crash = Crash::new(&guardian);
    let honest = role(&mut deployment).start().clone();
    let cli = deployment.cli();
    cli.run(&["key", "create", "before"]).succeeds();
    let before = cli.pipe(&["encrypt", "--key", "before"], b"before").succeeds();
    for round in rounds {
        role(&mut deployment).kill();
        *role(&mut deployment) = crash.under(&honest).ready(&guardian);
        crash.arm(round);
        let holder = deployment.person(&format!("person-{round}")).fingerprint;
        let key = format!("round-{round}");
        let mut last = afternoon(&deployment, &key, &holder, IMPATIENT);
        if last.is_err() && !role(&mut deployment).ends_within(DYING) {
            // The machine is busy, and nobody died: that is no failure of anybody.
            last = afternoon(&deployment, &key, &holder, PATIENT);
        }
        crash.disarm();
        let died = role(&mut deployment).ends_within(DYING / 10);
        if died {
            role(&mut deployment).restart_dead();
            last = afternoon_again(&deployment, &key, &holder);
        }
        last.unwrap_or_else(|error| panic!("round {round}, died: {died}: {error}"));
        assert_eq!(cli.pipe(&["decrypt"], &before).succeeds(), b"before", "round {round}");
        if !died {
            assert!(round > AT_LEAST, "{} has only {round} state changes", honest.name);
            return all_refreshed(&deployment);
        }
    }
    panic!("{} still dies after {AT_MOST} rounds", honest.name);
}

#[test]
fn a_fragment_manager_killed_in_every_state_change_loses_nothing() {
    die_everywhere(|deployment| &mut deployment.managers[1]);
}

#[test]
fn an_access_manager_killed_in_every_state_change_loses_nothing() {
    die_everywhere(|deployment| &mut deployment.access_manager);
}
