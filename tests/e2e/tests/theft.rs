//! Stolen servers: game a (the access manager whole), game j (one fragment manager), and what two of them give together.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use symbolon_channel::DialError;
use symbolon_client::owner::Office;
use symbolon_client::{NoUnlock, Profile, customer};
use symbolon_e2e::datastore::{blob, bytes, datastore, query};
use symbolon_e2e::{
    Account, Deployment, Party, Recorder, Site, combine, combine_fragments, derived, disk_contains, exit,
    free_port, ingredients, instance, memory_contains,
};
use symbolon_envelope::{Aes256GcmCore, Preamble};
use symbolon_fragments::names::SuiteId;
use symbolon_fragments::{CombineError, Input, Output, load};
use symbolon_protocol::api::Operation::{Decrypt, Encrypt};
use symbolon_protocol::wire::{Document, Error, Refusal};
use symbolon_trust::{Grant, Operation, Permit, Principal, Signed};

/// A deployment whose roster names recorders: whoever relays to a manager, relays through one.
fn recorded() -> (Deployment, Vec<Recorder>) {
    let site = Site::prepare();
    let account = Account::at(&site.home("owner").join("account.root"));
    let mut recorders = Vec::new();
    for (position, name) in symbolon_e2e::MANAGERS.iter().enumerate() {
        let public: SocketAddr = account.root.document().roster[position].address.parse().unwrap();
        let own: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        site.reconfigure(name, &public.to_string(), &own.to_string());
        recorders.push(Recorder::on(public, own));
    }
    (site.start(), recorders)
}

#[test]
fn the_access_manager_never_sees_an_evaluation_a_key_or_a_customer_fragment() {
    let (deployment, recorders) = recorded();
    let site = deployment.site();
    let profile = site.directory().join("profile.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let route = text.lines().filter(|line| !line.starts_with("route")).collect::<Vec<_>>().join("\n");
    fs::write(&profile, format!("route = \"relay\"\n{route}")).unwrap();
    let cli = deployment.cli();
    cli.run(&["key", "create", "plain"]).succeeds();
    let secret = b"a plaintext that no server ever sees";
    let sealed = cli.pipe(&["encrypt", "--key", "plain"], secret).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), secret);
    let customer = customer_fragment(&deployment);
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    let guarded = cli.pipe(&["encrypt", "--key", "guarded"], secret).succeeds();
    assert_eq!(cli.pipe(&["decrypt"], &guarded).succeeds(), secret);

    let holder = Party::new(&deployment.identity_of_person());
    let ingredients = ingredients(&deployment, &holder, &sealed);
    // The same evaluations pass the relay once more while somebody listens and looks.
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), secret);
    let mut needles = ingredients.evaluations.clone();
    needles.extend([ingredients.key.to_vec(), customer.to_vec(), secret.to_vec()]);

    let tapes: Vec<u8> = recorders.iter().flat_map(Recorder::tape).collect();
    assert!(contains(&tapes, b"symbolon/1"), "the recorders are on the way: they saw the inner handshakes");
    let pid = deployment.access_manager.pid();
    let home = site.home("access-manager");
    assert!(memory_contains(pid, deployment.account().id().as_bytes()), "the search finds what is there");
    assert!(disk_contains(&home, deployment.account().id().as_bytes()));
    for needle in &needles {
        assert!(!contains(&tapes, needle), "on the wire");
        assert!(!memory_contains(pid, needle), "in memory");
        assert!(!disk_contains(&home, needle), "on disk");
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

/// Makes a customer fragment for the person, and gives its secret bytes, which only the customer's side has.
fn customer_fragment(deployment: &Deployment) -> [u8; 32] {
    deployment.cli().run(&["customer-fragment", "create", "--plain"]).succeeds();
    let profile = Profile::load(deployment.cli().profile()).unwrap();
    let customer::Place::File(file) = &profile.customer_fragments[0] else { panic!("it is in a file") };
    *customer::load(file, &mut NoUnlock).unwrap().secret()
}

#[test]
fn a_stolen_access_manager_evaluates_nothing_and_substitutes_nothing() {
    let mut deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "target"]).succeeds();
    cli.run(&["key", "create", "decoy"]).succeeds();
    cli.run(&["key", "rotate", "target"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "target"], b"message").succeeds();
    nothing_is_evaluated_for_the_thief(&deployment);
    nothing_is_substituted(&mut deployment, &sealed);
}

/// With its identity and its permit key, the thief mints what it likes.
fn nothing_is_evaluated_for_the_thief(deployment: &Deployment) {
    let account = deployment.account();
    let thief = Party::new(&deployment.identity_of_access_manager());
    let person = Party::new(&deployment.identity_of_person());
    let permit_key = deployment.permit_key();
    let (genuine_grant, genuine_permit) = account.credential(&person, "target", &[Decrypt, Encrypt]).unwrap();

    let own_permit = |grant: &Grant| {
        let mut permit: Permit = genuine_permit.body().clone();
        permit.principal = thief.key().public().thumbprint();
        (permit.grant_id, permit.grant_serial) = (grant.id, grant.serial);
        Signed::by(permit, [&permit_key])
    };
    let mut forged: Grant = genuine_grant.body().clone();
    forged.principal = Principal::Holder(thief.key().public().thumbprint());
    let forged_permit = own_permit(&forged);
    let attempts = [
        (
            "a grant signed by the permit key",
            (Signed::by(forged.clone(), [&permit_key]), forged_permit.clone()),
        ),
        ("a grant that nobody signed", (Signed::new(forged), forged_permit)),
        (
            "somebody's grant with a permit for oneself",
            (genuine_grant.clone(), own_permit(genuine_grant.body())),
        ),
        ("somebody's grant and permit", (genuine_grant.clone(), genuine_permit.clone())),
    ];
    for position in 0..3 {
        let manager = thief.direct(deployment.manager_address(position), &account.manager(position)).unwrap();
        for (name, credential) in &attempts {
            let refused = manager.authorise(credential).expect_err(name);
            assert!(matches!(refused, Error::Refused { .. }), "{name}: {refused:?}");
        }
        let forged_root = {
            let mut next = account.root.document().clone();
            next.version += 1;
            next.previous = Some(symbolon_trust::hash(account.root.document()));
            Signed::by(next, [&permit_key, thief.key()])
        };
        let refused = manager.refused(symbolon_protocol::wire::Request::InstallRoot { root: forged_root });
        let unsigned = Refusal::TooFewSignatures { got: 0, needed: 1 };
        assert_eq!(refused, Error::Refused { document: Document::Root, reason: unsigned });
    }
}

/// With its datastore, the thief serves other certificates than it was given.
fn nothing_is_substituted(deployment: &mut Deployment, sealed: &[u8]) {
    let cli = deployment.cli();
    deployment.access_manager.stop();
    let store = datastore(&deployment.site().home("access-manager"));
    let certificate_of = |key: &str, version: u64| {
        let of = "SELECT certificate, set_id FROM key_version WHERE key = ? AND version = ?";
        let rows = query(&store, of, &[json!(key), json!(version)]);
        (bytes(&rows[0][0]), bytes(&rows[0][1]))
    };
    let (target, target_set) = certificate_of("target", 2);
    let (older, older_set) = certificate_of("target", 1);
    let (decoy, decoy_set) = certificate_of("decoy", 1);
    let substitute = |certificate: &[u8], set: &[u8]| {
        let update =
            "UPDATE key_version SET certificate = ?, set_id = ? WHERE key = 'target' AND version = 2";
        query(&store, update, &[blob(certificate), blob(set)]);
    };
    let mut flipped = target.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (name, certificate, set) in [
        ("another key's certificate", &decoy, &decoy_set),
        ("an older version's certificate", &older, &older_set),
        ("a certificate that was changed", &flipped, &target_set),
    ] {
        substitute(certificate, set);
        deployment.access_manager.restart();
        for refused in [cli.pipe(&["encrypt", "--key", "target"], b"message"), cli.pipe(&["decrypt"], sealed)]
        {
            assert!(refused.stdout.is_empty(), "{name}: used, {refused}");
            refused.fails(exit::INTEGRITY);
        }
        deployment.access_manager.stop();
    }
    substitute(&target, &target_set);
    deployment.access_manager.restart();
    assert_eq!(cli.pipe(&["decrypt"], sealed).succeeds(), b"message");
}

#[test]
fn a_root_signed_by_one_quorum_only_is_refused() {
    let deployment = Deployment::start();
    let account = deployment.account();
    let usurper = Party::stranger();
    let mut next = account.root.document().clone();
    next.version += 1;
    next.previous = Some(symbolon_trust::hash(account.root.document()));
    next.roles.root.keys = vec![usurper.key().public()];
    let manager = usurper.direct(deployment.manager_address(0), &account.manager(0)).unwrap();
    let install = |root| symbolon_protocol::wire::Request::InstallRoot { root };
    let new_quorum_only = Signed::by(next.clone(), [usurper.key()]);
    let old_quorum_only = Signed::by(next, [&deployment.owner_key(Office::Root)]);
    for signed in [new_quorum_only, old_quorum_only] {
        let refused = manager.refused(install(signed));
        assert!(matches!(refused, Error::Refused { document: Document::Root, .. }), "{refused:?}");
    }
}

#[test]
fn a_fragment_manager_holds_nothing_of_another_and_no_derived_key() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "notes"], b"a plaintext that no server sees").succeeds();
    let holder = Party::new(&deployment.identity_of_person());
    let ingredients = ingredients(&deployment, &holder, &sealed);
    let fragments = [0, 1, 2].map(|position| deployment.fragment_of_manager(position, "notes"));

    let pid = deployment.managers[0].pid();
    let home = deployment.site().home("kfm-1");
    assert!(
        memory_contains(pid, &fragments[0]),
        "its own fragment is in its memory, so the search finds fragments"
    );
    assert!(!disk_contains(&home, &fragments[0]), "at rest even its own fragment is sealed");
    for (name, needle) in [
        ("another's fragment", fragments[1].clone()),
        ("another's fragment", fragments[2].clone()),
        ("another's evaluation", ingredients.evaluations[1].clone()),
        ("another's evaluation", ingredients.evaluations[2].clone()),
        ("the message's key", ingredients.key.to_vec()),
        ("the plaintext", b"a plaintext that no server sees".to_vec()),
    ] {
        assert!(!memory_contains(pid, &needle), "{name} in memory");
        assert!(!disk_contains(&home, &needle), "{name} on disk");
    }
}

#[test]
fn a_stolen_access_manager_and_one_manager_still_lack_a_share() {
    let deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let sealed = deployment.cli().pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    // With the manager's identity, the thief is a roster member, and nothing more: no holder.
    let account = deployment.account();
    let thief = Party::new(&deployment.identity_of_manager(0));
    let person = Party::new(&deployment.identity_of_person());
    let credential = account.credential(&person, "notes", &[Decrypt]).unwrap();
    let other = thief.direct(deployment.manager_address(1), &account.manager(1)).unwrap();
    let refused = other.authorise(&credential).unwrap_err();
    assert!(matches!(refused, Error::Refused { reason: Refusal::Holder, .. }), "{refused:?}");
    // Its one share opens nothing: alone it is below the threshold, and no two shares of its own make one of another.
    let ingredients = ingredients(&deployment, &person, &sealed);
    let share = deployment.fragment_of_manager(0, "notes");
    let evaluator = load(SuiteId::Ristretto255Sha512, &share).unwrap();
    let preamble = Preamble::parse(&sealed).unwrap();
    let input = Input::new(&preamble.header().scope(), &preamble.header().fields());
    let own = evaluator.evaluate(&[input]).unwrap().remove(0);
    assert_eq!(own.as_bytes(), &ingredients.evaluations[0][..], "the stolen share is the real one");
    let alone = combine(&ingredients.certificate, &preamble, &[(account.index(0), own.as_bytes())]);
    assert!(alone.is_err(), "one share of two made a key");
}

/// What the stolen fragments of some managers make of a ciphertext's input, without asking anybody.
fn offline(
    deployment: &Deployment,
    key: &str,
    sealed: &[u8],
    positions: &[usize],
) -> Result<Output, CombineError> {
    let account = deployment.account();
    let stolen = |at: &usize| (account.index(*at), deployment.fragment_of_manager(*at, key));
    let fragments: Vec<_> = positions.iter().map(stolen).collect();
    combine_fragments(&deployment.certificate_of(0, key), &Preamble::parse(sealed).unwrap(), &fragments)
}

#[test]
fn the_threshold_is_what_it_says() {
    let deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let sealed = deployment.cli().pipe(&["encrypt", "--key", "notes"], b"message").succeeds();
    let preamble = Preamble::parse(&sealed).unwrap();
    for one in [0, 1, 2] {
        assert!(offline(&deployment, "notes", &sealed, &[one]).is_err());
    }
    // Two managers stolen together are the threshold: the claim ends here, and this is where.
    for two in [[0, 1], [0, 2], [1, 2]] {
        let output = offline(&deployment, "notes", &sealed, &two).unwrap();
        assert!(preamble.unlock::<Aes256GcmCore>(derived(&output, &preamble)).is_ok());
    }
}

#[test]
fn a_customer_fragment_protects_even_from_all_managers() {
    let deployment = Deployment::start();
    let cli = deployment.cli();
    cli.run(&["customer-fragment", "create", "--plain"]).succeeds();
    cli.run(&["key", "create", "guarded", "--customer-fragment"]).succeeds();
    let sealed = cli.pipe(&["encrypt", "--key", "guarded"], b"message").succeeds();
    let preamble = Preamble::parse(&sealed).unwrap();
    let output = offline(&deployment, "guarded", &sealed, &[0, 1]).unwrap();
    assert!(preamble.unlock::<Aes256GcmCore>(derived(&output, &preamble)).is_err(), "opened without it");
    assert_eq!(cli.pipe(&["decrypt"], &sealed).succeeds(), b"message");
}

#[test]
fn a_managers_share_does_not_widen_a_grant() {
    let deployment = Deployment::start();
    deployment.cli().run(&["key", "create", "notes"]).succeeds();
    let writer = deployment.person("writer");
    deployment.grant(&writer.fingerprint, &["--key", "notes", "--allow", "encrypt"]);
    // The client's holder key and one manager's disk: the other managers still answer only what the grant allows.
    let party = Party::new(&deployment.identity_of(&writer));
    let account = deployment.account();
    let credential = account.credential(&party, "notes", &[Encrypt]).unwrap();
    let set = account.set_of(&party, "notes");
    let other = party.direct(deployment.manager_address(1), &account.manager(1)).unwrap();
    let newest = instance(&account.newest_instance(&other, set));
    let handle = other.authorise(&credential).unwrap();
    let refused = other.evaluate(handle, newest, Party::stranger().fresh_fields(), false).unwrap_err();
    assert_eq!(refused, Error::NotAllowed { operation: Operation::Decrypt });
    let refused = other.evaluate(handle, newest, Party::stranger().fresh_fields(), true).unwrap_err();
    assert_eq!(refused, Error::WrongWriter);
}

#[test]
fn an_unlisted_certificate_is_refused() {
    let deployment = Deployment::start();
    let account = deployment.account();
    let stranger = Party::stranger();
    // A server that proves another key than the roster's.
    let impostor = stranger.direct(deployment.manager_address(0), &account.manager(1));
    assert!(matches!(impostor.err(), Some(DialError::WrongKey)));
    // A caller that nobody granted anything.
    let relayed = stranger.relayed(&account.access_manager(), account.destination(0), &account.manager(0));
    assert!(matches!(relayed.err(), Some(DialError::Refused { status: 401 | 403, .. })));
    let problem = account.credential(&stranger, "notes", &[Decrypt]).unwrap_err();
    assert!([401, 403, 404].contains(&problem.status), "{problem:?}");
}
