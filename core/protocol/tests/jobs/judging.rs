//! What a driver admits: a holder's own job, whole and in time. Everything that an access manager could make of one is refused.

use crate::support::{NOW, World, at, generate, index, key, label, open, pair, seal, sign};
use proptest::prelude::*;
use symbolon_encoding::to_canonical;
use symbolon_protocol::jobs::{
    Asked, CheckError, JobResult, MAX_JOB_LIFE, Outcome, Output, Refusal, ResultError, SecretBytes,
    Submission, Work, submission,
};
use symbolon_trust::{
    Denials, DenyDocument, Job, KeyAlgorithm, KeyPair, Operation, Permit, Principal, Signed, TrustedRoot,
    VerifiedDeny, VerifiedWrappedKey, WrappedKeyError,
};
use zeroize::Zeroizing;

fn refusal(world: &World, submission: &Submission) -> Refusal {
    world.judge(0, submission, NOW).unwrap_err().refusal()
}

/// The same submission with its job changed, signed by this key.
fn resigned(submission: &Submission, by: &KeyPair, change: impl FnOnce(&mut Job)) -> Submission {
    let mut job = submission.job.body().clone();
    change(&mut job);
    Submission { job: Signed::by(job, [by]), ..submission.clone() }
}

#[test]
fn a_holders_job_is_admitted_by_every_driver_and_its_work_is_what_was_asked_for() {
    let mut world = World::new();
    let (submission, _) = world.ask(seal(b"secret"));
    for driver in [0, 1] {
        let Ok(Work::Seal { context, secret }) = world.judge(driver, &submission, NOW) else { panic!() };
        assert_eq!((context, secret.expose()), ([8; 32], &b"secret"[..]));
    }
    for work in [open(), sign(), generate()] {
        let (submission, _) = world.ask(work);
        world.judge(1, &submission, NOW).unwrap();
    }
}

#[test]
fn the_work_is_readable_by_drivers_of_the_store_alone() {
    let mut world = World::new();
    let (submission, _) = world.ask(seal(b"a secret that is found if it is there"));
    let bytes = to_canonical(&submission);
    let needle = &b"a secret that is found"[..];
    assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    let mut other = submission;
    other.request.payload.remove(0);
    // Without its signature over the whole, not even the check gets so far.
    assert_eq!(refusal(&world, &other), Refusal::Holder);
}

#[test]
fn work_that_was_sealed_for_one_holder_does_nothing_in_anothers_job() {
    let mut world = World::new();
    let (alices, _) = world.ask(open());
    // Mallory is granted everything too, and asks by the book, but with Alice's work.
    let mallory = pair(21);
    let holder = mallory.public().thumbprint();
    let mut grant = world.grant();
    grant.principal = Principal::Holder(holder);
    let permit = Permit { principal: holder, ..world.permit(Operation::Decrypt) };
    let response_key = world.sealing[0].public().to_vec();
    let lifted = Submission {
        grant: world.by_owner(grant),
        permit: Some(Signed::by(permit, [&world.permit])),
        ..resigned(&alices, &mallory, |job| job.response_key = response_key)
    };
    assert_eq!(world.judge(0, &lifted, NOW).unwrap_err(), CheckError::Payload);
    // Nor in a second job of Alice's, with another key for the answer.
    let readdressed =
        resigned(&alices, &world.holder, |job| job.response_key = world.sealing[0].public().to_vec());
    assert_eq!(world.judge(0, &readdressed, NOW).unwrap_err(), CheckError::Payload);
}

#[test]
fn a_job_that_the_queue_made_itself_proves_no_holder() {
    let mut world = World::new();
    let (submission, _) = world.ask(open());
    let own = resigned(&submission, &world.permit, |_| {});
    assert_eq!(refusal(&world, &own), Refusal::Holder);
    let unsigned = Submission { job: Signed::new(submission.job.body().clone()), ..submission.clone() };
    assert_eq!(refusal(&world, &unsigned), Refusal::Holder);
    // With a grant of its own making, for a holder of its own.
    let mine = pair(99);
    let mut grant = world.grant();
    grant.principal = Principal::Holder(mine.public().thumbprint());
    let forged =
        Submission { grant: Signed::by(grant, [&world.permit]), ..resigned(&submission, &mine, |_| {}) };
    assert_eq!(refusal(&world, &forged), Refusal::Grant);
}

#[test]
fn a_job_is_refused_after_its_time_and_if_it_lives_too_long() {
    let mut world = World::new();
    let (submission, _) = world.ask(sign());
    world.judge(0, &submission, NOW + 60).unwrap();
    let late = world.judge(0, &submission, NOW + 61).unwrap_err();
    assert_eq!(late.refusal(), Refusal::Expired);
    let long = resigned(&submission, &world.holder, |job| job.expires = NOW + MAX_JOB_LIFE + 1);
    assert_eq!(refusal(&world, &long), Refusal::Expired);
}

#[test]
fn a_permit_is_needed_and_has_to_be_for_this_key_and_operation() {
    let mut world = World::new();
    let (submission, _) = world.ask(open());
    let with = |permit: Option<Permit>, by: &KeyPair| Submission {
        permit: permit.map(|permit| Signed::by(permit, [by])),
        ..submission.clone()
    };
    let good = || world.permit(Operation::Decrypt);
    let wrong = [
        with(None, &world.permit),
        with(Some(world.permit(Operation::Encrypt)), &world.permit),
        with(Some(good()), &world.holder),
        with(Some(Permit { key: "other".parse().unwrap(), ..good() }), &world.permit),
        with(Some(Permit { version: 2, ..good() }), &world.permit),
        with(Some(Permit { principal: pair(98).public().thumbprint(), ..good() }), &world.permit),
        with(Some(Permit { grant_serial: 2, ..good() }), &world.permit),
        with(Some(Permit { not_after: NOW + 61, ..good() }), &world.permit),
    ];
    for submission in &wrong {
        assert_eq!(refusal(&world, submission), Refusal::Permit);
    }
}

#[test]
fn what_the_owner_denied_is_refused() {
    let mut world = World::new();
    let jobs = [world.ask(open()).0, world.ask(generate()).0];
    let holder = world.holder.public().thumbprint();
    let denying: [&dyn Fn(&mut DenyDocument); 3] =
        [&|deny| deny.deny_holder(holder), &|deny| deny.deny_grant(1, 1), &|deny| deny.disable_key(key())];
    for deny in denying {
        let mut document = DenyDocument::nothing(world.account()).successor(NOW);
        deny(&mut document);
        let signed = world.by_owner(document);
        let verified = VerifiedDeny::verify(signed, &world.root).unwrap();
        world.denials = Denials::new(Some(&verified), []);
        for job in &jobs {
            assert_eq!(refusal(&world, job), Refusal::Denied);
        }
    }
}

#[test]
fn a_grant_that_does_not_cover_it_is_not_enough() {
    let mut world = World::new();
    let (submission, _) = world.ask(generate());
    let mut grant = world.grant();
    grant.operations = [Operation::Encrypt, Operation::Decrypt, Operation::Sign].into_iter().collect();
    let narrow = Submission { grant: world.by_owner(grant), ..submission.clone() };
    assert_eq!(refusal(&world, &narrow), Refusal::Grant);
    let mut grant = world.grant();
    grant.not_after = NOW;
    let over = Submission { grant: world.by_owner(grant), ..submission };
    assert_eq!(world.judge(0, &over, NOW + 1).unwrap_err().refusal(), Refusal::Grant);
}

#[test]
fn another_wrapped_key_than_the_holder_named_is_refused() {
    let mut world = World::new();
    let (submission, _) = world.ask(open());
    // A second key, which a driver really made, in the place of the first.
    let mut body = world.wrapped_key(KeyAlgorithm::Aes256);
    body.wrapped = vec![3, 2, 1];
    let other = Submission {
        wrapped: Some(Signed::by(body, [&world.drivers[1], &world.drivers[0]])),
        ..submission.clone()
    };
    assert_eq!(refusal(&world, &other), Refusal::WrappedKey);
    let none = Submission { wrapped: None, ..submission.clone() };
    assert_eq!(refusal(&world, &none), Refusal::WrappedKey);
    let unsigned =
        Submission { wrapped: Some(Signed::new(world.wrapped_key(KeyAlgorithm::Aes256))), ..submission };
    assert_eq!(refusal(&world, &unsigned), Refusal::WrappedKey);
}

#[test]
fn a_wrapped_key_is_valid_by_a_driver_of_its_store_alone() {
    let world = World::new();
    let body = || world.wrapped_key(KeyAlgorithm::Aes256);
    let verify = |body, by: &KeyPair| VerifiedWrappedKey::verify(Signed::by(body, [by]), &world.root);
    verify(body(), &world.drivers[0]).unwrap();
    assert!(matches!(verify(body(), &world.drivers[1]), Err(WrappedKeyError::Signature(_))));
    assert!(matches!(verify(body(), &world.permit), Err(WrappedKeyError::Signature(_))));
    let mut elsewhere = body();
    elsewhere.store = "other".parse().unwrap();
    assert!(matches!(verify(elsewhere, &world.drivers[0]), Err(WrappedKeyError::Store(_))));
    let mut halves = body();
    halves.public_key = Some(vec![1]);
    assert_eq!(verify(halves, &world.drivers[0]), Err(WrappedKeyError::Form));
    let mut long = body();
    long.wrapped = vec![0; 9000];
    assert_eq!(verify(long, &world.drivers[0]), Err(WrappedKeyError::Form));
}

#[test]
fn a_sealing_key_signs_nothing_and_a_signing_key_seals_nothing() {
    let mut world = World::new();
    let signing = world.wrapped(KeyAlgorithm::Ed25519);
    let asking = symbolon_protocol::jobs::Asking {
        scope: world.scope(),
        work: seal(b"x"),
        key: symbolon_protocol::jobs::AskedKey::Wrapped(&signing),
        grant: world.by_owner(world.grant()),
        permit: Some(Signed::by(world.permit(Operation::Encrypt), [&world.permit])),
        expires: NOW + 60,
    };
    let (submission, _) = asking.sign(&world.holder, &world.root, &mut world.rng).unwrap();
    assert_eq!(refusal(&world, &submission), Refusal::Form);
}

#[test]
fn a_retired_driver_takes_nothing_and_is_answered_nothing() {
    let mut world = World::new();
    let (before, asked) = world.ask(generate());
    let answer = Outcome::Refused(Refusal::Failed);
    let answer = answer.answer(before.job.body(), index(1), &world.drivers[0], &mut world.rng).unwrap();
    assert!(matches!(asked.open(&answer, &world.root), Ok(Outcome::Refused(Refusal::Failed))));
    let mut body = world.root.document().clone();
    (body.version, body.previous) = (2, Some(symbolon_trust::hash(world.root.document())));
    body.roster[0].retired = true;
    world.root = world.root.succeed(world.by_owner(body)).unwrap();
    assert!(matches!(world.judge(0, &before, NOW), Err(CheckError::Store(_))));
    world.judge(1, &before, NOW).unwrap();
    assert!(matches!(asked.open(&answer, &world.root), Err(ResultError::Driver(_))));
    let (after, _) = world.ask(generate());
    assert_eq!(after.request.payload.iter().map(|payload| payload.driver.get()).collect::<Vec<_>>(), [2]);
}

fn opened(asked: &Asked, result: &Signed<JobResult>, root: &TrustedRoot) -> Vec<u8> {
    let Ok(Outcome::Done(Output::Opened(secret))) = asked.open(result, root) else { panic!("not opened") };
    secret.expose().to_vec()
}

#[test]
fn a_result_is_readable_by_whoever_asked_alone() {
    let mut world = World::new();
    let (submission, asked) = world.ask(open());
    let (_, another) = world.ask(open());
    let secret = Zeroizing::new(b"the secret that was sealed once".to_vec());
    let outcome = Outcome::Done(Output::Opened(SecretBytes::new(secret)));
    let result = outcome.answer(submission.job.body(), index(2), &world.drivers[1], &mut world.rng).unwrap();
    assert_eq!(opened(&asked, &result, &world.root), b"the secret that was sealed once");
    let bytes = to_canonical(&result);
    assert!(!bytes.windows(10).any(|window| window == b"the secret"));
    assert_eq!(another.open(&result, &world.root).unwrap_err(), ResultError::Other);
    // Signed by somebody who is no driver, or by one in the name of another.
    let forged = Signed::by(result.body().clone(), [&world.permit]);
    assert!(matches!(asked.open(&forged, &world.root), Err(ResultError::Signature(_))));
    let forged = Signed::by(result.body().clone(), [&world.drivers[0]]);
    assert!(matches!(asked.open(&forged, &world.root), Err(ResultError::Signature(_))));
}

#[test]
fn the_store_that_the_driver_serves_is_the_only_one() {
    let mut world = World::new();
    let (submission, _) = world.ask(generate());
    let other = "other".parse().unwrap();
    let judge = symbolon_protocol::jobs::Judge {
        root: &world.root,
        denials: &world.denials,
        store: &other,
        index: index(1),
        key: &world.sealing[0],
    };
    assert_eq!(judge.admit(&submission, at(NOW)).unwrap_err(), CheckError::Store(label()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever an access manager changes in a job: it is no job, or it is refused.
    #[test]
    fn no_changed_job_is_admitted(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut world = World::new();
        let (job, _) = world.ask(open());
        let mut bytes = to_canonical(&job);
        bytes[place.index(to_canonical(&job).len())] ^= 1 << bit;
        if let Ok(changed) = submission(&bytes) {
            prop_assert!(world.judge(0, &changed, NOW).is_err());
        }
    }
}
