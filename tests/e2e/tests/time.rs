//! Clocks that are wrong, and documents whose time is over: game i, by Debian's libfaketime.

use symbolon_audit::{Alarm, RecordBody};
use symbolon_e2e::{Deployment, eventually, exit, wrong_clock, wrong_clock_of};

#[test]
fn a_clock_set_back_stops_a_manager_until_it_is_right_again() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    let honest = deployment.managers[2].start().clone();
    deployment.managers[1].stop();
    deployment.managers[2].stop();
    deployment.managers[2] = wrong_clock(&honest, "-1d").ready(deployment.site().guardian());
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::UNAVAILABLE);
    assert!(words.contains("kfm-3") && words.contains("clock"), "{words}");

    deployment.managers[2].stop();
    deployment.managers[2] = honest.ready(deployment.site().guardian());
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    let alarm = RecordBody::Alarm(Alarm::ClockSetBack);
    assert!(deployment.records_of_manager(2).contains(&alarm), "it is written down");
    assert!(!deployment.records_of_manager(0).contains(&alarm));
}

#[test]
fn a_client_whose_clock_is_off_by_a_day_encrypts_and_decrypts_all_the_same() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    for offset in ["-1d", "+1d"] {
        let elsewhere = wrong_clock_of(&cli, offset);
        let sealed = elsewhere.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
        assert_eq!(elsewhere.pipe(&["decrypt"], &sealed).succeeds(), b"message");
        assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    }
}

#[test]
fn a_manager_whose_clock_is_a_day_ahead_is_named_and_the_others_go_on() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    deployment.managers[0].stop();
    let ahead = wrong_clock(deployment.managers[0].start(), "+1d");
    deployment.managers[0] = ahead.ready(deployment.site().guardian());
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

    deployment.managers[1].stop();
    let words = cli.pipe(&["decrypt"], &sealed).fails(exit::UNAVAILABLE);
    assert!(words.contains("kfm-1") && words.contains("kfm-2"), "{words}");
}

#[test]
fn an_expired_grant_is_said_to_be_over() {
    let mut deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let late = deployment.person("late");
    deployment.grant(&late.fingerprint, &["--key", "notes", "--allow", "encrypt,decrypt", "--days", "1"]);
    let sealed = late.cli.pipe(&["encrypt", "--key", "notes"], b"message").succeeds();

    deployment.move_clocks("+2d");
    let words = wrong_clock_of(&late.cli, "+2d").pipe(&["decrypt"], &sealed).fails(exit::DENIED);
    assert!(words.contains("grant"), "{words}");
    // The key itself is as it was.
    assert_eq!(wrong_clock_of(&deployment.cli(), "+2d").pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn a_cancelled_destruction_destroys_nothing_when_its_time_comes() {
    let mut deployment = Deployment::start();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["key", "create", "kept"]).succeeds();
    cli.run(&["key", "create", "gone"]).succeeds();
    let kept = cli.pipe(&["encrypt", "--key", "kept"], b"kept").succeeds();
    let gone = cli.pipe(&["encrypt", "--key", "gone"], b"gone").succeeds();
    owner.run(&["key", "destroy", "kept"]).succeeds();
    owner.run(&["key", "destroy", "gone"]).succeeds();
    let words = cli.pipe(&["decrypt"], &gone).fails(exit::CONFLICT);
    assert!(words.contains("destroy"), "{words}");
    owner.run(&["key", "cancel-destruction", "kept"]).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &kept).succeeds(), b"kept");

    deployment.move_clocks("+5d");
    let later = wrong_clock_of(&cli, "+5d");
    assert_eq!(later.pipe(&["decrypt"], &kept).succeeds(), b"kept");
    for position in 0..3 {
        eventually("the set that waited is erased, and the other kept", || {
            deployment.fragments_held(position) == 1
        });
        let destroyed = |record| match record {
            RecordBody::Destroyed { key, .. } => Some(key.to_string()),
            _ => None,
        };
        let written: Vec<_> =
            deployment.records_of_manager(position).into_iter().filter_map(destroyed).collect();
        assert_eq!(written, ["gone"], "manager {position} writes down what it destroyed");
    }
    let words = later.pipe(&["decrypt"], &gone).fails(exit::CONFLICT);
    assert!(words.contains("destroyed"), "{words}");
    let words = later.pipe(&["encrypt", "--key", "gone"], b"gone").fails(exit::CONFLICT);
    assert!(words.contains("destroyed"), "{words}");
}

#[test]
fn a_manager_that_was_away_fetches_a_cancellation_before_it_destroys() {
    let mut deployment = Deployment::start();
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["key", "create", "kept"]).succeeds();
    cli.run(&["key", "create", "gone"]).succeeds();
    let kept = cli.pipe(&["encrypt", "--key", "kept"], b"kept").succeeds();
    owner.run(&["key", "destroy", "kept"]).succeeds();
    owner.run(&["key", "destroy", "gone"]).succeeds();
    let away = deployment.managers[2].start().clone();
    deployment.managers[2].stop();
    owner.run(&["key", "cancel-destruction", "kept"]);

    // It is the first to be there again, long after the order that cancels could be taken.
    deployment.managers[2] = wrong_clock(&away, "+30d").ready(deployment.site().guardian());
    deployment.move_clocks("+30d");
    eventually("what nobody cancelled is erased", || deployment.fragments_held(2) == 1);
    deployment.managers[0].stop();
    assert_eq!(wrong_clock_of(&cli, "+30d").pipe(&["decrypt"], &kept).succeeds(), b"kept");
}
