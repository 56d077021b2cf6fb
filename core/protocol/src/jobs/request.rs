//! What is asked for: the request, its sealed work, and everything that goes with it to a driver (specification §10.1).

use super::secret::{SecretBytes, decode_secret, encode_secret};
use crate::hpke::{ReceiverKey, seal};
use alloc::vec::Vec;
use core::{fmt, str::FromStr};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use symbolon_encoding::{DecodeError, Tuple, from_canonical};
use symbolon_fragments::names::{AccountId, Index, KeyId, Thumbprint};
use symbolon_trust::{
    Grant, Job, KeyAlgorithm, KeyStore, Operation, Permit, Signed, StoreLabel, TrustedRoot, WrappedKey, hash,
};
use zeroize::Zeroizing;

/// The longest life of a job, in seconds. A driver remembers what it answered for as long.
pub const MAX_JOB_LIFE: u64 = 120;

/// Most bytes of one job's work: what is to be sealed, opened or signed, with its context.
pub const MAX_WORK_BYTES: usize = 32 * 1024;

/// A job's name, and what makes it happen once: the hash of what the holder signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct JobId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

/// Text that is no job's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job's name is 64 lower-case hexadecimal digits")]
pub struct WrongJobId;

impl JobId {
    /// The job with this name.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The name of what was signed.
    pub fn of(job: &Job) -> Self {
        Self(hash(job))
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = WrongJobId;

    fn from_str(text: &str) -> Result<Self, WrongJobId> {
        text.parse::<crate::api::Id>().map(|id| Self(id.0)).map_err(|_| WrongJobId)
    }
}

/// What a job is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The account.
    pub account: AccountId,
    /// Where the key is, or is to be.
    pub store: StoreLabel,
    /// The key.
    pub key: KeyId,
    /// Its version.
    pub version: u64,
}

/// What a driver is to do. Only drivers of the store read it.
#[derive(Debug, Encode, Decode)]
#[cbor(flat)]
pub enum Work {
    /// Seal a secret, bound to a context.
    #[n(1)]
    Seal {
        /// SHA-256 of the context's canonical encoding (specification §4.2).
        #[cbor(n(0), with = "minicbor::bytes")]
        context: [u8; 32],
        /// The secret.
        #[n(1)]
        secret: SecretBytes,
    },
    /// Open a sealed secret.
    #[n(2)]
    Open {
        /// SHA-256 of the canonical encoding of the context that it was sealed with.
        #[cbor(n(0), with = "minicbor::bytes")]
        context: [u8; 32],
        /// What the HSM sealed.
        #[cbor(n(1), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// Make the key that the request describes.
    #[n(3)]
    Generate,
    /// Sign a message.
    #[n(5)]
    Sign {
        /// The message.
        #[cbor(n(0), with = "minicbor::bytes")]
        message: Vec<u8>,
    },
}

impl Work {
    /// The right that it takes.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Seal { .. } => Operation::Encrypt,
            Self::Open { .. } => Operation::Decrypt,
            Self::Generate => Operation::Create,
            Self::Sign { .. } => Operation::Sign,
        }
    }

    /// How many bytes it carries.
    pub fn len(&self) -> usize {
        match self {
            Self::Seal { context, secret } => context.len() + secret.expose().len(),
            Self::Open { context, sealed } => context.len() + sealed.len(),
            Self::Generate => 0,
            Self::Sign { message } => message.len(),
        }
    }

    /// Whether it carries nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        encode_secret(self, self.len())
    }
}

/// A request: what it is about in the clear, so that it can be queued and refused early, and its work sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Request {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// The key store.
    #[n(1)]
    pub store: StoreLabel,
    /// The key.
    #[n(2)]
    pub key: KeyId,
    /// Its version.
    #[n(3)]
    pub version: u64,
    /// The right that the work takes.
    #[n(4)]
    pub operation: Operation,
    /// The wrapped key that is to be used, or what kind of key is to be made.
    #[n(5)]
    pub subject: Subject,
    /// The work, sealed to each driver of the store, ascending.
    #[n(6)]
    pub payload: Vec<Payload>,
}

/// Which key a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Subject {
    /// The one whose wrapped key has this hash.
    #[n(0)]
    Wrapped(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// One that is to be made.
    #[n(1)]
    New(#[n(0)] KeyAlgorithm),
}

/// The work, sealed to one driver.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Payload {
    /// The driver.
    #[n(0)]
    pub driver: Index,
    /// HPKE's encapsulated key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// HPKE's ciphertext.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Who asks, and where the answer goes: sealed work is bound to both, so that nobody else's job can carry it.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    /// The holder that signs the job.
    pub holder: Thumbprint,
    /// The job's response key.
    pub response_key: &'a [u8],
}

impl Request {
    /// A request with its work sealed to every driver of the store that isn't retired. `None` if a driver's key is none.
    pub(super) fn seal(
        scope: &Scope,
        subject: Subject,
        work: &Work,
        asker: Asker<'_>,
        store: &KeyStore,
        root: &TrustedRoot,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let mut request = Self {
            account: scope.account,
            store: scope.store.clone(),
            key: scope.key.clone(),
            version: scope.version,
            operation: work.operation(),
            subject,
            payload: Vec::new(),
        };
        let plain = work.encode();
        for (driver, member) in store.active(root) {
            let info = request.info(asker, member.index);
            let (encapsulated, sealed) = seal(&driver.sealing_key, &info, &plain, rng)?;
            request.payload.push(Payload { driver: member.index, encapsulated, sealed });
        }
        Some(request)
    }

    /// The work, for the driver that has this key; `None` if none is sealed to it, for this asker and request.
    pub(super) fn open(&self, asker: Asker<'_>, driver: Index, key: &ReceiverKey) -> Option<Work> {
        let payload = self.payload.iter().find(|payload| payload.driver == driver)?;
        let plain = key.open(&self.info(asker, driver), &payload.encapsulated, &payload.sealed)?;
        decode_secret(&plain)
    }

    /// The hash that the holder signs.
    pub fn hash(&self) -> [u8; 32] {
        Tuple::new("job-request").value(self).sha256()
    }

    /// What it is about.
    pub fn scope(&self) -> Scope {
        let (store, key) = (self.store.clone(), self.key.clone());
        Scope { account: self.account, store, key, version: self.version }
    }

    /// What sealed work is bound to: everything that is said of it in the clear, who asks, and who is to read it.
    fn info(&self, asker: Asker<'_>, driver: Index) -> Vec<u8> {
        Tuple::new("job-work")
            .value(&self.account)
            .value(&self.store)
            .value(&self.key)
            .uint(self.version)
            .value(&self.operation)
            .value(&self.subject)
            .value(&asker.holder)
            .bytes(asker.response_key)
            .value(&driver)
            .encode()
    }
}

/// A job with all that a driver needs to check it: this is what travels, and nothing of it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Submission {
    /// The job, signed by its holder.
    #[n(0)]
    pub job: Signed<Job>,
    /// The request that the job names by its hash.
    #[n(1)]
    pub request: Request,
    /// The holder's grant.
    #[n(2)]
    pub grant: Signed<Grant>,
    /// The access manager's permit; none where a key is to be made, which takes none.
    #[n(3)]
    pub permit: Option<Signed<Permit>>,
    /// The wrapped key that is to be used; none where one is to be made.
    #[n(4)]
    pub wrapped: Option<Signed<WrappedKey>>,
}

impl Submission {
    /// The job's name.
    pub fn id(&self) -> JobId {
        JobId::of(self.job.body())
    }
}

/// Reads a submission; anything but its canonical encoding is refused.
pub fn submission(bytes: &[u8]) -> Result<Submission, DecodeError> {
    from_canonical(bytes)
}
