//! Why a token did not do what was asked, by who has to do something about it.

use std::path::PathBuf;

use crate::allowed::NotAllowed;
use crate::number::MechanismId;
use crate::wire::Fault;

/// Why a call on a token failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The module's file can't be loaded or is no PKCS#11 library.
    #[error("cannot use the PKCS#11 module {}: {cause}", module.display())]
    Unusable {
        /// The module.
        module: PathBuf,
        /// What the loader said.
        cause: String,
    },
    /// The process for the module can't be started.
    #[error("cannot start the process for the PKCS#11 module: {0}")]
    NotStarted(std::io::Error),
    /// No token with this label is there now.
    #[error("no token with the label {0:?} is there")]
    Absent(String),
    /// Several tokens have this label.
    #[error("more than one token has the label {0:?}")]
    Ambiguous(String),
    /// The PIN can't be read.
    #[error("cannot read the PIN in {}: {cause}", file.display())]
    PinMissing {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The token refused the PIN, now or earlier: it is tried once, and then not until its file changes.
    #[error("the token refused the PIN in {}; it is not tried again until that file changes", .0.display())]
    PinRefused(PathBuf),
    /// The token is locked: its security officer has to set a new PIN.
    #[error("the token's PIN is locked; its security officer has to set a new one")]
    PinLocked,
    /// One more wrong PIN would lock the token, so none was tried.
    #[error("one more wrong PIN would lock the token: log in once with the vendor's tool first")]
    PinLastTry,
    /// The module's process ended in the middle of the call.
    #[error("the PKCS#11 module's process ended: {0}")]
    Crashed(String),
    /// The module gave no answer in time; its process was ended.
    #[error("the PKCS#11 module gave no answer in time")]
    TimedOut,
    /// The session is gone, and every object of it.
    #[error("the session with the token is gone")]
    Lost,
    /// The module has no such mechanism.
    #[error("the token has no mechanism {0:#x}")]
    MechanismMissing(MechanismId),
    /// The signature or MAC is not that of the data.
    #[error("the signature is not that of the data")]
    Mismatch,
    /// A grant or a rule forbids it; the token was not asked.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// A function of the module returned another value.
    #[error("{function} returned {rv:#x}")]
    Returned {
        /// `C_…`.
        function: String,
        /// `CKR_*`.
        rv: u64,
    },
    /// The child process answered something else than it was asked.
    #[error("the PKCS#11 process does not keep to its protocol")]
    Protocol,
}

impl Error {
    /// The child's word, completed by what only we know.
    pub(crate) fn from_fault(
        fault: Fault,
        token: &crate::TokenSettings,
        mechanism: Option<MechanismId>,
    ) -> Self {
        match fault {
            Fault::Unusable(cause) => Self::Unusable { module: token.module.clone(), cause },
            Fault::Absent => Self::Absent(token.token.clone()),
            Fault::Ambiguous => Self::Ambiguous(token.token.clone()),
            Fault::PinRefused => Self::PinRefused(token.pin_file.clone()),
            Fault::PinLocked => Self::PinLocked,
            Fault::PinLastTry => Self::PinLastTry,
            Fault::Lost => Self::Lost,
            Fault::Mismatch => Self::Mismatch,
            Fault::Returned(function, rv) => match (rv, mechanism) {
                (cryptoki_sys::CKR_MECHANISM_INVALID, Some(id)) => Self::MechanismMissing(id),
                _ => Self::Returned { function, rv },
            },
        }
    }
}
