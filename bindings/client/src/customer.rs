//! Customer fragments: made on this side, kept on this side, evaluated on this side, sent nowhere.
//!
//! What the client needs of one is `evaluate(message) -> 32 bytes` ([`Keeper`]), never the fragment: it may lie in a
//! file, in a PKCS#11 token that never shows it, or behind a callback of another language.

mod place;
mod shares;
#[cfg(feature = "pkcs11")]
pub mod token;

pub use place::{Place, PlaceError, TokenPlace};
pub(crate) use shares::{Contributions, Shares};

use crate::secret::{self, Protection, SecretError, Unlock};
use futures_util::future::{BoxFuture, ready};
use std::path::Path;
use symbolon_encoding::Tuple;
use symbolon_fragments::{CustomerFragment, CustomerFragmentId};
use zeroize::Zeroizing;

/// What a keeper answers: 32 bytes, in a while.
pub type Answer<'a> = BoxFuture<'a, Result<Zeroizing<[u8; 32]>, KeeperError>>;

/// Whoever keeps a customer fragment. It evaluates, and need not be able to show it.
pub trait Keeper: Send + Sync {
    /// The fragment's id.
    fn id(&self) -> CustomerFragmentId;

    /// HMAC-SHA256 of the message under the fragment. The message is ready made (specification §3); the client asks
    /// for several at a time, and drops the future when nobody waits for it any more.
    fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a>;
}

/// Why a keeper doesn't answer.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// What it is kept in isn't there now: a token that was pulled out.
    #[error("what keeps it is not there")]
    Gone(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The token refused its PIN. It is not tried again, because a few wrong ones lock a token.
    #[error("the token refused the PIN; it is not tried again")]
    WrongPin,
    /// It isn't where it is said to be.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A callback answered with something else than 32 bytes.
    #[error("the callback gave {0} bytes, not 32")]
    WrongLength(usize),
    /// Anything else, a callback that throws among it.
    #[error("evaluating it failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Keeper for CustomerFragment {
    fn id(&self) -> CustomerFragmentId {
        self.id()
    }

    fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a> {
        Box::pin(ready(Ok(self.mac(message))))
    }
}

/// Makes a customer fragment in a new file.
pub fn create(path: &Path, protection: &Protection) -> Result<CustomerFragmentId, SecretError> {
    let fragment = CustomerFragment::generate(&mut crate::random::system());
    write(path, protection, &fragment)?;
    Ok(fragment.id())
}

/// The customer fragment in a file.
pub fn load(path: &Path, unlock: &mut dyn Unlock) -> Result<CustomerFragment, SecretError> {
    let content = secret::read(path, unlock, &label())?;
    let fragment = match content.split_first_chunk::<16>() {
        Some((id, secret)) => secret.try_into().ok().map(|secret: [u8; 32]| (*id, Zeroizing::new(secret))),
        None => None,
    };
    let (id, secret) = fragment.ok_or_else(|| SecretError::Content(path.into()))?;
    Ok(CustomerFragment::new(CustomerFragmentId::new(id), secret))
}

/// Copies a customer fragment to a new file under another protection: a backup, and its restoration.
pub fn copy(
    from: &Path,
    unlock: &mut dyn Unlock,
    to: &Path,
    protection: &Protection,
) -> Result<CustomerFragmentId, SecretError> {
    let fragment = load(from, unlock)?;
    write(to, protection, &fragment)?;
    Ok(fragment.id())
}

fn write(path: &Path, protection: &Protection, fragment: &CustomerFragment) -> Result<(), SecretError> {
    let content = Zeroizing::new([&fragment.id().as_bytes()[..], fragment.secret()].concat());
    secret::create(path, protection, &label(), &content)
}

fn label() -> Tuple {
    Tuple::new("sealed/customer-fragment")
}
