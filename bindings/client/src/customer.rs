//! Customer fragments: made here, kept in files here, evaluated here, sent nowhere.
//!
//! What the client needs of one is `evaluate(input) -> 32 bytes` ([`CustomerShare`]), so that a device that never
//! shows its key can take a file's place.

use crate::error::{Error, NotFound, Unavailable};
use crate::secret::{self, Protection, SecretError, Unlock};
use std::path::Path;
use std::sync::Arc;
use symbolon_encoding::Tuple;
use symbolon_fragments::{CustomerContribution, CustomerFragment, CustomerFragmentId, CustomerShare, Input};
use zeroize::Zeroizing;

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

/// The customer fragments that a client has. The first is for writing; all are for reading, so one that was replaced
/// stays behind its successor.
#[derive(Clone, Default)]
pub struct CustomerShares(Arc<[Box<dyn CustomerShare>]>);

impl CustomerShares {
    /// These, the one for writing first.
    pub fn new(shares: Vec<Box<dyn CustomerShare>>) -> Self {
        Self(shares.into())
    }

    /// The id of the one for writing.
    pub(crate) fn writing(&self) -> Result<CustomerFragmentId, NotFound> {
        self.0.first().map(|share| share.id()).ok_or(NotFound::CustomerFragment(None))
    }

    /// What the fragment that a header names contributes; nothing where it names none.
    pub(crate) fn evaluate(
        &self,
        id: Option<CustomerFragmentId>,
        input: &Input,
    ) -> Result<Option<CustomerContribution>, Error> {
        let Some(id) = id else { return Ok(None) };
        let share = self.0.iter().find(|share| share.id() == id);
        let share = share.ok_or(NotFound::CustomerFragment(Some(id)))?;
        Ok(Some(share.evaluate(input).map_err(Unavailable::CustomerFragment)?))
    }

    /// Whether the fragment that a header names is here.
    pub(crate) fn check(&self, id: Option<CustomerFragmentId>) -> Result<(), NotFound> {
        match id {
            Some(id) if !self.0.iter().any(|share| share.id() == id) => {
                Err(NotFound::CustomerFragment(Some(id)))
            }
            _ => Ok(()),
        }
    }
}
