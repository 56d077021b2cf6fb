//! The holder's side: making a job, and opening what a driver answers (specification §10.1, §10.4).

use super::{
    outcome::{JobResult, Outcome, result_info},
    request::{Asker, JobId, MAX_JOB_LIFE, MAX_WORK_BYTES, Request, Scope, Subject, Submission, Work},
    secret::decode_secret,
};
use crate::hpke::ReceiverKey;
use rand_core::CryptoRng;
use symbolon_fragments::names::Index;
use symbolon_trust::{
    Grant, Job, KeyAlgorithm, KeyPair, Member, Permit, Seconds, SignatureError, Signed, StoreLabel,
    TrustedRoot, VerifiedWrappedKey,
};

/// A job that is to be made.
pub struct Asking<'a> {
    /// What it is about.
    pub scope: Scope,
    /// What is to be done.
    pub work: Work,
    /// The key that is to be used, or made.
    pub key: AskedKey<'a>,
    /// The holder's grant.
    pub grant: Signed<Grant>,
    /// The access manager's permit; none where a key is to be made.
    pub permit: Option<Signed<Permit>>,
    /// Until when it may be done; at most [`MAX_JOB_LIFE`] from now.
    pub expires: Seconds,
}

/// Which key a job is to be about.
#[derive(Clone, Copy)]
pub enum AskedKey<'a> {
    /// One that there is.
    Wrapped(&'a VerifiedWrappedKey),
    /// One that is to be made.
    New(KeyAlgorithm),
}

/// Why no job can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// The root document knows no such store.
    #[error("the account has no key store `{0}`")]
    Store(StoreLabel),
    /// The store has no driver that isn't retired.
    #[error("the key store `{0}` has no driver")]
    NoDriver(StoreLabel),
    /// A driver's sealing key in the root document is none.
    #[error("a driver's sealing key is not an X-Wing key")]
    SealingKey,
    /// The work is too large.
    #[error("a job carries at most {MAX_WORK_BYTES} bytes")]
    TooLarge,
}

impl Asking<'_> {
    /// Seals the work to the store's drivers and signs the job.
    pub fn sign(
        self,
        holder: &KeyPair,
        root: &TrustedRoot,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Submission, Asked), NotAsked> {
        if self.work.len() > MAX_WORK_BYTES {
            return Err(NotAsked::TooLarge);
        }
        let label = &self.scope.store;
        let store = root.document().key_store(label).ok_or_else(|| NotAsked::Store(label.clone()))?;
        let (subject, wrapped) = match self.key {
            AskedKey::Wrapped(key) => (Subject::Wrapped(key.hash()), Some(key.signed().clone())),
            AskedKey::New(algorithm) => (Subject::New(algorithm), None),
        };
        let response = ReceiverKey::generate(rng);
        let asker = Asker { holder: holder.public().thumbprint(), response_key: response.public() };
        let request = Request::seal(&self.scope, subject, &self.work, asker, store, root, rng);
        let request = request.ok_or(NotAsked::SealingKey)?;
        if request.payload.is_empty() {
            return Err(NotAsked::NoDriver(label.clone()));
        }
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let job = Job {
            account: self.scope.account,
            request: request.hash(),
            response_key: response.public().to_vec(),
            nonce,
            expires: self.expires,
        };
        let pending = Asked { id: JobId::of(&job), scope: self.scope, expires: self.expires, response };
        let (grant, permit) = (self.grant, self.permit);
        Ok((Submission { job: Signed::by(job, [holder]), request, grant, permit, wrapped }, pending))
    }
}

/// A job that was asked for: what it takes to read the answer. Only this has the key to it.
#[derive(Debug)]
pub struct Asked {
    id: JobId,
    scope: Scope,
    expires: Seconds,
    response: ReceiverKey,
}

/// Why an answer is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// To another job.
    #[error("the result belongs to another job")]
    Other,
    /// From a member that is not a driver of the store, or has retired.
    #[error("member {0} is not a driver of the key's store")]
    Driver(Index),
    /// The driver didn't sign it.
    #[error("the result is not signed by the driver that it names")]
    Signature(#[from] SignatureError),
    /// It doesn't open, or isn't an answer.
    #[error("the result does not open")]
    Sealed,
}

impl Asked {
    /// The job's name.
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// What it is about.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Until when it may be done.
    pub const fn expires(&self) -> Seconds {
        self.expires
    }

    /// Checks that a driver of the store signed the result, for this job, and opens it.
    pub fn open(&self, signed: &Signed<JobResult>, root: &TrustedRoot) -> Result<Outcome, ResultError> {
        let result = signed.body();
        if result.account != self.scope.account || result.job != self.id {
            return Err(ResultError::Other);
        }
        let driver = self.driver(result.driver, root).ok_or(ResultError::Driver(result.driver))?;
        signed.check([&driver.key], 1)?;
        let info = result_info(&result.account, &result.job, result.driver);
        let opened = self.response.open(&info, &result.encapsulated, &result.sealed);
        opened.and_then(|plain| decode_secret(&plain)).ok_or(ResultError::Sealed)
    }

    fn driver<'r>(&self, index: Index, root: &'r TrustedRoot) -> Option<&'r Member> {
        let store = root.document().key_store(&self.scope.store)?;
        store.active(root).map(|(_, member)| member).find(|member| member.index == index)
    }
}

/// The latest that a job made at this time may expire.
pub const fn latest_expiry(now: Seconds) -> Seconds {
    Seconds(now.0.saturating_add(MAX_JOB_LIFE))
}
