//! The driver's side: what must hold before a job is done (specification §10.2). The queue that it came from is believed in nothing.

use super::{
    outcome::Refusal,
    request::{Asker, JobId, MAX_JOB_LIFE, MAX_WORK_BYTES, Request, Scope, Subject, Submission, Work},
};
use crate::hpke::ReceiverKey;
use symbolon_fragments::names::{Index, Thumbprint};
use symbolon_trust::{
    AuthoriseError, Authorised, Denials, Denied, Grant, GrantError, Job, JobBinding, JobError, KeyAlgorithm,
    NotAdmitted, Now, Operation, PermitError, Principal, ProvenHolder, PublicKey, Seconds, Signed,
    StoreLabel, TrustedRoot, VerifiedGrant, VerifiedPermit, VerifiedWrappedKey, WrappedKey, WrappedKeyError,
};

/// A driver, as it judges jobs: what it believes about the account, and who it is there.
pub struct Judge<'a> {
    /// The root document.
    pub root: &'a TrustedRoot,
    /// What is denied.
    pub denials: &'a Denials,
    /// The store that it serves.
    pub store: &'a StoreLabel,
    /// Its number in the roster.
    pub index: Index,
    /// The key that jobs are sealed to.
    pub key: &'a ReceiverKey,
}

/// A job that may be done, and whose work could be read. Only [`Judge::admit`] makes one.
///
/// ```compile_fail,E0451
/// # fn forge(admitted: symbolon_protocol::jobs::Admitted) {
/// let other = symbolon_protocol::jobs::Admitted { wrapped: None, ..admitted };
/// # }
/// ```
#[derive(Debug)]
pub struct Admitted {
    id: JobId,
    scope: Scope,
    work: Work,
    algorithm: KeyAlgorithm,
    wrapped: Option<VerifiedWrappedKey>,
    holder: Thumbprint,
    permit: Option<[u8; 16]>,
    until: Seconds,
}

/// Why a job is refused, for the driver's log. What the requester learns of it is [`CheckError::refusal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It is another account's.
    #[error("the job is another account's")]
    Account,
    /// It would be good for too long.
    #[error("the job lives longer than {MAX_JOB_LIFE} s")]
    TooLong,
    /// The holder's signature.
    #[error("the job proves no holder")]
    Job(#[source] JobError),
    /// The grant.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The grant doesn't cover making this key.
    #[error("the grant does not allow to create this key")]
    NotGranted,
    /// There is no permit.
    #[error("the job has no permit")]
    NoPermit,
    /// The permit.
    #[error(transparent)]
    Permit(#[from] PermitError),
    /// The permit is about another key or version.
    #[error("the permit is for another key or version")]
    PermitKey,
    /// Grant, permit and holder don't agree.
    #[error(transparent)]
    Authorise(#[from] AuthoriseError),
    /// Something was taken away.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The verdict doesn't admit the operation.
    #[error(transparent)]
    Admission(#[from] NotAdmitted),
    /// It is for another store, or the driver is none of its drivers by now.
    #[error("the job is for the key store `{0}`")]
    Store(StoreLabel),
    /// Nothing is sealed to this driver, or it doesn't open.
    #[error("nothing in the job is sealed to this driver")]
    Payload,
    /// A wrapped key is missing, or there where there can't be one, or isn't the one that the holder named.
    #[error("the wrapped key is not the one that the holder asked for")]
    OtherWrappedKey,
    /// The wrapped key.
    #[error(transparent)]
    WrappedKey(#[from] WrappedKeyError),
    /// The key's algorithm doesn't do the work that is asked for, the work isn't what the request says, or it is too large.
    #[error("the request contradicts itself")]
    Form,
}

impl CheckError {
    /// What the requester is told.
    pub const fn refusal(&self) -> Refusal {
        match self {
            Self::TooLong | Self::Job(JobError::Expired { .. }) => Refusal::Expired,
            Self::Job(JobError::Other | JobError::Unsigned | JobError::Signature(_)) => Refusal::Holder,
            Self::Grant(_) | Self::NotGranted => Refusal::Grant,
            Self::Denied(_) | Self::Authorise(AuthoriseError::Denied(_)) => Refusal::Denied,
            Self::NoPermit
            | Self::Permit(_)
            | Self::PermitKey
            | Self::Admission(_)
            | Self::Authorise(
                AuthoriseError::Account
                | AuthoriseError::Grant
                | AuthoriseError::GrantHolder
                | AuthoriseError::PermitHolder
                | AuthoriseError::NotGranted,
            ) => Refusal::Permit,
            Self::Account | Self::Store(_) | Self::Payload => Refusal::Store,
            Self::OtherWrappedKey | Self::WrappedKey(_) => Refusal::WrappedKey,
            Self::Form => Refusal::Form,
        }
    }
}

impl Judge<'_> {
    /// Checks everything: account, holder and time; grant, permit and what is denied; store and wrapped key; then, and only
    /// then, opens the work.
    pub fn admit(&self, submission: &Submission, now: Now) -> Result<Admitted, CheckError> {
        let (request, job) = (&submission.request, submission.job.body());
        let holder = self.holder(submission, now)?;
        let grant = VerifiedGrant::verify(&submission.grant, self.root, now)?;
        let until = match request.operation {
            Operation::Create => self.creating(submission, &grant, &holder)?,
            operation => self.using(submission, &grant, &holder, operation, now)?,
        };
        self.check_store(&request.store)?;
        let (algorithm, wrapped) = self.subject(submission)?;
        let asker = Asker { holder: holder.thumbprint(), response_key: &job.response_key };
        let work = request.open(asker, self.index, self.key).ok_or(CheckError::Payload)?;
        if work.operation() != request.operation || work.len() > MAX_WORK_BYTES {
            return Err(CheckError::Form);
        }
        Ok(Admitted {
            id: JobId::of(job),
            scope: request.scope(),
            work,
            algorithm,
            wrapped,
            holder: holder.thumbprint(),
            permit: submission.permit.as_ref().map(|permit| permit.body().id),
            until: until.min(job.expires),
        })
    }

    /// The holder that the grant names, who must have signed this very request, not long ago.
    fn holder(&self, submission: &Submission, now: Now) -> Result<ProvenHolder, CheckError> {
        let job = submission.job.body();
        let accounts = [job.account, submission.request.account];
        if accounts != [self.root.account(); 2] {
            return Err(CheckError::Account);
        }
        if job.expires > now.time() + MAX_JOB_LIFE {
            return Err(CheckError::TooLong);
        }
        let holder = granted(submission.grant.body(), &submission.job).map_err(CheckError::Job)?;
        let binding = JobBinding { account: self.root.account(), request: submission.request.hash() };
        ProvenHolder::by_job(&submission.job, holder, &binding, now).map_err(CheckError::Job)
    }

    /// Making a key takes no permit, as with fragments: what the grant says, and that nothing was taken away.
    fn creating(
        &self,
        submission: &Submission,
        grant: &VerifiedGrant,
        holder: &ProvenHolder,
    ) -> Result<Seconds, CheckError> {
        let (key, grant) = (&submission.request.key, grant.grant());
        if !grant.covers(key, Operation::Create) {
            return Err(CheckError::NotGranted);
        }
        self.denials.check_holder(holder.thumbprint())?;
        self.denials.check_grant(grant.id, grant.serial)?;
        self.denials.check_key(key)?;
        Ok(grant.not_after)
    }

    /// Using a key takes all three: grant, permit, holder.
    fn using(
        &self,
        submission: &Submission,
        grant: &VerifiedGrant,
        holder: &ProvenHolder,
        operation: Operation,
        now: Now,
    ) -> Result<Seconds, CheckError> {
        let permit = submission.permit.as_ref().ok_or(CheckError::NoPermit)?;
        let permit = VerifiedPermit::verify(permit, self.root, now)?;
        let authorised = Authorised::check(grant, &permit, holder, self.denials)?;
        let request = &submission.request;
        if (authorised.key(), authorised.version()) != (&request.key, request.version) {
            return Err(CheckError::PermitKey);
        }
        authorised.admit(operation, now)?;
        Ok(authorised.not_after())
    }

    fn check_store(&self, store: &StoreLabel) -> Result<(), CheckError> {
        let other = || CheckError::Store(store.clone());
        let served =
            self.root.document().key_store(store).filter(|_| store == self.store).ok_or_else(other)?;
        let active = served.active(self.root).any(|(driver, _)| driver.index == self.index);
        if active { Ok(()) } else { Err(other()) }
    }

    /// The key that the holder named by the hash of its wrapped form, which must be that key version's, in that store; or the
    /// kind of key that is to be made.
    fn subject(
        &self,
        submission: &Submission,
    ) -> Result<(KeyAlgorithm, Option<VerifiedWrappedKey>), CheckError> {
        let request = &submission.request;
        if request.version == 0 {
            return Err(CheckError::Form);
        }
        match (request.subject, &submission.wrapped, request.operation == Operation::Create) {
            (Subject::New(algorithm), None, true) => Ok((algorithm, None)),
            (Subject::Wrapped(hash), Some(signed), false) => {
                let wrapped = self.wrapped(request, hash, signed.clone())?;
                Ok((wrapped.key().algorithm, Some(wrapped)))
            }
            _ => Err(CheckError::OtherWrappedKey),
        }
    }

    fn wrapped(
        &self,
        request: &Request,
        hash: [u8; 32],
        signed: Signed<WrappedKey>,
    ) -> Result<VerifiedWrappedKey, CheckError> {
        let wrapped = VerifiedWrappedKey::verify(signed, self.root)?;
        let key = wrapped.key();
        let named = wrapped.hash() == hash
            && (&key.key, key.version, &key.store) == (&request.key, request.version, &request.store);
        if !named {
            return Err(CheckError::OtherWrappedKey);
        }
        if key.algorithm.signs() != (request.operation == Operation::Sign) {
            return Err(CheckError::Form);
        }
        Ok(wrapped)
    }
}

/// The key, among those that signed, of the holder that a grant names.
fn granted(grant: &Grant, job: &Signed<Job>) -> Result<PublicKey, JobError> {
    let Principal::Holder(holder) = grant.principal;
    let signers = job.signatures().iter().map(|(key, _)| *key);
    signers.into_iter().find(|key| key.thumbprint() == holder).ok_or(JobError::Unsigned)
}

impl Admitted {
    /// The job's name.
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// What it is about.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What is to be done.
    pub const fn work(&self) -> &Work {
        &self.work
    }

    /// What is to be done, taken over.
    pub fn into_work(self) -> Work {
        self.work
    }

    /// What kind of key it is, or is to be.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The key that is to be used; none where one is to be made.
    pub const fn wrapped(&self) -> Option<&VerifiedWrappedKey> {
        self.wrapped.as_ref()
    }

    /// Who asks.
    pub const fn holder(&self) -> Thumbprint {
        self.holder
    }

    /// The permit's id, by which it can be found in the audit log; none where a key is made.
    pub const fn permit(&self) -> Option<[u8; 16]> {
        self.permit
    }

    /// Until when it may be done: as long as job, grant and permit are all good.
    pub const fn until(&self) -> Seconds {
        self.until
    }
}
