//! What a driver answers: an output or a refusal, sealed to whoever asked, and signed (specification §10.4).

use super::{
    request::JobId,
    secret::{SecretBytes, encode_secret},
};
use crate::hpke::seal;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use symbolon_encoding::Tuple;
use symbolon_fragments::names::{AccountId, Index};
use symbolon_trust::{Document, Job, KeyPair, Signed, WrappedKey};

/// What came of a job.
#[derive(Debug, Encode, Decode)]
#[cbor(flat)]
pub enum Outcome {
    /// It was done.
    #[n(0)]
    Done(#[n(0)] Output),
    /// It was not, and trying again doesn't help.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// What was made.
#[derive(Debug, Encode, Decode)]
#[cbor(flat)]
pub enum Output {
    /// A secret, sealed.
    #[n(1)]
    Sealed(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// A secret, opened.
    #[n(2)]
    Opened(#[n(0)] SecretBytes),
    /// A key, wrapped.
    #[n(3)]
    Generated(#[n(0)] Signed<WrappedKey>),
    /// A signature.
    #[n(5)]
    Signature(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

/// Why a driver doesn't do a job. What it can't do just now, it leaves to others ([`Trouble`](super::Trouble)) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
pub enum Refusal {
    /// The job's time is over, or longer than a job may live.
    #[n(1)]
    #[error("the job's time is over, or longer than a job may live")]
    Expired,
    /// The granted holder hasn't signed this request.
    #[n(2)]
    #[error("the job is not signed by the holder that the grant names")]
    Holder,
    /// The grant isn't valid, or doesn't allow it.
    #[n(3)]
    #[error("the grant is not valid or does not allow it")]
    Grant,
    /// The permit isn't valid, doesn't fit the grant, or doesn't allow it.
    #[n(4)]
    #[error("the permit is not valid or does not allow it")]
    Permit,
    /// The owner denied the holder, the grant or the key.
    #[n(5)]
    #[error("the owner has revoked the grant or the holder, or disabled the key")]
    Denied,
    /// The driver doesn't serve the store that is named, or nothing in the job is sealed to it.
    #[n(6)]
    #[error("the driver does not serve this key store")]
    Store,
    /// The wrapped key isn't the one that was asked for, or no driver of the store signed it.
    #[n(7)]
    #[error("the wrapped key is not the one that the holder asked for")]
    WrappedKey,
    /// The request contradicts itself.
    #[n(8)]
    #[error("the request contradicts itself")]
    Form,
    /// The HSM refuses key or ciphertext: changed, another's, or of another context.
    #[n(9)]
    #[error("the HSM does not open it: it was changed, or belongs to another key or context")]
    Integrity,
    /// The HSM lacks a mechanism or an algorithm that it takes.
    #[n(10)]
    #[error("the HSM lacks what it takes")]
    Unsupported,
    /// The provider or the HSM failed in a way that trying again won't mend.
    #[n(11)]
    #[error("the HSM or its provider failed")]
    Failed,
}

/// A driver's answer to a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JobResult {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The job.
    #[n(1)]
    pub job: JobId,
    /// The driver.
    #[n(2)]
    pub driver: Index,
    /// HPKE's encapsulated key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// The outcome, sealed to the job's response key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Document for JobResult {
    const LABEL: &'static str = "job-result";
}

/// The job names a response key that is none: nobody can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the job's response key is not an X-Wing key")]
pub struct NotAnswered;

impl Outcome {
    /// Seals it to whoever asked, and signs it.
    pub fn answer(
        &self,
        job: &Job,
        driver: Index,
        identity: &KeyPair,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<JobResult>, NotAnswered> {
        let id = JobId::of(job);
        let secrets = match self {
            Self::Done(Output::Opened(secret)) => secret.expose().len(),
            _ => 0,
        };
        let plain = encode_secret(self, secrets);
        let info = result_info(&job.account, &id, driver);
        let (encapsulated, sealed) = seal(&job.response_key, &info, &plain, rng).ok_or(NotAnswered)?;
        let body = JobResult { account: job.account, job: id, driver, encapsulated, sealed };
        Ok(Signed::by(body, [identity]))
    }
}

/// What a sealed outcome is bound to.
pub(super) fn result_info(account: &AccountId, job: &JobId, driver: Index) -> Vec<u8> {
    Tuple::new("job-outcome").value(account).value(job).value(&driver).encode()
}
