//! The queue of jobs for HSM drivers, over the real interface: one job a signature, one driver a lease, one result for good.

mod harness;

use harness::{
    Client, Site, config, directory, now, pair,
    world::{World, document},
};
use rand_core::UnwrapErr;
use symbolon_encoding::to_canonical;
use symbolon_keychain::{Root, State, Tenant, TenantKey};
use symbolon_protocol::api::{
    self, Document, Id, Job, JobAnswer, JobGiveBack, JobPage, JobPost, JobQuery, JobReceipt, JobRenewal,
    JobState, JobTrouble, Labels, LeasedJob, ProblemType, SignedDocument, path,
};
use symbolon_protocol::hpke::ReceiverKey;
use symbolon_protocol::jobs::{
    Asked, AskedKey, Asking, LEASE, Outcome, Output, Refusal, Scope, Submission, Work,
};
use symbolon_trust::{
    KeyAlgorithm, KeyPair, KeyStore, Member, MemberKind, Operation, Seconds, Signed, StoreDriver, WrappedKey,
};
use tempfile::TempDir;

fn system() -> impl rand_core::CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn index(number: u16) -> symbolon_fragments::names::Index {
    symbolon_fragments::names::Index::new(number).unwrap()
}

/// An account with a key store of two drivers, and a holder who may do everything.
struct Hsm {
    world: World,
    site: Site,
    holder: Client,
    drivers: [KeyPair; 2],
    _directory: TempDir,
}

impl Hsm {
    async fn open(change: impl FnOnce(&mut symbolon_access_manager::Config)) -> Self {
        let mut world = World::unreachable("hsm", 40);
        let directory = directory(&[&world]);
        let mut config = config(directory.path());
        change(&mut config);
        let site = Site::start(&config).await;
        let drivers = [pair(60), pair(61)];
        let successor = world.succeed(|root| {
            let entry = |number: u16, key: &KeyPair| Member {
                index: index(number),
                kind: MemberKind::Driver,
                name: format!("hsm-{number}"),
                key: key.public(),
                address: String::new(),
                operator: String::new(),
                cloud: String::new(),
                region: String::new(),
                retired: false,
            };
            let driver = |number: u16| StoreDriver {
                index: index(number),
                sealing_key: ReceiverKey::generate(&mut system()).public().to_vec(),
            };
            root.roster.extend([entry(4, &drivers[0]), entry(5, &drivers[1])]);
            root.key_stores = vec![KeyStore {
                label: "prod".parse().unwrap(),
                check_value: vec![1; 32],
                drivers: vec![driver(4), driver(5)],
            }];
        });
        site.client(&world.owner).put(&world.path(path::ROOT), &successor).await.done();
        let holder = site.client(&world.holder);
        let hsm = Self { world, site, holder, drivers, _directory: directory };
        let grant = hsm.world.grant(1, 1, "*", &hsm.world.holder, &Operation::ALL);
        hsm.holder.post(&hsm.world.path(path::GRANTS), &document(&grant)).await.done();
        hsm
    }

    /// A job to make a key, by the holder.
    fn job(&self, key: &str, version: u64, life: u64) -> (Submission, Asked) {
        let asking = Asking {
            scope: Scope {
                account: self.world.account(),
                store: "prod".parse().unwrap(),
                key: key.parse().unwrap(),
                version,
            },
            work: Work::Generate,
            key: AskedKey::New(KeyAlgorithm::Aes256),
            grant: self.world.grant(1, 1, "*", &self.world.holder, &Operation::ALL),
            permit: None,
            expires: Seconds(now() + life),
        };
        asking.sign(&self.world.holder, &self.world.root, &mut system()).unwrap()
    }

    async fn hand_in(&self, submission: &Submission) -> harness::Answer {
        let post = JobPost { submission: to_canonical(submission).into(), labels: Labels::new() };
        self.holder.post(&self.world.path(path::JOBS), &post).await
    }

    fn driver(&self, number: usize) -> Client {
        self.site.client(&self.drivers[number])
    }

    async fn lease(&self, number: usize) -> Vec<LeasedJob> {
        let process = Id([u8::try_from(number).unwrap(); 32]);
        let query = JobQuery { process, limit: 8, wait: 0 };
        let path = self.world.path(path::JOBS_LEASE);
        self.driver(number).post(&path, &query).await.ok::<JobPage>().jobs
    }

    fn of(&self, template: &str, job: Id) -> String {
        path::of_job(template, &self.world.id(), &job)
    }

    /// What a driver answers to a job.
    fn answer(&self, number: usize, submission: &Submission, outcome: &Outcome) -> JobAnswer {
        let index = index(u16::try_from(number + 4).unwrap());
        let result = outcome.answer(submission.job.body(), index, &self.drivers[number], &mut system());
        JobAnswer { result: to_canonical(&result.unwrap()).into() }
    }

    fn made(&self, submission: &Submission) -> Signed<WrappedKey> {
        let request = &submission.request;
        let wrapped = WrappedKey {
            account: request.account,
            key: request.key.clone(),
            version: request.version,
            store: request.store.clone(),
            algorithm: KeyAlgorithm::Aes256,
            wrapped: vec![5; 40],
            public_key: None,
            request: *submission.id().as_bytes(),
            driver: index(4),
            created: Seconds(now()),
        };
        Signed::by(wrapped, [&self.drivers[0]])
    }
}

fn refused() -> Outcome {
    Outcome::Refused(Refusal::Failed)
}

#[tokio::test]
async fn a_key_is_made_by_a_job_and_can_be_used_once_its_wrapped_key_is_handed_in() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, asked) = hsm.job("acme-root", 1, 60);
    let job: Job = hsm.hand_in(&submission).await.ok();
    assert_eq!((job.state, job.trouble), (JobState::Waiting, Some(JobTrouble::NoDriver)));
    let leased = hsm.lease(0).await;
    assert_eq!(leased.len(), 1);
    let made = hsm.made(&submission);
    let answer = hsm.answer(0, &submission, &Outcome::Done(Output::Generated(made.clone())));
    let path = hsm.of(path::JOB_RESULT, job.job);
    assert!(hsm.driver(0).post(&path, &answer).await.ok::<JobReceipt>().counts);
    let done: Job = hsm.holder.get(&hsm.of(path::JOB, job.job)).await.ok();
    let result = symbolon_encoding::from_canonical(&done.result.unwrap().0).unwrap();
    let Ok(Outcome::Done(Output::Generated(opened))) = asked.open(&result, &hsm.world.root) else { panic!() };
    assert_eq!(opened, made);

    let certificate = path::certificate(&hsm.world.id(), "acme-root", 1);
    let body = |signed: &Signed<WrappedKey>| SignedDocument { document: to_canonical(signed).into() };
    let mut other = made.body().clone();
    other.request = [0; 32];
    let other = Signed::by(other, [&hsm.drivers[0]]);
    hsm.holder.put(&certificate, &body(&other)).await.problem(ProblemType::InvalidDocument);
    hsm.holder.put(&certificate, &body(&made)).await.done();
    let key: api::Key = hsm.holder.get(&path::key(&hsm.world.id(), "acme-root")).await.ok();
    assert_eq!((key.summary.store.as_str(), key.summary.suite.as_str()), ("prod", "aes-256"));
    assert_eq!((key.summary.state, key.summary.purpose), (api::KeyState::Active, api::Purpose::Wrap));
    assert_eq!(key.all_versions[0].wrapped_key, Some(Document(to_canonical(&made))));
    // The id is taken for good; the next version is 2, in the same store.
    let (again, _) = hsm.job("acme-root", 1, 60);
    hsm.hand_in(&again).await.problem(ProblemType::KeyExists);
    let (third, _) = hsm.job("acme-root", 3, 60);
    hsm.hand_in(&third).await.problem(ProblemType::Superseded);
    hsm.hand_in(&hsm.job("acme-root", 2, 60).0).await.done();
}

#[tokio::test]
async fn a_replaced_grant_makes_no_key() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, _) = hsm.job("acme-root", 1, 60);
    let later = hsm.world.grant(1, 2, "*", &hsm.world.holder, &[Operation::Decrypt]);
    hsm.holder.post(&hsm.world.path(path::GRANTS), &document(&later)).await.done();
    hsm.hand_in(&submission).await.problem(ProblemType::Superseded);
}

#[tokio::test]
async fn an_hsms_key_does_not_take_a_tenants_name() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, _) = hsm.job("acme-root", 1, 60);
    hsm.hand_in(&submission).await.done();
    let certificate = SignedDocument { document: to_canonical(&hsm.made(&submission)).into() };
    hsm.holder.put(&path::certificate(&hsm.world.id(), "acme-root", 1), &certificate).await.done();
    let root = Root { account: hsm.world.account(), key: "acme-root".parse().unwrap(), state: State::Active };
    let tenant = Tenant { root, id: "acme".parse().unwrap(), version: 1, state: State::Active };
    let fresh = TenantKey::generate(tenant.permit().unwrap(), &mut system());
    let wrapped = api::WrappedKey { wrapped: fresh.sealed(vec![1]).1.to_bytes().into() };
    hsm.holder.post(&hsm.world.path(path::TENANTS), &wrapped).await.done();
    hsm.hand_in(&hsm.job("acme", 1, 60).0).await.problem(ProblemType::KeyExists);
}

#[tokio::test]
async fn the_same_job_is_one_job_and_nobody_elses() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, _) = hsm.job("acme-root", 1, 60);
    let one: Job = hsm.hand_in(&submission).await.ok();
    let two: Job = hsm.hand_in(&submission).await.ok();
    assert_eq!(one.job, two.job);
    assert_eq!(hsm.lease(0).await.len(), 1);
    // Another party of the account neither sees it nor hands it in.
    let grant = hsm.world.grant(2, 1, "*", &hsm.world.other, &Operation::ALL);
    let other = hsm.site.client(&hsm.world.other);
    other.post(&hsm.world.path(path::GRANTS), &document(&grant)).await.done();
    other.get(&hsm.of(path::JOB, one.job)).await.problem(ProblemType::NotFound);
    let (second, _) = hsm.job("other-root", 1, 60);
    let post = JobPost { submission: to_canonical(&second).into(), labels: Labels::new() };
    other.post(&hsm.world.path(path::JOBS), &post).await.problem(ProblemType::InvalidDocument);
}

#[tokio::test]
async fn a_job_has_one_driver_at_a_time_and_one_result() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, _) = hsm.job("acme-root", 1, 60);
    let job: Job = hsm.hand_in(&submission).await.ok();
    let first = hsm.lease(0).await.remove(0);
    assert!(hsm.lease(1).await.is_empty(), "the first driver has it");
    let renewal = |lease| JobRenewal { lease };
    let renew = hsm.of(path::JOB_LEASE, job.job);
    hsm.driver(0).post(&renew, &renewal(first.lease)).await.done();
    hsm.driver(1).post(&renew, &renewal(Id([9; 32]))).await.problem(ProblemType::LeaseLost);
    // Given back, it goes to the other one, and its holder hears why it waits.
    let back = JobGiveBack { lease: first.lease, trouble: JobTrouble::TokenAbsent };
    hsm.driver(0).post(&hsm.of(path::JOB_GIVE_BACK, job.job), &back).await.done();
    let waiting: Job = hsm.holder.get(&hsm.of(path::JOB, job.job)).await.ok();
    assert_eq!((waiting.state, waiting.trouble), (JobState::Waiting, Some(JobTrouble::TokenAbsent)));
    assert_eq!(hsm.lease(1).await.len(), 1);
    // A result is the driver's own, and the first one stays.
    let path = hsm.of(path::JOB_RESULT, job.job);
    let (ours, theirs) = (hsm.answer(1, &submission, &refused()), hsm.answer(0, &submission, &refused()));
    hsm.driver(0).post(&path, &ours).await.problem(ProblemType::Malformed);
    hsm.holder.post(&path, &ours).await.problem(ProblemType::Denied);
    assert!(hsm.driver(0).post(&path, &theirs).await.ok::<JobReceipt>().counts, "the work is done");
    assert!(!hsm.driver(1).post(&path, &ours).await.ok::<JobReceipt>().counts);
    assert!(hsm.driver(0).post(&path, &theirs).await.ok::<JobReceipt>().counts, "the same again");
    let done: Job = hsm.holder.get(&hsm.of(path::JOB, job.job)).await.ok();
    assert_eq!(done.result, Some(theirs.result));
}

#[tokio::test]
async fn a_lease_ends_and_a_job_older_than_its_time_is_over() {
    let hsm = Hsm::open(|_| {}).await;
    let (submission, _) = hsm.job("acme-root", 1, LEASE + 2);
    let job: Job = hsm.hand_in(&submission).await.ok();
    let first = hsm.lease(0).await.remove(0);
    // A waiting driver is given it when the lease has ended, though nobody tells of that.
    let query = JobQuery { process: Id([1; 32]), limit: 1, wait: 20 };
    let taken: JobPage = hsm.driver(1).post(&hsm.world.path(path::JOBS_LEASE), &query).await.ok();
    assert_eq!(taken.jobs[0].job, first.job);
    let renew = hsm.of(path::JOB_LEASE, job.job);
    let lost = JobRenewal { lease: first.lease };
    hsm.driver(0).post(&renew, &lost).await.problem(ProblemType::LeaseLost);
    // Its holder waits until it is over, and no longer.
    let waited: Job = hsm.holder.get(&format!("{}?wait=20", hsm.of(path::JOB, job.job))).await.ok();
    assert_eq!(waited.result, None);
    while now() <= job.expires {
        hsm.holder.get(&format!("{}?wait=1", hsm.of(path::JOB, job.job))).await.done();
    }
    let late = hsm.answer(1, &submission, &refused());
    hsm.driver(1).post(&hsm.of(path::JOB_RESULT, job.job), &late).await.problem(ProblemType::JobExpired);
    let renewal = JobRenewal { lease: taken.jobs[0].lease };
    hsm.driver(1).post(&renew, &renewal).await.problem(ProblemType::JobExpired);
    hsm.hand_in(&hsm.job("late", 1, 0).0).await.done();
    hsm.hand_in(&hsm.job("too-long", 1, 200).0).await.problem(ProblemType::Malformed);
}

#[tokio::test]
async fn the_queue_is_bounded_and_for_drivers_alone() {
    let hsm = Hsm::open(|config| config.limits.jobs = 2).await;
    for key in ["one", "two"] {
        hsm.hand_in(&hsm.job(key, 1, 60).0).await.done();
    }
    hsm.hand_in(&hsm.job("three", 1, 60).0).await.problem(ProblemType::RateLimited);
    let query = JobQuery { process: Id([3; 32]), limit: 8, wait: 0 };
    let path = hsm.world.path(path::JOBS_LEASE);
    hsm.holder.post(&path, &query).await.problem(ProblemType::Denied);
    hsm.site.client(&hsm.world.members[0]).post(&path, &query).await.problem(ProblemType::Denied);
    let none = JobQuery { limit: 0, ..query };
    hsm.driver(0).post(&path, &none).await.problem(ProblemType::Malformed);
    assert_eq!(hsm.lease(0).await.len(), 2);
    // Two processes with one identity: the second is told so.
    let twin = JobQuery { process: Id([4; 32]), ..query };
    hsm.driver(0).post(&path, &twin).await.problem(ProblemType::DriverTwice);
}
