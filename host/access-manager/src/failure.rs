//! Why a request is refused or fails, and the one place that maps it to a problem (RFC 9457) and to an audit entry.

use crate::{answer, policy::PolicyDenied};
use axum::response::{IntoResponse, Response};
use std::error::Error;
use symbolon_audit::{CheckpointError, Refusal, WrongNote};
use symbolon_fragments::names::{KeyId, Thumbprint};
use symbolon_keychain::State;
use symbolon_protocol::{
    api::{Problem, ProblemType},
    jobs::LeaseError,
};
use symbolon_store::StoreError;
use symbolon_trust::{
    AcknowledgementError, CertificateError, ClockBehind, CreateError, Denied, DenyError, GrantError,
    JobError, Operation, Operations, OrderConflict, OrderError, RootError, Seconds, StoreLabel,
    WrappedKeyError, WrongSignature,
};

/// Why a request fails. Texts are the caller's to read: they say what to do, and name nothing that the caller didn't.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Malformed(String),
    #[error("not the canonical encoding of such a document")]
    Encoding,
    #[error("connect with a client certificate: the holder's key decides what is allowed")]
    Unauthenticated,
    #[error(
        "this server has no such account; check the account id, or ask the server's operator to install its root document"
    )]
    UnknownAccount,
    #[error(
        "no grant of this account names {0}, which is neither an owner's nor a manager's key; ask the owner: symbolon grant create --to {0} …"
    )]
    NoParty(Thumbprint),
    #[error(
        "no grant allows this; ask the owner: symbolon grant create --to {holder} --key '{key}' --allow {operations}"
    )]
    NotGranted { holder: Thumbprint, key: KeyId, operations: String },
    #[error("only {0} may do this")]
    Only(&'static str),
    #[error(transparent)]
    Policy(#[from] PolicyDenied),
    #[error("grant {id} begins at {not_before} (Unix seconds)")]
    GrantEarly { id: u64, not_before: Seconds },
    #[error("grant {id} ended at {not_after} (Unix seconds); ask the owner for a new one")]
    GrantExpired { id: u64, not_after: Seconds },
    #[error(
        "grant {id} is no longer signed by the role `policy`, or was revoked; ask the owner for a new one"
    )]
    GrantVoid { id: u64 },
    #[error("there is no key {0}, or it is not yours to see")]
    UnknownKey(KeyId),
    #[error("there is no tenant or system {0}, or it is not yours to see")]
    UnknownLink(KeyId),
    #[error("key {0} has no version {1}")]
    UnknownVersion(KeyId, u64),
    #[error("{0}")]
    NotFound(&'static str),
    #[error("key {0} is disabled; the owner can enable it: symbolon key enable {0}")]
    KeyDisabled(KeyId),
    #[error(
        "version {1} of key {0} has no certificate yet; wait until its ceremony is done and the certificate handed in"
    )]
    KeyPending(KeyId, u64),
    #[error(
        "version {1} of key {0} is destroyed or about to be; until it is, the owner can cancel: symbolon key cancel-destruction {0}"
    )]
    KeyDestroyed(KeyId, u64),
    #[error("{0} exists already; a key id is never used again, further versions come by rotating")]
    KeyExists(KeyId),
    #[error("{0}")]
    Superseded(String),
    #[error("the Idempotency-Key was used for another request; take a new one")]
    IdempotencyConflict,
    #[error("the entity tag is {0} now; read again, then change")]
    PreconditionFailed(String),
    #[error("this path does not know the method; /openapi.json lists what there is")]
    MethodNotAllowed,
    #[error("send If-Match with the entity tag that was read")]
    PreconditionRequired,
    #[error("the body may have {0} bytes at most")]
    TooLarge(usize),
    #[error("send the body as application/json")]
    UnsupportedMediaType,
    #[error("the body has to arrive within {0} s")]
    TooSlow(u64),
    #[error("too many requests by this holder; try again in {0} s")]
    RateLimited(u64),
    #[error("fragment manager {0} cannot be reached from here; is it running?")]
    ManagerUnreachable(u16),
    #[error("the key store `{0}` has too many open jobs; try again in a moment")]
    TooManyJobs(StoreLabel),
    #[error("you have {0} open jobs, which is the most; wait for some of them")]
    TooManyOwnJobs(u32),
    #[error(
        "this account has no key store `{0}`; the owner signs one in with its first driver: symbolon root add-driver"
    )]
    NoKeyStore(StoreLabel),
    #[error("key {0} is not in the key store `{1}`")]
    OtherKeyStore(KeyId, StoreLabel),
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(
        "another process polls with this driver's identity; stop it, or enrol this one by an identity of its own: symbolon driver enrol"
    )]
    DriverTwice,
    #[error("the server has too many open tunnels of this holder; close one")]
    TooManyTunnels,
    #[error(
        "the account's root document does not name this server's permit key; the owner can sign it in: symbolon root access-manager --permit sympub1…"
    )]
    NoPermitRole,
    #[error(transparent)]
    Root(#[from] RootError),
    #[error(transparent)]
    Deny(#[from] DenyError),
    #[error(transparent)]
    Acknowledgement(#[from] AcknowledgementError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    OrderConflict(#[from] OrderConflict),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Create(#[from] CreateError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    WrappedKey(#[from] WrappedKeyError),
    #[error("the certificate is about another key than was asked for: {0} differs")]
    OtherCertificate(&'static str),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Link(#[from] symbolon_keychain::Refused),
    #[error(transparent)]
    Wrapped(#[from] symbolon_keychain::UnwrapError),
    #[error("the wrapped key is not what is asked for here: {0}")]
    WrongPlace(&'static str),
    #[error(transparent)]
    Note(#[from] WrongNote),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Signature(#[from] WrongSignature),
    #[error(transparent)]
    Clock(#[from] ClockBehind),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("internal error; the server's log says more")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    pub(crate) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::Malformed(what.to_string())
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    pub(crate) fn not_granted(holder: Thumbprint, key: &KeyId, operations: Operations) -> Self {
        let operations = operations.iter().map(Operation::name).collect::<Vec<_>>().join(",");
        Self::NotGranted { holder, key: key.clone(), operations }
    }

    /// The type of problem that a caller sees.
    pub(crate) fn kind(&self) -> ProblemType {
        match self {
            Self::Malformed(_) => ProblemType::Malformed,
            Self::Unauthenticated => ProblemType::Unauthenticated,
            Self::UnknownAccount => ProblemType::UnknownAccount,
            Self::NoParty(_) | Self::NotGranted { .. } | Self::Only(_) | Self::Policy(_) => {
                ProblemType::Denied
            }
            Self::GrantVoid { .. } => ProblemType::Revoked,
            Self::UnknownKey(_) | Self::OtherKeyStore(..) => ProblemType::UnknownKey,
            Self::UnknownVersion(..) => ProblemType::UnknownVersion,
            Self::NotFound(_) | Self::UnknownLink(_) | Self::NoKeyStore(_) => ProblemType::NotFound,
            Self::KeyDisabled(_) => ProblemType::KeyDisabled,
            Self::KeyPending(..) => ProblemType::KeyPending,
            Self::KeyDestroyed(..) => ProblemType::KeyDestroyed,
            Self::KeyExists(_) => ProblemType::KeyExists,
            Self::IdempotencyConflict => ProblemType::IdempotencyConflict,
            Self::PreconditionFailed(_) => ProblemType::PreconditionFailed,
            Self::PreconditionRequired => ProblemType::PreconditionRequired,
            Self::MethodNotAllowed => ProblemType::MethodNotAllowed,
            Self::TooLarge(_) => ProblemType::TooLarge,
            Self::UnsupportedMediaType => ProblemType::UnsupportedMediaType,
            Self::TooSlow(_) => ProblemType::TooSlow,
            Self::RateLimited(_) | Self::TooManyTunnels | Self::TooManyJobs(_) | Self::TooManyOwnJobs(_) => {
                ProblemType::RateLimited
            }
            Self::Lease(LeaseError::Expired) | Self::Job(JobError::Expired { .. }) => ProblemType::JobExpired,
            Self::Lease(LeaseError::Lost) => ProblemType::LeaseLost,
            Self::DriverTwice => ProblemType::DriverTwice,
            Self::ManagerUnreachable(_) => ProblemType::ManagerUnreachable,
            Self::Clock(_) | Self::NoPermitRole => ProblemType::Unavailable,
            Self::Superseded(_)
            | Self::OrderConflict(_)
            | Self::Deny(DenyError::Older { .. } | DenyError::Fork(_))
            | Self::Store(StoreError::Exists) => ProblemType::Superseded,
            Self::GrantEarly { .. }
            | Self::GrantExpired { .. }
            | Self::Grant(GrantError::NotYet { .. } | GrantError::Expired { .. }) => {
                ProblemType::GrantNotInTime
            }
            Self::Create(error) => create_kind(error),
            Self::Denied(denied) => denied_kind(*denied),
            Self::Link(refused) => link_kind(refused.state),
            Self::Encoding
            | Self::Root(_)
            | Self::Deny(_)
            | Self::Acknowledgement(_)
            | Self::Order(_)
            | Self::Grant(_)
            | Self::Certificate(_)
            | Self::WrappedKey(_)
            | Self::Job(JobError::Other | JobError::Unsigned | JobError::Signature(_))
            | Self::OtherCertificate(_)
            | Self::Note(_)
            | Self::Checkpoint(_)
            | Self::Signature(_)
            | Self::Wrapped(_)
            | Self::WrongPlace(_) => ProblemType::InvalidDocument,
            Self::Store(StoreError::Full) => ProblemType::StorageFull,
            Self::Store(StoreError::Corrupted | StoreError::Failed(_)) | Self::Internal(_) => {
                ProblemType::Internal
            }
        }
    }

    /// The reason that an audit entry gives; nothing where the failure is no refusal.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self.kind() {
            ProblemType::Malformed => Some(Refusal::Form),
            ProblemType::InvalidDocument => Some(self.document_refusal()),
            ProblemType::Denied => Some(match self {
                Self::Policy(_) => Refusal::Policy,
                _ => Refusal::NotGranted,
            }),
            ProblemType::Revoked | ProblemType::KeyDisabled | ProblemType::KeyDestroyed => {
                Some(Refusal::Denied)
            }
            ProblemType::GrantNotInTime => Some(match self {
                Self::GrantEarly { .. } | Self::Grant(GrantError::NotYet { .. }) => Refusal::NotYet,
                _ => Refusal::Expired,
            }),
            ProblemType::UnknownKey | ProblemType::UnknownVersion | ProblemType::NotFound => {
                Some(Refusal::Unknown)
            }
            ProblemType::KeyPending => Some(Refusal::NotYet),
            ProblemType::KeyExists | ProblemType::Superseded => Some(Refusal::Superseded),
            ProblemType::JobExpired => Some(Refusal::Expired),
            ProblemType::Unavailable => matches!(self, Self::Clock(_)).then_some(Refusal::Clock),
            ProblemType::Unauthenticated
            | ProblemType::UnknownAccount
            | ProblemType::MethodNotAllowed
            | ProblemType::IdempotencyConflict
            | ProblemType::LeaseLost
            | ProblemType::DriverTwice
            | ProblemType::PreconditionFailed
            | ProblemType::PreconditionRequired
            | ProblemType::TooLarge
            | ProblemType::UnsupportedMediaType
            | ProblemType::TooSlow
            | ProblemType::RateLimited
            | ProblemType::ManagerUnreachable
            | ProblemType::TooFewManagers
            | ProblemType::CustomerFragment
            | ProblemType::InvalidCiphertext
            | ProblemType::StorageFull
            | ProblemType::Internal => None,
        }
    }

    fn document_refusal(&self) -> Refusal {
        match self {
            Self::Root(RootError::Account { .. })
            | Self::Deny(DenyError::Account)
            | Self::Order(OrderError::Account)
            | Self::Grant(GrantError::Account)
            | Self::Create(CreateError::Account)
            | Self::Certificate(CertificateError::Account)
            | Self::WrappedKey(WrappedKeyError::Account)
            | Self::Checkpoint(CheckpointError::Account) => Refusal::Account,
            Self::Root(RootError::OwnSignature(_) | RootError::PredecessorsSignature(_))
            | Self::Deny(DenyError::Signature(_))
            | Self::Acknowledgement(AcknowledgementError::Signature(_))
            | Self::Order(OrderError::Signature(_))
            | Self::Grant(GrantError::Signature(_))
            | Self::Create(CreateError::Signature(_))
            | Self::Certificate(CertificateError::Signature(_))
            | Self::WrappedKey(WrappedKeyError::Signature(_))
            | Self::Job(JobError::Unsigned | JobError::Signature(_))
            | Self::Checkpoint(CheckpointError::Signature(_) | CheckpointError::Cosignature(_))
            | Self::Signature(_) => Refusal::Signature,
            Self::Order(OrderError::Expired { .. }) | Self::Create(CreateError::Time { .. }) => {
                Refusal::Expired
            }
            Self::Order(OrderError::NotYet { .. }) => Refusal::NotYet,
            _ => Refusal::Form,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited(seconds) => Some(*seconds),
            Self::ManagerUnreachable(_)
            | Self::TooManyTunnels
            | Self::TooManyJobs(_)
            | Self::TooManyOwnJobs(_)
            | Self::DriverTwice => Some(1),
            _ => None,
        }
    }

    /// What the caller is told: this failure and, for refusals, the reasons below it. Faults of the server stay here.
    fn problem(&self) -> Problem {
        let kind = self.kind();
        let detail = match kind {
            ProblemType::Internal => Failure::Internal("".into()).to_string(),
            _ => chain(self),
        };
        let problem = Problem::new(kind).detail(detail);
        match self.retry_after() {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }
}

fn create_kind(error: &CreateError) -> ProblemType {
    match error {
        CreateError::NotGranted => ProblemType::Denied,
        CreateError::Denied(denied) => denied_kind(*denied),
        CreateError::Account
        | CreateError::Signature(_)
        | CreateError::Form
        | CreateError::Members(_)
        | CreateError::Time { .. } => ProblemType::InvalidDocument,
    }
}

fn denied_kind(denied: Denied) -> ProblemType {
    match denied {
        Denied::Grant { .. } | Denied::Holder => ProblemType::Revoked,
        Denied::Key => ProblemType::KeyDisabled,
        Denied::Destroyed(_) => ProblemType::KeyDestroyed,
    }
}

fn link_kind(state: State) -> ProblemType {
    match state {
        State::Pending => ProblemType::KeyPending,
        State::Active | State::Disabled => ProblemType::KeyDisabled,
        State::Scheduled | State::Destroyed => ProblemType::KeyDestroyed,
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        let line = cause.to_string();
        if !text.ends_with(&line) {
            text = format!("{text}: {line}");
        }
        below = cause.source();
    }
    text
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if self.kind() == ProblemType::Internal {
            tracing::error!(cause = &self as &dyn Error, "a request failed");
        }
        answer::problem(&self.problem())
    }
}
