//! Who holds a key, and how that is proven: by a channel or by a signed job (specification §2.2, §2.10).

use crate::{
    keys::{PublicKey, WrongSignature},
    signed::{Document, Signed},
    time::{Now, Seconds},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_fragments::names::{AccountId, Thumbprint};

/// Whom a grant is for. Further kinds (token with `cnf.jkt`, certificate name) join by a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(flat)]
pub enum Principal {
    /// The holder of the key with this thumbprint.
    #[n(0)]
    Holder(#[n(0)] Thumbprint),
}

impl Principal {
    /// Whether a proven holder is this principal.
    pub fn is(&self, holder: &ProvenHolder) -> bool {
        match self {
            Self::Holder(thumbprint) => *thumbprint == holder.thumbprint(),
        }
    }
}

/// A holder's key that was used just now: on the channel that the request came by, or under the job.
///
/// ```compile_fail,E0451
/// # fn forge(key: symbolon_trust::PublicKey) {
/// let thumbprint = key.thumbprint();
/// let holder = symbolon_trust::ProvenHolder { key, thumbprint };
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenHolder {
    key: PublicKey,
    thumbprint: Thumbprint,
}

impl ProvenHolder {
    /// The holder whose key a TLS handshake proved.
    ///
    /// Only for the channel crate, on the key of a peer certificate whose `CertificateVerify` (RFC 8446 §4.4.3) was
    /// verified: this is the one witness that the type system can't tie to its proof.
    pub fn by_channel(key: PublicKey) -> Self {
        Self { key, thumbprint: key.thumbprint() }
    }

    /// The holder who signed this job, for this account and request, in time.
    pub fn by_job(
        signed: &Signed<Job>,
        holder: PublicKey,
        expected: &JobBinding,
        now: Now,
    ) -> Result<Self, JobError> {
        let job = signed.body();
        if job.account != expected.account || job.request != expected.request {
            return Err(JobError::Other);
        }
        if now.time() > job.expires {
            return Err(JobError::Expired { expires: job.expires, now: now.time() });
        }
        let signature = signed.signature_of(&holder).ok_or(JobError::Unsigned)?;
        crate::signed::verify(&holder, job, signature)?;
        Ok(Self::by_channel(holder))
    }

    /// The holder's key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key's thumbprint: the holder's name.
    pub const fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }
}

/// The holder's signature over a request, where there is no channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Job {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The hash of the request that is to be done.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub request: [u8; 32],
    /// The key that the answer is sealed to.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub response_key: Vec<u8>,
    /// Makes the job the only one of its kind; a server remembers it until the job expires.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// Until when it may be done, inclusive.
    #[n(4)]
    pub expires: Seconds,
}

impl Document for Job {
    const LABEL: &'static str = "job";
}

/// What a job must be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobBinding {
    /// The account.
    pub account: AccountId,
    /// The hash of the request at hand.
    pub request: [u8; 32],
}

/// Why a job proves no holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Of another account, or over another request.
    #[error("the job is about another account or request")]
    Other,
    /// Too old.
    #[error("the job expired at {expires}; it is {now} (Unix seconds)")]
    Expired {
        /// Until when it could be done.
        expires: Seconds,
        /// The time of the check.
        now: Seconds,
    },
    /// The holder's signature is not on it.
    #[error("the holder has not signed the job")]
    Unsigned,
    /// The holder's signature is wrong.
    #[error(transparent)]
    Signature(#[from] WrongSignature),
}
