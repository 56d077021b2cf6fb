//! A vendor's PKCS#11 library and its tokens: found by label, logged in to with care for the PIN.

use crate::customer::{KeeperError, PlaceError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Libraries are initialised once a process, and never unloaded: most of them don't survive it.
static LOADED: LazyLock<Mutex<HashMap<PathBuf, Pkcs11>>> = LazyLock::new(Mutex::default);
/// PINs that were refused, as hashes with the token that refused them.
static REFUSED: LazyLock<Mutex<HashSet<[u8; 32]>>> = LazyLock::new(Mutex::default);
/// The PIN that a token took last, as a hash, by the token's. A login is the whole process's: while it lasts, the token
/// looks at nobody's PIN any more, and whoever comes with another one is told so here.
static ACCEPTED: LazyLock<Mutex<HashMap<[u8; 32], [u8; 32]>>> = LazyLock::new(Mutex::default);

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A library that is ready.
pub(super) struct Library(Pkcs11);

impl Library {
    /// The library in a file.
    pub(super) fn load(module: &Path) -> Result<Self, PlaceError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.get(module) {
            return Ok(Self(library.clone()));
        }
        let library = start(module)
            .map_err(|error| PlaceError::Module { module: module.to_owned(), cause: said(&error) })?;
        loaded.insert(module.to_owned(), library.clone());
        Ok(Self(library))
    }

    /// A session of the token's user.
    pub(super) fn log_in(&self, label: &str, pin: &str, access: Access) -> Result<Session, KeeperError> {
        let (slot, token) = self.find(label)?;
        let gone = |error| KeeperError::Gone(said(&error));
        let session = match access {
            Access::Read => self.0.open_ro_session(slot),
            Access::Write => self.0.open_rw_session(slot),
        }
        .map_err(gone)?;
        let mark = mark(&token, pin);
        if is_refused(&mark) {
            return Err(KeeperError::WrongPin);
        }
        if token.user_pin_locked() || token.user_pin_final_try() {
            return Err(PlaceError::Locked(label.to_owned()).into());
        }
        match session.login(UserType::User, Some(&pin.into())) {
            Ok(()) => {
                accept(&token, mark);
                Ok(session)
            }
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) if is_another(&token, mark) => {
                Err(KeeperError::WrongPin)
            }
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                REFUSED.lock().unwrap_or_else(PoisonError::into_inner).insert(mark);
                Err(KeeperError::WrongPin)
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(PlaceError::Locked(label.to_owned()).into()),
            Err(error) => Err(gone(error)),
        }
    }

    fn find(&self, label: &str) -> Result<(Slot, TokenInfo), KeeperError> {
        let gone = |error| KeeperError::Gone(said(&error));
        let mut found = None;
        for slot in self.0.get_slots_with_token().map_err(gone)? {
            let Ok(token) = self.0.get_token_info(slot) else { continue };
            if token.label() == label && found.replace((slot, token)).is_some() {
                return Err(PlaceError::Ambiguous(label.to_owned()).into());
            }
        }
        found.ok_or_else(|| KeeperError::Gone(format!("no slot has a token {label}").into()))
    }
}

fn start(module: &Path) -> Result<Pkcs11, Error> {
    let library = Pkcs11::new(module)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(library),
        Err(error) => Err(error),
    }
}

fn is_refused(mark: &[u8; 32]) -> bool {
    REFUSED.lock().unwrap_or_else(PoisonError::into_inner).contains(mark)
}

fn accept(token: &TokenInfo, mark: [u8; 32]) {
    ACCEPTED.lock().unwrap_or_else(PoisonError::into_inner).insert(name(token), mark);
}

/// Whether this process logged in to the token by another PIN.
fn is_another(token: &TokenInfo, given: [u8; 32]) -> bool {
    let accepted = ACCEPTED.lock().unwrap_or_else(PoisonError::into_inner);
    accepted.get(&name(token)).is_some_and(|accepted| *accepted != given)
}

fn name(token: &TokenInfo) -> [u8; 32] {
    let fields = symbolon_encoding::Tuple::new("token");
    fields.bytes(token.serial_number().as_bytes()).bytes(token.label().as_bytes()).sha256()
}

fn mark(token: &TokenInfo, pin: &str) -> [u8; 32] {
    symbolon_encoding::Tuple::new("pin-of-token").bytes(&name(token)).bytes(pin.as_bytes()).sha256()
}

/// Whether the session, or the token, went away: then it may be there again.
pub(super) fn lost(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::UserNotLoggedIn
            | RvError::DeviceRemoved
            | RvError::DeviceError
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::CryptokiNotInitialized
    )
}

/// A library's error in few words: the standard's own are paragraphs.
pub(super) fn said(error: &Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Pkcs11(code, function) => format!("{function:?}: {code:?}").into(),
        other => other.to_string().into(),
    }
}
