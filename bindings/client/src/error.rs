//! What can go wrong, sorted by whose move it is.
//!
//! [`Error`] has few variants, each of which tells the caller what to do next; a typed detail in it tells what
//! happened. No variant carries a secret, a plaintext, or free text that a program would have to read. For bindings of
//! other languages an error is its [`Kind`], its [code](Error::code) and its words.

mod advice;
mod code;
mod file;
mod kind;
mod stream;

pub use file::FileError;
pub use kind::Kind;
pub use stream::StreamFailure;

use std::time::Duration;
use symbolon_channel::DialError;
use symbolon_channel::http::HttpError;
use symbolon_fragments::CustomerFragmentId;
use symbolon_fragments::names::{Index, KeyId, Purpose, Thumbprint, WrongKeyName};
use symbolon_keychain::{Refused, State, UnwrapError};
use symbolon_protocol::api::{JobTrouble, Problem, ProblemType};
use symbolon_protocol::jobs::{NotAsked, Refusal, ResultError};
use symbolon_protocol::wire;
use symbolon_trust::{Operation, Seconds, StoreLabel};

use crate::customer::KeeperError;

/// Why an operation of the client failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not. Ask the account's owner.
    #[error("denied")]
    Denied(#[source] Denied),
    /// There is no such thing, or the caller may not know. Check the name.
    #[error("not found")]
    NotFound(#[source] NotFound),
    /// The state of things doesn't allow it. Look, then decide.
    #[error("conflict")]
    Conflict(#[source] Conflict),
    /// The call itself is wrong. Mend it.
    #[error("invalid")]
    Invalid(#[source] Invalid),
    /// Something isn't what it claims to be. Trying again doesn't help.
    #[error("integrity")]
    Integrity(#[source] Integrity),
    /// It can't be done now. Try again, after so long if that is known.
    #[error("unavailable")]
    Unavailable {
        /// When to try again.
        retry_after: Option<Duration>,
        /// What is missing.
        #[source]
        cause: Unavailable,
    },
    /// A fault in this program, or in a server.
    #[error("a fault in the program")]
    Bug(#[source] Bug),
}

/// Who or what doesn't allow it.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// No grant, or the access manager's policy.
    #[error("{holder} is not allowed to {operation} with key {key}")]
    NotGranted {
        /// The caller.
        holder: Thumbprint,
        /// What it wanted.
        operation: Operation,
        /// The key.
        key: KeyId,
    },
    /// Something else than the use of a key.
    #[error("{holder} is not allowed to do this")]
    Refused {
        /// The caller.
        holder: Thumbprint,
        /// What the access manager answers.
        problem: ProblemType,
    },
    /// The caller, or its grant, was revoked.
    #[error("{holder} was revoked")]
    Revoked {
        /// The caller.
        holder: Thumbprint,
    },
    /// The grant's time is over, or hasn't begun.
    #[error("the grant of {holder} is not in time")]
    GrantNotInTime {
        /// The caller.
        holder: Thumbprint,
    },
    /// A driver doesn't accept grant or permit.
    #[error("the HSM's driver refuses {holder}: {refusal}")]
    Driver {
        /// The caller.
        holder: Thumbprint,
        /// What the driver says.
        refusal: Refusal,
    },
    /// The owner disabled the key.
    #[error("key {key} is disabled")]
    KeyDisabled {
        /// The key.
        key: KeyId,
    },
    /// A key on the way down a key chain is disabled.
    #[error(transparent)]
    Link(Refused),
}

/// What is not there.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The access manager doesn't serve the account.
    #[error("the account is unknown to the access manager")]
    Account,
    /// No such key.
    #[error("there is no key {0}")]
    Key(KeyId),
    /// No such version of a key.
    #[error("key {key} has no version {version}")]
    Version {
        /// The key.
        key: KeyId,
        /// The version.
        version: u64,
    },
    /// The key, or the ciphertext, needs a customer fragment that this profile doesn't have.
    #[error("{}", customer_fragment(.0.as_ref()))]
    CustomerFragment(Option<CustomerFragmentId>),
    /// No such tenant or system.
    #[error("there is no tenant or system {0}")]
    Link(KeyId),
    /// A file that the profile names, or that was given.
    #[error(transparent)]
    File(FileError),
    /// No profile was named, and none is where profiles are looked for.
    #[error(transparent)]
    Profile(crate::profile::ProfileError),
    /// Anything else.
    #[error("the access manager has no such thing")]
    Thing,
}

fn customer_fragment(id: Option<&CustomerFragmentId>) -> String {
    match id {
        Some(id) => format!("customer fragment {id} is needed and not in the profile"),
        None => "the key needs a customer fragment and the profile names none".into(),
    }
}

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
pub enum Conflict {
    /// Key ids are never used again.
    #[error("key {0} exists already")]
    KeyExists(KeyId),
    /// The key has no certificate yet.
    #[error("key {0} is not ready yet")]
    KeyPending(KeyId),
    /// The key version was, or is to be, destroyed.
    #[error("key {key} is destroyed or about to be")]
    KeyDestroyed {
        /// The key.
        key: KeyId,
    },
    /// The same of a tenant, a system, or the root key of a chain.
    #[error("{} {} is destroyed or about to be", .0.level, .0.key)]
    LinkDestroyed(Refused),
    /// It was changed by somebody else meanwhile.
    #[error("it was changed meanwhile")]
    Changed,
    /// A newer document is held, or the idempotency key was used for something else.
    #[error("{}", .0.title())]
    Superseded(ProblemType),
    /// A file is there already.
    #[error(transparent)]
    File(FileError),
    /// The caller cancelled it.
    #[error("cancelled")]
    Cancelled,
}

/// What of the call is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// Text that is no key id.
    #[error(transparent)]
    KeyId(#[from] WrongKeyName),
    /// Pairs that no context takes.
    #[error(transparent)]
    Context(#[from] symbolon_envelope::ContextError),
    /// The key is for something else.
    #[error("key {key} is for {purpose}, not for {wanted}")]
    Purpose {
        /// The key.
        key: KeyId,
        /// What it is for.
        purpose: Purpose,
        /// What it was to be used for.
        wanted: Purpose,
    },
    /// The ciphertext belongs to another account than the profile.
    #[error("the ciphertext belongs to another account")]
    OtherAccount,
    /// The members or the threshold of a new key are not possible.
    #[error("these fragment managers cannot hold the key")]
    Members(#[from] symbolon_trust::MembersError),
    /// The key that another is to share a root with has a set of its own.
    #[error("key {key} is not on a shared root")]
    NotShared {
        /// The key.
        key: KeyId,
    },
    /// The key is in an HSM, which seals the keys of tenants with it, or signs.
    #[error("key {key} is in an HSM: it opens a key chain, or signs, and encrypts no data itself")]
    InHsm {
        /// The key.
        key: KeyId,
    },
    /// The key is not in an HSM.
    #[error("key {key} is not in an HSM")]
    NotInHsm {
        /// The key.
        key: KeyId,
    },
    /// No job can be made of it.
    #[error(transparent)]
    Job(NotAsked),
    /// A driver can't do what is asked for.
    #[error("the HSM's driver refuses: {0}")]
    Driver(Refusal),
    /// The roster has too few fragment managers for the new key.
    #[error("the account has {have} fragment managers; {need} are needed")]
    TooFewMembers {
        /// How many there are.
        have: usize,
        /// How many the key would need.
        need: usize,
    },
    /// The message is too long.
    #[error(transparent)]
    TooLong(#[from] symbolon_envelope::MessageTooLong),
    /// The profile can't be used.
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    /// A secret file can't be opened: wrong passphrase, wrong content.
    #[error(transparent)]
    Secret(#[from] crate::secret::SecretError),
    /// What keeps the customer fragment is not set up rightly.
    #[error("customer fragment {id} cannot be used")]
    CustomerFragment {
        /// The fragment.
        id: CustomerFragmentId,
        /// Why.
        #[source]
        cause: KeeperError,
    },
    /// A file can't be used.
    #[error(transparent)]
    File(FileError),
    /// The access manager doesn't take the request.
    #[error("{}", .0.title())]
    Request(ProblemType),
    /// A fragment manager doesn't take what it was sent.
    #[error("{member} does not accept it")]
    Manager {
        /// Which one.
        member: MemberName,
        /// Its answer.
        #[source]
        cause: wire::Error,
    },
}

/// What isn't what it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum Integrity {
    /// Not a ciphertext, or one of another version, or cut within its header.
    #[error(transparent)]
    Header(#[from] symbolon_envelope::HeaderError),
    /// The ciphertext doesn't belong to the key that the fragment managers provably have.
    #[error("commitment mismatch: another key or another context than it was encrypted with")]
    Commitment(symbolon_envelope::CommitmentMismatch),
    /// A chunk of the ciphertext.
    #[error(transparent)]
    Chunks(#[from] symbolon_envelope::StreamError),
    /// A wrapped key of a key chain.
    #[error(transparent)]
    Wrapped(#[from] UnwrapError),
    /// What was sealed under a data key.
    #[error("the record was not sealed under this data key and context, or was changed")]
    Record(#[source] symbolon_envelope::sealed::OpenError),
    /// A fragment manager answered with something else than its fragment's evaluation. Nothing was encrypted.
    #[error("{0} lies: its answer is not its fragment's evaluation")]
    Liar(MemberName),
    /// Another key answered in the place of a server.
    #[error("somebody else answers in the place of {0}")]
    WrongServer(ServerName),
    /// The access manager gave a certificate that doesn't verify, or of another key than was asked for.
    #[error("the access manager gave a certificate that is not the key's")]
    Certificate(#[source] CertificateFault),
    /// A driver refuses what the HSM has shown to be changed or somebody else's.
    #[error("the HSM's driver refuses: {0}")]
    Driver(Refusal),
    /// The access manager gave a result that no driver of the key's store made for this job.
    #[error("the access manager gave a result that is not the job's")]
    JobResult(#[source] Option<ResultError>),
    /// A root document that doesn't follow the trusted one.
    #[error("a root document that the account's owner did not sign")]
    Root(#[source] symbolon_trust::RootError),
    /// A fragment manager or the access manager doesn't answer in its protocol.
    #[error("{0} does not speak the protocol")]
    Protocol(ServerName),
}

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// It doesn't verify against the account's root.
    #[error(transparent)]
    NotValid(#[from] symbolon_trust::CertificateError),
    /// It is another key's, or another version's.
    #[error("it is about another key or version")]
    Other,
    /// It is a wrapped key that no driver of its store signed.
    #[error(transparent)]
    WrappedKey(#[from] symbolon_trust::WrappedKeyError),
    /// It isn't a certificate at all.
    #[error("it cannot be read")]
    Unreadable,
    /// The set's sharing is not of this key.
    #[error(transparent)]
    NotOfKey(#[from] symbolon_trust::NotOfKey),
    /// Its commitment is none.
    #[error(transparent)]
    Sharing(#[from] symbolon_fragments::WrongSharing),
    /// The members signed different certificates, or not what was asked for.
    #[error("the fragment managers did not certify what was asked for")]
    NotAsAsked,
}

/// What is missing.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Too few fragment managers can be used; says which, and why.
    #[error("{have} of the {need} fragment managers that are needed can be used")]
    TooFewManagers {
        /// How many answered.
        have: usize,
        /// How many are needed.
        need: usize,
        /// Who can't be used, and why.
        down: Vec<ManagerDown>,
    },
    /// The access manager can't be reached.
    #[error("the access manager cannot be reached")]
    AccessManager {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        cause: NoAnswer,
    },
    /// No driver of the key store has done the job in time.
    #[error("{}", key_store(.store, *.trouble))]
    KeyStore {
        /// The store.
        store: StoreLabel,
        /// Why, as far as the access manager knows.
        trouble: Option<JobTrouble>,
    },
    /// The HSM, or the provider of its keys, failed.
    #[error("the HSM's driver gives up: {0}")]
    Driver(Refusal),
    /// The access manager answers that it can't now.
    #[error("{}", .0.title())]
    Server(ProblemType),
    /// The grant's rate is used up.
    #[error("the grant's rate is used up")]
    RateLimited,
    /// It took longer than the deadline.
    #[error("not done within {within:?}")]
    TimedOut {
        /// The deadline.
        within: Duration,
    },
    /// The disk is full.
    #[error(transparent)]
    File(FileError),
    /// Where the customer fragment is kept did not answer.
    #[error("customer fragment {id} cannot be used now")]
    CustomerFragment {
        /// The fragment.
        id: CustomerFragmentId,
        /// Why.
        #[source]
        cause: KeeperError,
    },
    /// The key's ceremony did not end in time.
    #[error("the fragment managers have not made key {key} yet; the ceremony goes on")]
    Ceremony {
        /// The key.
        key: KeyId,
    },
}

fn key_store(store: &StoreLabel, trouble: Option<JobTrouble>) -> String {
    let why = match trouble {
        None => "its drivers have not answered in time",
        Some(JobTrouble::NoDriver) => "none of its drivers is running",
        Some(JobTrouble::TokenAbsent) => "the token is not there",
        Some(JobTrouble::PinRefused) => "the token refuses the driver's PIN",
        Some(JobTrouble::Module) => "the vendor's module crashed or hangs",
        Some(JobTrouble::Clock) => "the driver's clock was set back",
        Some(JobTrouble::Stopping) => "the driver is stopping",
        Some(JobTrouble::Storage) => "the driver's disk is full or failed",
    };
    format!("the key store `{store}` cannot be used now: {why}")
}

/// Why the access manager didn't answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// There is no connection to it.
    #[error(transparent)]
    Dial(DialError),
    /// The connection broke, or nothing came over it in time.
    #[error(transparent)]
    Http(Box<HttpError>),
}

/// A fragment manager that can't be used now.
#[derive(Debug)]
pub struct ManagerDown {
    /// Which one.
    pub member: MemberName,
    /// Why.
    pub reason: DownReason,
}

impl std::fmt::Display for ManagerDown {
    /// The manager, the reason and its causes, on one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.member, self.reason)?;
        let mut cause = std::error::Error::source(&self.reason);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Why a fragment manager can't be used now.
#[derive(Debug, thiserror::Error)]
pub enum DownReason {
    /// No connection.
    #[error(transparent)]
    Dial(DialError),
    /// The access manager's relay doesn't lead there now.
    #[error("{}", relayed(*.0))]
    Relay(ProblemType),
    /// The connection broke, or no answer came.
    #[error(transparent)]
    Call(#[from] symbolon_channel::CallError),
    /// Its clock and this one's, or another manager's, are too far apart.
    #[error("its clock reads {theirs}, other clocks read {ours} (Unix seconds)")]
    Clock {
        /// What the manager's clock reads.
        theirs: Seconds,
        /// What others read.
        ours: Seconds,
    },
    /// It answers with an error.
    #[error(transparent)]
    Refused(#[from] wire::Error),
    /// It lied, before or now.
    #[error("it gave a wrong answer")]
    Lied,
    /// It doesn't hold the fragment that the others hold.
    #[error("it does not hold the fragment of the present epoch")]
    Behind,
}

fn relayed(problem: ProblemType) -> String {
    match problem {
        ProblemType::ManagerUnreachable => "it cannot be reached, not through the relay either".to_owned(),
        other => format!("the relay refuses: {}", other.title()),
    }
}

impl From<DialError> for DownReason {
    fn from(error: DialError) -> Self {
        let problem = match &error {
            DialError::Refused { body, .. } => serde_json::from_slice::<Problem>(body).ok(),
            _ => None,
        };
        problem.map_or(Self::Dial(error), |problem| Self::Relay(problem.kind))
    }
}

/// A fault.
#[derive(Debug, thiserror::Error)]
pub enum Bug {
    /// The access manager reports one of its own.
    #[error("the access manager failed")]
    AccessManager,
    /// Something that can't be.
    #[error("{0}")]
    Internal(&'static str),
    /// A task panicked.
    #[error("a task panicked")]
    Panicked,
}

/// A fragment manager's name in the roster, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberName {
    /// Its number.
    pub index: Index,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for MemberName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.name)
    }
}

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// The access manager.
    AccessManager,
    /// A fragment manager.
    Manager(MemberName),
}

impl std::fmt::Display for ServerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AccessManager => f.pad("the access manager"),
            Self::Manager(member) => member.fmt(f),
        }
    }
}

macro_rules! sorted_into {
    ($($detail:ident),*) => {
        $(impl From<$detail> for Error {
            fn from(detail: $detail) -> Self {
                Self::$detail(detail)
            }
        })*
    };
}

sorted_into!(Denied, NotFound, Conflict, Invalid, Integrity, Bug);

impl From<Unavailable> for Error {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable { retry_after: None, cause }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Missing { .. } => Self::NotFound(NotFound::File(error)),
            FileError::Exists { .. } => Self::Conflict(Conflict::File(error)),
            FileError::DiskFull { .. } => {
                Self::Unavailable { retry_after: None, cause: Unavailable::File(error) }
            }
            FileError::Exposed { .. } | FileError::Io { .. } => Self::Invalid(Invalid::File(error)),
        }
    }
}

impl From<symbolon_envelope::HeaderError> for Error {
    fn from(error: symbolon_envelope::HeaderError) -> Self {
        Integrity::Header(error).into()
    }
}

impl From<UnwrapError> for Error {
    fn from(error: UnwrapError) -> Self {
        Integrity::Wrapped(error).into()
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused.state {
            State::Active | State::Disabled => Denied::Link(refused).into(),
            State::Pending => Conflict::KeyPending(refused.key).into(),
            State::Scheduled | State::Destroyed => Conflict::LinkDestroyed(refused).into(),
        }
    }
}

impl From<WrongKeyName> for Error {
    fn from(error: WrongKeyName) -> Self {
        Invalid::KeyId(error).into()
    }
}

impl From<symbolon_envelope::ContextError> for Error {
    fn from(error: symbolon_envelope::ContextError) -> Self {
        Invalid::Context(error).into()
    }
}

impl From<crate::profile::ProfileError> for Error {
    fn from(error: crate::profile::ProfileError) -> Self {
        use crate::profile::ProfileError as Profile;
        match error {
            Profile::File(error) => error.into(),
            Profile::Root(error) => Integrity::Root(error).into(),
            error @ Profile::Nowhere { .. } => NotFound::Profile(error).into(),
            error @ (Profile::Form { .. }
            | Profile::Account(_)
            | Profile::NotARoot(_)
            | Profile::CustomerFragment(_)) => Invalid::Profile(error).into(),
        }
    }
}

impl From<crate::secret::SecretError> for Error {
    fn from(error: crate::secret::SecretError) -> Self {
        match error {
            crate::secret::SecretError::File(error) => error.into(),
            error => Invalid::Secret(error).into(),
        }
    }
}

impl From<StreamFailure> for Error {
    fn from(failure: StreamFailure) -> Self {
        match failure {
            StreamFailure::Read(cause) => FileError::stream("the input", cause).into(),
            StreamFailure::Write(cause) => FileError::stream("the output", cause).into(),
            StreamFailure::Header(error) => Integrity::Header(error).into(),
            StreamFailure::Chunks(error) => Integrity::Chunks(error).into(),
            StreamFailure::TooLong(error) => Invalid::TooLong(error).into(),
            StreamFailure::Cancelled => Conflict::Cancelled.into(),
            StreamFailure::Length => Bug::Internal("a chunk of a wrong length").into(),
        }
    }
}
