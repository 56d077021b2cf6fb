//! A stolen access manager: what a thief can put into the queue, and that drivers do none of it.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use symbolon_e2e::datastore::{blob, bytes, datastore, query};
use symbolon_e2e::{eventually, new_key, unix_time};
use symbolon_encoding::{from_canonical, to_canonical};
use symbolon_protocol::jobs::{
    AskedKey, Asking, JobResult, Scope, SealedSecret, Submission, Ticket, Work, submission,
};
use symbolon_trust::{Grant, Operation, Permit, Principal, Seconds, Signed, VerifiedWrappedKey};

use crate::scene::{Scene, client, context};

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

fn queue(store: &Path, like: &[u8], submission: &Submission) {
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
    scene.driver.start(&scene.deployment);
    let driver = &scene.driver;
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

fn replace(store: &Path, job: &[u8], submission: &Submission) {
    let values = [blob(&to_canonical(submission)), blob(job)];
    query(store, "UPDATE job SET submission = ? WHERE job = ?", &values);
}
