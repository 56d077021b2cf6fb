//! The holder's identity: an Ed25519 key in a file, which is who the caller is.

use crate::secret::{self, Protection, SecretError, Unlock};
use std::path::Path;
use symbolon_encoding::Tuple;
use symbolon_trust::KeyPair;

/// Makes an identity in a new file.
pub fn create(path: &Path, protection: &Protection) -> Result<KeyPair, SecretError> {
    let pair = KeyPair::generate(&mut crate::random::system());
    secret::create(path, protection, &label(), &*pair.seed())?;
    Ok(pair)
}

/// The identity in a file.
pub fn load(path: &Path, unlock: &mut dyn Unlock) -> Result<KeyPair, SecretError> {
    let seed = secret::read(path, unlock, &label())?;
    let seed = seed.as_slice().try_into().map_err(|_| SecretError::Content(path.into()))?;
    Ok(KeyPair::from_seed(seed))
}

fn label() -> Tuple {
    Tuple::new("sealed/identity")
}
