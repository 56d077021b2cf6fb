//! A customer fragment in a PKCS#11 token: a non-extractable generic secret that the token takes HMAC-SHA256 under.
//!
//! The vendor's library is loaded into this process, as by any program that uses a token. A token counts wrong PINs and
//! locks itself after a few: a PIN that was refused once is never tried again by this process, and none is tried where
//! one more would lock the token.

mod library;

use super::{Answer, Keeper, KeeperError, PlaceError, TokenPlace};
use crate::error::Error;
use crate::profile::ProfileError;
use crate::secret::{self, Unlock};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use library::{Access, Library, lost, said};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use symbolon_fragments::{CustomerFragment, CustomerFragmentId};
use zeroize::Zeroizing;

/// What people see of the key in the token's own tools.
const LABEL: &str = "Symbolon customer fragment";

/// Keeps a fragment in a token. The session is opened when it is first needed, and again when it was lost.
pub struct Token(Arc<Inner>);

struct Inner {
    place: TokenPlace,
    id: CustomerFragmentId,
    pin: Zeroizing<String>,
    open: Mutex<Option<Open>>,
}

/// A session that is logged in, and the fragment's handle, which is good only in it.
struct Open {
    session: Session,
    key: ObjectHandle,
}

impl Token {
    /// The keeper of the fragment at this place.
    pub fn new(place: TokenPlace, pin: Zeroizing<String>) -> Result<Self, PlaceError> {
        let id = id(&place.id)?;
        Ok(Self(Arc::new(Inner { place, id, pin, open: Mutex::default() })))
    }
}

impl Keeper for Token {
    fn id(&self) -> CustomerFragmentId {
        self.0.id
    }

    /// On a thread of its own: a token takes its time.
    fn evaluate<'a>(&'a self, message: &'a [u8]) -> Answer<'a> {
        let (inner, message) = (self.0.clone(), message.to_vec());
        Box::pin(async move {
            let work = tokio::task::spawn_blocking(move || inner.evaluate(&message));
            work.await.unwrap_or_else(|panic| Err(KeeperError::Failed(panic.into())))
        })
    }
}

impl Inner {
    fn evaluate(&self, message: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeeperError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &*open {
            Some(present) => present.mac(message),
            None => open.insert(self.open()?).mac(message),
        };
        match answer {
            // A token that was pulled out and put back has no sessions; the PIN was right when it had.
            Err(error) if lost(&error) => {
                *open = None;
                let again = open.insert(self.open()?).mac(message);
                again.map_err(|error| KeeperError::Gone(said(&error)))
            }
            answer => answer.map_err(|error| KeeperError::Failed(said(&error))),
        }
        .and_then(|answer| thirty_two(&answer))
    }

    fn open(&self) -> Result<Open, KeeperError> {
        let session =
            Library::load(&self.place.module)?.log_in(&self.place.token, &self.pin, Access::Read)?;
        let found =
            session.find_objects(&identity(self.id)).map_err(|error| KeeperError::Gone(said(&error)))?;
        let key = found.first().copied().filter(|key| keeps_to_itself(&session, *key));
        let missing = || PlaceError::Key { token: self.place.token.clone(), id: self.place.id.clone() };
        Ok(Open { key: key.ok_or_else(missing)?, session })
    }
}

impl Open {
    fn mac(&self, message: &[u8]) -> cryptoki::error::Result<Zeroizing<Vec<u8>>> {
        self.session.sign(&Mechanism::Sha256Hmac, self.key, message).map(Zeroizing::new)
    }
}

impl TokenPlace {
    pub(super) fn open(&self, unlock: &mut dyn Unlock) -> Result<Arc<dyn Keeper>, Error> {
        let pin = self.pin(unlock)?;
        Ok(Arc::new(Token::new(self.clone(), pin).map_err(ProfileError::CustomerFragment)?))
    }

    fn pin(&self, unlock: &mut dyn Unlock) -> Result<Zeroizing<String>, Error> {
        if let Some(file) = &self.pin_file {
            return Ok(secret::read_line(file)?);
        }
        let needed = || ProfileError::CustomerFragment(PlaceError::PinNeeded(self.token.clone()));
        Ok(unlock.passphrase(Path::new(&self.token)).ok_or_else(needed)?)
    }
}

/// Makes a fragment in a token, which will never show it. Nobody can copy it: a token that is lost takes with it what
/// was encrypted.
pub fn generate(module: &Path, token: &str, pin: &str) -> Result<CustomerFragmentId, KeeperError> {
    let id = CustomerFragmentId::new(crate::random::bytes());
    let session = Library::load(module)?.log_in(token, pin, Access::Write)?;
    let mut template = identity(id);
    template.extend(rules());
    template.push(Attribute::ValueLen(32.into()));
    let made = session.generate_key(&Mechanism::GenericSecretKeyGen, &template);
    check(&session, made, token, id)
}

/// Puts a fragment that is kept elsewhere, on paper perhaps, into a token.
pub fn import(
    module: &Path,
    token: &str,
    pin: &str,
    fragment: &CustomerFragment,
) -> Result<CustomerFragmentId, KeeperError> {
    let session = Library::load(module)?.log_in(token, pin, Access::Write)?;
    let mut template = identity(fragment.id());
    template.extend(rules());
    template.push(Attribute::Value(fragment.secret().to_vec()));
    let made = session.create_object(&template);
    check(&session, made, token, fragment.id())
}

/// Modules take templates with a nod and do otherwise: what came of it is read back.
fn check(
    session: &Session,
    made: cryptoki::error::Result<ObjectHandle>,
    token: &str,
    id: CustomerFragmentId,
) -> Result<CustomerFragmentId, KeeperError> {
    let key = made.map_err(|error| KeeperError::Failed(said(&error)))?;
    if keeps_to_itself(session, key) {
        return Ok(id);
    }
    session.destroy_object(key).map_err(|error| KeeperError::Failed(said(&error)))?;
    Err(PlaceError::Key { token: token.to_owned(), id: id.to_string() }.into())
}

fn keeps_to_itself(session: &Session, key: ObjectHandle) -> bool {
    let asked = [AttributeType::Sensitive, AttributeType::Extractable];
    let Ok(attributes) = session.get_attributes(key, &asked) else { return false };
    attributes.contains(&Attribute::Sensitive(true)) && attributes.contains(&Attribute::Extractable(false))
}

fn identity(id: CustomerFragmentId) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Id(id.as_bytes().to_vec()),
    ]
}

fn rules() -> [Attribute; 6] {
    [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Label(LABEL.into()),
    ]
}

fn id(text: &str) -> Result<CustomerFragmentId, PlaceError> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| PlaceError::Id(text.to_owned()))?;
    Ok(CustomerFragmentId::new(bytes))
}

fn thirty_two(answer: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeeperError> {
    answer.try_into().map(Zeroizing::new).map_err(|_| KeeperError::WrongLength(answer.len()))
}
