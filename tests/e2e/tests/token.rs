//! A customer fragment in a PKCS#11 token: the same ciphertexts as from a file, a PIN that is tried once, a token that comes and goes.

use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::Pkcs11;
use cryptoki::session::UserType;
use symbolon_client::Profile;
use symbolon_client::customer::token::{self, Token};
use symbolon_client::customer::{Keeper, KeeperError, Place, PlaceError, TokenPlace};
use symbolon_e2e::{Cli, Deployment, exit, run};
use symbolon_hsm::{FaultyModule, LABEL, Module, OFFICER_PIN, PIN, TestToken};
use zeroize::Zeroizing;

/// Names the game that a process of its own plays, and the module that it plays with: a module reads its environment once.
const GAME: &str = "SYMBOLON_TOKEN_GAME";
const LIBRARY: &str = "SYMBOLON_TOKEN_LIBRARY";

/// What is said to a token in these tests.
const WRONG: &str = "not-the-pin-of-it";

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// The command line with what the token's module needs.
fn with(cli: &Cli, token: &TestToken) -> Cli {
    token.environment().iter().fold(cli.clone(), |cli, (name, value)| cli.with(name, value))
}

fn have(cli: &Cli, places: Vec<Place>) {
    let mut profile = Profile::load(cli.profile()).unwrap();
    profile.customer_fragments = places;
    profile.save(cli.profile()).unwrap();
}

#[test]
fn a_token_and_a_file_make_the_same_ciphertexts() {
    let deployment = Deployment::start();
    for module in Module::ALL {
        let (token, library) = (TestToken::new(module), module.path());
        let cli = with(&deployment.cli(), &token);
        have(&cli, Vec::new());
        let key = format!("guarded/{}", format!("{module:?}").to_lowercase());
        cli.run(&["customer-fragment", "create", "--plain"]).succeeds();
        let in_file = Profile::load(cli.profile()).unwrap().customer_fragments;
        cli.run(&["key", "create", &key, "--customer-fragment"]).succeeds();
        let by_file = cli.pipe(&["encrypt", "--key", &key], b"from the file").succeeds();

        let Place::File(file) = &in_file[0] else { panic!("it is in a file") };
        have(&cli, Vec::new());
        let pin = token.pin_file();
        let place = ["--module", text(&library), "--token", LABEL, "--pin-file", text(&pin)];
        let restore = [&["customer-fragment", "restore", text(file)][..], &place].concat();
        cli.run(&restore).succeeds();
        assert_eq!(cli.pipe(&["decrypt"], &by_file).succeeds(), b"from the file");
        let by_token = cli.pipe(&["encrypt", "--key", &key], b"from the token").succeeds();
        let words = cli.run(&["customer-fragment", "backup", "copy"]).fails(exit::INVALID);
        assert!(words.contains("keeps the fragment to itself"), "{words}");

        have(&cli, in_file);
        assert_eq!(cli.pipe(&["decrypt"], &by_token).succeeds(), b"from the token");
    }
}

#[test]
fn a_token_makes_a_fragment_that_nobody_ever_sees() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    for module in Module::ALL {
        let (token, library) = (TestToken::new(module), module.path());
        let cli = with(&cli, &token);
        have(&cli, Vec::new());
        let pin = token.pin_file();
        let place = ["--module", text(&library), "--token", LABEL, "--pin-file", text(&pin)];
        cli.run(&[&["customer-fragment", "create"][..], &place].concat()).succeeds();
        let listed = cli.json(&["customer-fragment", "list"]);
        assert_eq!(listed[0]["token"], LABEL);
        let sealed = cli.pipe(&["encrypt", "--key", "guarded"], b"message").succeeds();
        assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");

        token.write_pin(WRONG);
        let words = cli.pipe(&["decrypt"], &sealed).fails(exit::INVALID);
        assert!(words.contains("refused the PIN"), "{words}");
        token.write_pin(PIN);
        assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
    }
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let deployment = Deployment::start();
    let token = TestToken::new(Module::SoftHsm2);
    let cli = with(&deployment.cli(), &token);
    let (library, pin) = (Module::SoftHsm2.path(), token.pin_file());
    let create = |library: &Path, label: &str| {
        let place = ["--module", text(library), "--token", label, "--pin-file", text(&pin)];
        cli.run(&[&["customer-fragment", "create"][..], &place].concat())
    };
    let words = create(Path::new("/no/such/module.so"), LABEL).fails(exit::INVALID);
    assert!(words.contains("/no/such/module.so"), "{words}");
    let words = create(&library, "another token").fails(exit::UNAVAILABLE);
    assert!(words.contains("no slot has a token another token"), "{words}");

    let place = TokenPlace {
        module: library,
        token: LABEL.into(),
        id: "00".repeat(16),
        pin_file: Some(token.pin_file()),
    };
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    have(&cli, vec![Place::Token(place)]);
    let words = cli.pipe(&["encrypt", "--key", "guarded"], b"message").fails(exit::INVALID);
    assert!(words.contains("has no customer fragment"), "{words}");
}

#[test]
fn a_refused_pin_is_never_tried_again() {
    for module in Module::ALL {
        let token = TestToken::new(module);
        play("pin", &module.path(), token.environment());
    }
}

#[test]
fn a_token_that_was_pulled_out_works_when_it_is_back() {
    for module in Module::ALL {
        let faulty = FaultyModule::before(TestToken::new(module));
        let settings = faulty.settings();
        play("gone", &settings.module, &settings.environment);
    }
}

/// Plays a game in a process of its own.
fn play(game: &str, library: &Path, environment: &std::collections::BTreeMap<String, String>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_game_of_a_process_of_its_own", "--nocapture"]);
    command.env(GAME, game).env(LIBRARY, library).envs(environment);
    run(&mut command, b"").succeeds();
}

/// Started by [`play`]; by itself it has nothing to play.
#[test]
fn the_game_of_a_process_of_its_own() {
    let (Ok(game), Some(library)) = (std::env::var(GAME), std::env::var_os(LIBRARY)) else { return };
    let library = PathBuf::from(library);
    let id = token::generate(&library, LABEL, PIN).unwrap().to_string();
    let place = TokenPlace { module: library.clone(), token: LABEL.into(), id, pin_file: None };
    match game.as_str() {
        "pin" => try_a_wrong_pin(&library, place),
        "gone" => pull_it_out(&place),
        other => panic!("there is no game {other}"),
    }
}

fn keeper(place: &TokenPlace, pin: &str) -> Token {
    Token::new(place.clone(), Zeroizing::new(pin.to_owned())).unwrap()
}

fn evaluate(keeper: &Token) -> Result<Zeroizing<[u8; 32]>, KeeperError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(keeper.evaluate(b"message"))
}

/// The wrong PIN is made the right one: that it is refused all the same shows that the token isn't asked.
fn try_a_wrong_pin(library: &Path, place: TokenPlace) {
    let right = keeper(&place, PIN);
    evaluate(&right).unwrap();
    let beside = evaluate(&keeper(&place, WRONG));
    assert!(matches!(beside, Err(KeeperError::WrongPin)), "the login of another client is not its own");
    drop(right);
    let wrong = keeper(&place, WRONG);
    assert!(matches!(evaluate(&wrong), Err(KeeperError::WrongPin)));
    let module = Pkcs11::new(library).unwrap();
    let slots = module.get_slots_with_token().unwrap();
    let slot = slots.into_iter().find(|slot| module.get_token_info(*slot).unwrap().label() == LABEL).unwrap();
    let officer = module.open_rw_session(slot).unwrap();
    officer.login(UserType::So, Some(&OFFICER_PIN.into())).unwrap();
    officer.init_pin(&WRONG.into()).unwrap();
    drop(officer);
    let user = module.open_ro_session(slot).unwrap();
    user.login(UserType::User, Some(&WRONG.into())).expect("it is the PIN now");
    drop(user);
    assert!(matches!(evaluate(&wrong), Err(KeeperError::WrongPin)));
    assert!(matches!(evaluate(&keeper(&place, WRONG)), Err(KeeperError::WrongPin)), "nor by another client");
    let misspelt = TokenPlace { id: "not an id".into(), ..place };
    assert!(matches!(Token::new(misspelt, Zeroizing::default()), Err(PlaceError::Id(_))));
}

fn pull_it_out(place: &TokenPlace) {
    let fault = PathBuf::from(std::env::var_os("SYMBOLON_FAULT").unwrap());
    let keeper = keeper(place, PIN);
    let answer = evaluate(&keeper).unwrap();
    for _ in 0..2 {
        std::fs::write(&fault, "gone").unwrap();
        assert!(matches!(evaluate(&keeper), Err(KeeperError::Gone(_))));
        std::fs::write(&fault, "").unwrap();
        assert_eq!(*evaluate(&keeper).unwrap(), *answer);
    }
}
