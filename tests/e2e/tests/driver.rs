//! Keys in an HSM behind real drivers: what they do, who can make them do it, and what happens when something breaks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;
use symbolon_client::error::{Error, Integrity, Unavailable};
use symbolon_client::hsm::NewHsmKey;
use symbolon_client::keys::KeyInfo;
use symbolon_client::{Client, Context, NoUnlock, Profile};
use symbolon_e2e::datastore::{blob, bytes, datastore, query};
use symbolon_e2e::hsm::{Driver, token};
use symbolon_e2e::{Deployment, disk_contains, eventually, exit, memory_contains, new_key, unix_time};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_fragments::names::KeyId;
use symbolon_hsm::{FaultyModule, PIN};
use symbolon_protocol::api::{JobTrouble, Labels};
use symbolon_protocol::jobs::{
    AskedKey, Asking, JobResult, Scope, SealedSecret, Submission, Ticket, Work, submission,
};
use symbolon_trust::{
    Grant, KeyAlgorithm, Operation, Permit, Principal, Seconds, Signed, VerifiedWrappedKey,
};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// A deployment with one driver, and a client of the first person.
struct Scene {
    deployment: Deployment,
    token: FaultyModule,
    driver: Driver,
    runtime: Runtime,
    client: Client,
}

impl Scene {
    fn new() -> Self {
        let (deployment, token) = (Deployment::start(), token());
        let driver = deployment.driver("hsm-1", &token.settings());
        let client = client(&deployment);
        Self { deployment, token, driver, runtime: Runtime::new().unwrap(), client }
    }

    fn key(&self, name: &str) -> KeyId {
        self.deployment.cli().run(&["key", "create", name, "--store", "prod"]).succeeds();
        name.parse().unwrap()
    }

    fn seal(&self, key: &KeyId, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let secret = Zeroizing::new(secret.to_vec());
        self.runtime.block_on(self.client.seal(key, &secret, &context()))
    }

    fn open(&self, key: &KeyId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let opened = self.runtime.block_on(self.client.unseal(key, sealed, &context()))?;
        Ok(opened.secret.to_vec())
    }

    /// Begins to make a key in the background: of all jobs the one that takes the HSM the longest.
    fn making(&self, name: &str, within: u64) -> tokio::task::JoinHandle<Result<KeyInfo, Error>> {
        let client = self.client.within(Duration::from_secs(within));
        let (key, store) = (name.parse().unwrap(), "prod".parse().unwrap());
        let new = NewHsmKey { key, store, algorithm: KeyAlgorithm::Aes256, labels: Labels::new() };
        self.runtime.spawn(async move { Box::pin(client.keys().create_in_hsm(&new)).await })
    }

    /// Waits until a driver has the one job that has no result.
    fn wait_for_lease(&self) {
        let store = datastore(&self.deployment.site().home("access-manager"));
        eventually("a driver has the job", || {
            let leased = query(&store, "SELECT count(*) FROM job WHERE free_at > 0 AND result IS NULL", &[]);
            leased[0][0].as_u64() == Some(1)
        });
    }

    /// What stood in the way of a key that could not be made.
    #[track_caller]
    fn trouble(&self, making: tokio::task::JoinHandle<Result<KeyInfo, Error>>) -> Option<JobTrouble> {
        trouble(self.runtime.block_on(making).unwrap().map(|_| Vec::new()))
    }

    /// Stops the access manager, lets a thief at its datastore, and starts it again.
    fn steal<T>(&mut self, thief: impl FnOnce(&std::path::Path) -> T) -> T {
        self.deployment.access_manager.stop();
        let done = thief(&datastore(&self.deployment.site().home("access-manager")));
        self.deployment.access_manager.restart();
        done
    }
}

fn client(deployment: &Deployment) -> Client {
    let profile = Profile::load(deployment.cli().profile()).unwrap();
    Client::open(&profile, &mut NoUnlock).unwrap()
}

fn context() -> Context {
    Context::from_pairs([("tenant", "acme")]).unwrap()
}

#[track_caller]
fn trouble(result: Result<Vec<u8>, Error>) -> Option<JobTrouble> {
    match result {
        Err(Error::Unavailable { cause: Unavailable::KeyStore { trouble, .. }, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_hsm_key_seals_opens_and_signs_through_a_driver() {
    let scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");

    let other = Context::from_pairs([("tenant", "other")]).unwrap();
    let refused = scene.runtime.block_on(scene.client.unseal(&key, &sealed, &other));
    assert!(matches!(refused.map(|_| ()), Err(Error::Integrity(Integrity::Driver(_)))));
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(scene.open(&key, &changed), Err(Error::Integrity(Integrity::Driver(_)))));

    let cli = scene.deployment.cli();
    cli.run(&["key", "create", "signer", "--store", "prod", "--algorithm", "ecdsa-p256"]).succeeds();
    let signer: KeyId = "signer".parse().unwrap();
    let signature = scene.runtime.block_on(scene.client.sign(&signer, b"message")).unwrap();
    let public = scene.runtime.block_on(scene.client.public_key(&signer, 1)).unwrap().expect("a key pair");
    let point = &public[public.len() - 65..];
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, point);
    public.verify(b"message", &signature).unwrap();

    // A second version seals from now on; the first one still opens.
    cli.run(&["key", "rotate", "acme-root"]).succeeds();
    let later = scene.seal(&key, b"later").unwrap();
    assert_eq!(scene.open(&key, &later).unwrap(), b"later");
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
    let shown = cli.run(&["key", "show", "acme-root"]).text();
    assert!(shown.contains("acme-root v2") && shown.contains("in the key store prod"), "{shown}");
}

#[test]
fn no_server_sees_what_an_hsm_seals_or_opens() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let mut secret = b"canary ".to_vec();
    secret.extend(symbolon_trust::KeyPair::seed(&new_key()).as_slice());
    let sealed = scene.seal(&key, &secret).unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), secret);
    assert!(!memory_contains(scene.deployment.access_manager.pid(), &secret));
    assert!(!disk_contains(&scene.deployment.site().home("access-manager"), &secret));
    // The driver forgets: what it keeps is sealed to whoever asked.
    assert!(!disk_contains(scene.driver.home(), &secret));
    scene.driver.process().stop();
}

/// What a thief who has the access manager's disk and keys can put into the queue.
struct Forger<'a> {
    scene: &'a Scene,
    wrapped: VerifiedWrappedKey,
    sealed: Vec<u8>,
}

impl Forger<'_> {
    /// A job by the book, but by a holder of the thief's own, with a grant and a permit that the thief signs.
    fn own_job(&self) -> Submission {
        let (holder, permit_key) = (new_key(), self.scene.deployment.permit_key());
        let (account, key) = (self.scene.client.root().account(), self.wrapped.key().key.clone());
        let now = unix_time();
        let grant = Grant {
            account,
            id: 99,
            serial: 1,
            keys: vec!["*".parse().unwrap()],
            principal: Principal::Holder(holder.public().thumbprint()),
            operations: Operation::ALL.into_iter().collect(),
            rate: 0,
            not_before: Seconds(now - 10),
            not_after: Seconds(now + 1000),
        };
        let permit = Permit {
            account,
            id: [1; 16],
            principal: holder.public().thumbprint(),
            key: key.clone(),
            version: 1,
            operations: [Operation::Decrypt].into_iter().collect(),
            grant_id: 99,
            grant_serial: 1,
            on_behalf_of: None,
            issued: Seconds(now),
            not_after: Seconds(now + 60),
        };
        let asking = Asking {
            scope: Scope { account, store: "prod".parse().unwrap(), key, version: 1 },
            work: Work::Open { context: context().hash(), sealed: self.sealed.clone() },
            key: AskedKey::Wrapped(&self.wrapped),
            grant: Signed::by(grant, [&permit_key]),
            permit: Some(Signed::by(permit, [&permit_key])),
            expires: Seconds(now + 60),
        };
        let mut rng = symbolon_server::random::system();
        asking.sign(&holder, &self.scene.client.root(), &mut rng).unwrap().0
    }
}

fn queue(store: &std::path::Path, like: &[u8], submission: &Submission) {
    let expires = submission.job.body().expires;
    let ticket = Ticket::new(expires);
    let values = [
        blob(submission.id().as_bytes()),
        blob(&to_canonical(submission)),
        blob(&to_canonical(&ticket.state)),
        json!(expires.0),
        blob(like),
    ];
    query(
        store,
        "INSERT INTO job (account, job, store, holder, submission, ticket, free_at, expires)
         SELECT account, ?1, store, holder, ?2, ?3, 0, ?4 FROM job WHERE job = ?5",
        &values,
    );
}

/// A job of the queue: its name, what was handed in, what came of it.
struct Queued {
    id: Vec<u8>,
    submission: Submission,
    result: Option<Vec<u8>>,
}

fn queued(scene: &Scene, operation: Operation) -> Vec<Queued> {
    let store = datastore(&scene.deployment.site().home("access-manager"));
    let rows = query(&store, "SELECT job, submission, result FROM job ORDER BY rowid", &[]);
    let read = |row: &Vec<serde_json::Value>| Queued {
        id: bytes(&row[0]),
        submission: submission(&bytes(&row[1])).unwrap(),
        result: row[2].is_object().then(|| bytes(&row[2])),
    };
    rows.iter().map(read).filter(|job| job.submission.request.operation == operation).collect()
}

#[test]
fn a_stolen_access_manager_queues_alters_replays_and_swaps_nothing() {
    let mut scene = Scene::new();
    let (key, second) = (scene.key("acme-root"), scene.key("other-root"));
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
    scene.seal(&second, b"x").unwrap();
    scene.driver.process().stop();
    let answered = queued(&scene, Operation::Decrypt).remove(0);
    let others = queued(&scene, Operation::Encrypt).pop().unwrap().submission.wrapped;
    // Two jobs of the holder's that wait for a driver.
    let impatient = client(&scene.deployment).within(Duration::from_millis(1500));
    for _ in 0..2 {
        let waiting = scene.runtime.block_on(impatient.unseal(&key, &sealed, &context()));
        assert!(waiting.is_err());
    }
    let [swapped, altered]: [Queued; 2] =
        queued(&scene, Operation::Decrypt).into_iter().skip(1).collect::<Vec<_>>().try_into().ok().unwrap();
    let wrapped = answered.submission.wrapped.clone().unwrap();
    let wrapped = VerifiedWrappedKey::verify(wrapped, &scene.client.root()).unwrap();
    let inner = SealedSecret::from_bytes(&sealed).unwrap().sealed;
    let own = Forger { scene: &scene, wrapped, sealed: inner }.own_job();

    scene.steal(|store| {
        queue(store, &answered.id, &own);
        let submission = Submission { wrapped: others, ..swapped.submission };
        replace(store, &swapped.id, &submission);
        let mut submission = altered.submission;
        submission.request.key = second.clone();
        replace(store, &altered.id, &submission);
        // A replay: the job that was answered waits again.
        let state = blob(&to_canonical(&Ticket::new(Seconds(0)).state));
        let again = "UPDATE job SET ticket = ?, free_at = 0, result = NULL WHERE job = ?";
        query(store, again, &[state, blob(&answered.id)]);
    });
    let before = scene.driver.log().matches("job done").count();
    let Scene { deployment, driver, .. } = &mut scene;
    driver.start(deployment);
    eventually("all forged jobs are refused", || driver.log().matches("job refused").count() >= 3);
    let log = driver.log();
    for why in [
        "not signed by the role `policy`",
        "not the one that the holder asked for",
        "another account or request",
    ] {
        assert!(log.contains(why), "{why}:\n{log}");
    }
    let result = |id: &[u8]| {
        queued(&scene, Operation::Decrypt).into_iter().find(|job| job.id == id).and_then(|job| job.result)
    };
    eventually("the replayed job is answered as before", || result(&answered.id) == answered.result);
    assert_eq!(scene.driver.log().matches("job done").count(), before, "the HSM was asked for nothing");
    // What the thief's own job was answered says no more than that it was refused.
    eventually("it is answered", || result(own.id().as_bytes()).is_some());
    let answer: Signed<JobResult> = from_canonical(&result(own.id().as_bytes()).unwrap()).unwrap();
    assert!(answer.body().sealed.len() < 32, "a refusal is a few bytes");
}

fn replace(store: &std::path::Path, job: &[u8], submission: &Submission) {
    let values = [blob(&to_canonical(submission)), blob(job)];
    query(store, "UPDATE job SET submission = ? WHERE job = ?", &values);
}

#[test]
fn a_driver_killed_in_mid_job_loses_nothing() {
    let mut scene = Scene::new();
    scene.token.fail("hang");
    let making = scene.making("acme-root", 50);
    scene.wait_for_lease();
    scene.driver.process().kill();
    scene.token.fail("");
    let Scene { deployment, driver, .. } = &mut scene;
    driver.start(deployment);
    let made = scene.runtime.block_on(making).unwrap().unwrap();
    // The job was done by its second leaseholder; one key came of it, and it works.
    assert_eq!((made.wrapped.len(), made.entry.all_versions.len()), (1, 1));
    let key: KeyId = "acme-root".parse().unwrap();
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
}

#[test]
fn a_driver_takes_over_the_lease_of_one_that_hangs_and_the_first_result_stands() {
    let mut scene = Scene::new();
    let token = scene.token.token().settings();
    let mut second = scene.deployment.lay_out_driver("hsm-2", &token);
    let fingerprint = scene.deployment.enrol_driver(&second, &[]);
    scene.deployment.sign_in(&second, &fingerprint).succeeds();
    scene.runtime.block_on(scene.client.refresh_root()).unwrap();
    scene.token.fail("hang");
    let making = scene.making("acme-root", 50);
    scene.wait_for_lease();
    scene.driver.process().freeze();
    second.start(&scene.deployment);
    let made = scene.runtime.block_on(making).unwrap().unwrap();
    assert_eq!(made.wrapped[0].key().driver.get(), 5, "the second driver made it");
    // Back again, the first one is too late with whatever came of it, and goes on with other jobs.
    scene.token.fail("");
    scene.driver.process().thaw();
    let key: KeyId = "acme-root".parse().unwrap();
    let sealed = scene.seal(&key, b"more").unwrap();
    second.process().stop();
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"more");
    assert!(scene.driver.process().is_running());
}

#[test]
fn two_processes_with_one_identity_are_told_apart() {
    let mut scene = Scene::new();
    let twin = scene.deployment.site().home("twin");
    fs::create_dir(&twin).unwrap();
    for name in ["config.toml", "identity.key", "job.key", "sealing.key", "hsm.plugin"] {
        fs::copy(scene.driver.home().join(name), twin.join(name)).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(twin.join(name), private).unwrap();
    }
    let config = twin.join("config.toml");
    let refused = scene.deployment.cli().run(&["driver", "run", "--config", config.to_str().unwrap()]);
    let said = refused.fails(exit::CONFLICT);
    assert!(said.contains("another process works with this driver's identity"), "{said}");
    // The one that was there first goes on.
    let key = scene.key("acme-root");
    scene.seal(&key, b"x").unwrap();
    assert!(scene.driver.process().is_running());
}

#[test]
fn a_wrong_pin_is_tried_once_and_never_again() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    scene.driver.process().stop();
    scene.token.token().write_pin("not the pin");
    let run =
        |scene: &Scene| scene.deployment.cli().run(&["driver", "run", "--config", &scene.driver.config()]);
    let said = run(&scene).fails(exit::DENIED);
    assert!(said.contains("the token refuses the PIN"), "{said}");
    // However often a supervisor starts it again: the token is not asked. SoftHSM2 would lock after a few more.
    for _ in 0..5 {
        let said = run(&scene).fails(exit::DENIED);
        assert!(said.contains("has refused this PIN before"), "{said}");
    }
    scene.token.token().write_pin(PIN);
    let Scene { deployment, driver, .. } = &mut scene;
    driver.start(deployment);
    assert_eq!(scene.open(&key, &sealed).unwrap(), b"the tenant's key");
}

#[test]
fn a_token_that_goes_is_told_and_one_that_comes_back_is_used() {
    let mut scene = Scene::new();
    scene.token.fail("gone");
    let told = scene.trouble(scene.making("acme-root", 5));
    assert_eq!(told, Some(JobTrouble::TokenAbsent));
    scene.token.fail("");
    scene.runtime.block_on(scene.making("acme-root", 50)).unwrap().unwrap();
    assert!(scene.driver.process().is_running());
}

#[test]
fn a_module_that_crashes_costs_its_own_process_alone() {
    let mut scene = Scene::new();
    scene.token.fail("crash");
    let told = scene.trouble(scene.making("acme-root", 5));
    assert_eq!(told, Some(JobTrouble::Module));
    assert!(scene.driver.process().is_running());
    scene.token.fail("");
    scene.runtime.block_on(scene.making("acme-root", 50)).unwrap().unwrap();
}

#[test]
fn a_driver_is_signed_in_by_its_fingerprint_and_its_check_value() {
    let (deployment, token) = (Deployment::start(), token());
    let first = deployment.lay_out_driver("hsm-1", &token.settings());
    let run = |driver: &Driver| deployment.cli().run(&["driver", "run", "--config", &driver.config()]);
    let enrolling = deployment.cli().run(&["driver", "enrol", "--config", &first.config()]);
    let said = enrolling.fails(exit::NOT_FOUND);
    assert!(said.contains("no master key"), "{said}");
    let fingerprint = deployment.enrol_driver(&first, &["--create-master-key"]);
    let said = run(&first).fails(exit::DENIED);
    assert!(said.contains("does not list this driver"), "{said}");
    // The owner was given another driver's file than the operator read out.
    let stranger = new_key().public().thumbprint().to_string();
    deployment.sign_in(&first, &stranger).fails(exit::INTEGRITY);
    deployment.sign_in(&first, &fingerprint).succeeds();
    // A driver whose token has another master key doesn't come into the same store.
    let other = symbolon_e2e::hsm::token();
    let second = deployment.lay_out_driver("hsm-2", &other.settings());
    let other_fingerprint = deployment.enrol_driver(&second, &["--create-master-key"]);
    let said = deployment.sign_in(&second, &other_fingerprint).fails(exit::INTEGRITY);
    assert!(said.contains("another master key"), "{said}");
    // Nor does one that was signed in and whose token was exchanged since.
    let config = fs::read_to_string(first.config()).unwrap();
    let exchanged = config.replace(
        &token.token().folder().display().to_string(),
        &other.token().folder().display().to_string(),
    );
    fs::write(first.config(), exchanged).unwrap();
    let said = run(&first).fails(exit::INTEGRITY);
    assert!(said.contains("another master key"), "{said}");
}

#[test]
fn a_disabled_hsm_key_opens_nothing_until_it_is_enabled() {
    let scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"the tenant's key").unwrap();
    let owner = scene.deployment.owner();
    owner.run(&["key", "disable", "acme-root"]).succeeds();
    // A client that knows nothing yet gets no permit; the driver refuses the permit that another still has.
    let fresh = client(&scene.deployment);
    let refused = scene.runtime.block_on(fresh.unseal(&key, &sealed, &context()));
    assert!(matches!(refused.map(|_| ()), Err(Error::Denied(_))));
    assert!(matches!(scene.open(&key, &sealed), Err(Error::Denied(_))));
    owner.run(&["key", "enable", "acme-root"]).succeeds();
    let start = Instant::now();
    while scene.open(&key, &sealed).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "it opens again");
    }
}

#[test]
fn no_job_is_left_when_nobody_drives() {
    let mut scene = Scene::new();
    let key = scene.key("acme-root");
    let sealed = scene.seal(&key, b"x").unwrap();
    scene.driver.process().stop();
    let client = scene.client.within(Duration::from_secs(13));
    let alone = scene.runtime.block_on(async { client.unseal(&key, &sealed, &context()).await });
    assert_eq!(trouble(alone.map(|opened| opened.secret.to_vec())), Some(JobTrouble::NoDriver));
}
