//! What the host says of a call that did not end as it should, apart from what the plugin says itself.

use std::fmt;
use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::bindings::errors;
use crate::capability::log::line;
use crate::guest::Hit;

/// The longest text of a plugin, or about one, that the host keeps, bytes.
const MAX_TEXT: usize = 1024;

/// A call that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The host ended the call, and threw the instance away.
    #[error(transparent)]
    Host(#[from] Verdict),
    /// The plugin answered with an error of its own. Its instance lives on.
    #[error("the plugin says: {0}")]
    Plugin(PluginError),
}

impl From<PluginError> for CallError {
    fn from(said: PluginError) -> Self {
        Self::Plugin(said)
    }
}

/// Why the host ended a call, or didn't begin it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Verdict {
    /// The guest did what WebAssembly forbids, or gave up (a panic in Rust is `unreachable`).
    #[error("the plugin trapped: {cause}")]
    Trapped {
        /// wasmtime's words for the trap.
        cause: String,
    },
    /// The call took longer than it may.
    #[error("the plugin is out of time")]
    OutOfTime,
    /// The guest wanted more memory than it may have.
    #[error("the plugin is out of memory: it may have {limit} bytes")]
    OutOfMemory {
        /// Bytes.
        limit: usize,
    },
    /// The guest wanted larger tables than it may have.
    #[error("the plugin's tables are full: it may have {limit} elements")]
    OutOfTables {
        /// Elements of all tables together.
        limit: usize,
    },
    /// The guest holds more handles than it may.
    #[error("the plugin holds too many handles: it may have {limit}")]
    TooManyHandles {
        /// Handles.
        limit: usize,
    },
    /// An argument or a result is larger than it may be.
    #[error("{what} of the call has more than {limit} bytes")]
    TooLarge {
        /// Which.
        what: Size,
        /// Bytes.
        limit: usize,
    },
    /// The guest used a handle that it doesn't have.
    #[error("the plugin used a handle that it doesn't have")]
    ForgedHandle,
    /// What the guest handed over isn't what the contract says.
    #[error("the plugin broke the contract: {how}")]
    Malformed {
        /// What is wrong with it.
        how: String,
    },
    /// Two instances gave the same where they must not: the plugin's randomness isn't the host's.
    #[error("the plugin's randomness is frozen: {what} came out the same twice")]
    FrozenEntropy {
        /// What came out the same.
        what: &'static str,
    },
    /// All instances were in use for half of the call's time. It was not begun.
    #[error("all instances of the plugin are busy")]
    Busy,
    /// The plugin doesn't export this slice.
    #[error("the plugin doesn't offer {0}")]
    NotOffered(Slice),
}

/// A part of the keystore's contract that a plugin may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// A master key of the store.
    Master,
    /// Sealing secrets of the host.
    Sealing,
    /// Wrapping keys under keys.
    Wrapping,
    /// Signing.
    Signing,
}

impl Slice {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Master, Self::Sealing, Self::Wrapping, Self::Signing];

    /// The interface's name in `wit/`, without its version.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Master => "symbolon:keystore/master",
            Self::Sealing => "symbolon:keystore/sealing",
            Self::Wrapping => "symbolon:keystore/wrapping",
            Self::Signing => "symbolon:keystore/signing",
        }
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.interface())
    }
}

/// What was too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// All arguments together.
    Input,
    /// What the guest handed over.
    Output,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "the input",
            Self::Output => "the output",
        })
    }
}

/// An error that a plugin gives. Its texts are a stranger's: escaped and cut by the host, for logs only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginError {
    /// Whose move it is.
    pub kind: Kind,
    /// Stable; the host's own are in [`reason`](crate::reason).
    pub reason: String,
    /// For the operator.
    pub message: String,
    /// When another try may succeed.
    pub retry_after: Option<Duration>,
    /// Details for the operator.
    pub attributes: Vec<(String, String)>,
}

/// `errors.kind` of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The call makes no sense as it is.
    Invalid,
    /// No such thing.
    NotFound,
    /// Exists already, or is in a state that forbids this.
    Conflict,
    /// A grant, a policy or a credential says no.
    Denied,
    /// The store can't do this at all.
    Unsupported,
    /// Tampered with, or another key's.
    Integrity,
    /// Not now.
    Unavailable,
    /// A quota of the store is used up.
    Exhausted,
    /// The plugin gave up for want of time.
    OutOfTime,
    /// A fault of the plugin.
    Internal,
    /// None of these.
    Other,
}

impl std::error::Error for PluginError {}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.reason)
    }
}

impl From<errors::Error> for PluginError {
    fn from(error: errors::Error) -> Self {
        let pair = |(name, value): (String, String)| (line(&name, 64), line(&value, 256));
        Self {
            kind: error.kind.into(),
            reason: line(&error.reason, 64),
            message: line(&error.message, MAX_TEXT),
            retry_after: error.retry_after_ms.map(|ms| Duration::from_millis(ms.into())),
            attributes: error.attributes.into_iter().take(16).map(pair).collect(),
        }
    }
}

impl From<errors::Kind> for Kind {
    fn from(kind: errors::Kind) -> Self {
        match kind {
            errors::Kind::Invalid => Self::Invalid,
            errors::Kind::NotFound => Self::NotFound,
            errors::Kind::Conflict => Self::Conflict,
            errors::Kind::Denied => Self::Denied,
            errors::Kind::Unsupported => Self::Unsupported,
            errors::Kind::Integrity => Self::Integrity,
            errors::Kind::Unavailable => Self::Unavailable,
            errors::Kind::Exhausted => Self::Exhausted,
            errors::Kind::OutOfTime => Self::OutOfTime,
            errors::Kind::Internal => Self::Internal,
            errors::Kind::Other => Self::Other,
        }
    }
}

/// Limits that verdicts name.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub output: usize,
    pub handles: usize,
}

impl Verdict {
    /// What wasmtime's error means. Everything typed is told apart by its type; what wasmtime says in words only, by the
    /// words, which tests/guests holds still.
    pub(crate) fn of(error: &wasmtime::Error, bounds: Bounds) -> Self {
        if let Some(hit) = error.downcast_ref::<Hit>() {
            return hit.clone().into();
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return Self::of_trap(*trap);
        }
        if let Some(error) = error.downcast_ref::<ResourceTableError>() {
            return match error {
                ResourceTableError::Full => Self::TooManyHandles { limit: bounds.handles },
                _ => Self::ForgedHandle,
            };
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Self::Busy;
        }
        Self::of_words(&error.root_cause().to_string(), bounds)
    }

    fn of_trap(trap: Trap) -> Self {
        match trap {
            Trap::Interrupt => Self::OutOfTime,
            Trap::InvalidChar
            | Trap::InvalidDiscriminant
            | Trap::StringOutOfBounds
            | Trap::ListOutOfBounds
            | Trap::UnalignedPointer => Self::Malformed { how: trap.to_string() },
            other => Self::Trapped { cause: other.to_string() },
        }
    }

    fn of_words(words: &str, bounds: Bounds) -> Self {
        let says = |part: &str| words.contains(part);
        if says("fuel allocated for hostcalls has been exhausted") {
            Self::TooLarge { what: Size::Output, limit: bounds.output }
        } else if says("store handle limit exceeded") {
            Self::TooManyHandles { limit: bounds.handles }
        } else if says("unknown handle index") || says("is not a resource") || says("handle index") {
            Self::ForgedHandle
        } else {
            Self::Malformed { how: line(words, MAX_TEXT) }
        }
    }
}

impl From<Hit> for Verdict {
    fn from(hit: Hit) -> Self {
        match hit {
            Hit::Time => Self::OutOfTime,
            Hit::Memory { limit } => Self::OutOfMemory { limit },
            Hit::Tables { limit } => Self::OutOfTables { limit },
            Hit::Asked { limit } => Self::TooLarge { what: Size::Output, limit },
        }
    }
}
