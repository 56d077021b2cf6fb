//! From a module's file to a session that is logged in.

use std::path::Path;

use cryptoki_sys::{
    CK_SLOT_ID, CK_TOKEN_INFO, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED, CKR_PIN_INCORRECT,
    CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_LOCKED, CKR_USER_ALREADY_LOGGED_IN,
};

use super::module::{Module, Session};
use crate::number::MechanismId;
use crate::wire::{Fault, Request, TokenInfo};

/// Loads the module, finds the token by its label, and logs in.
pub fn open(request: &Request) -> Result<(Session, TokenInfo), Fault> {
    let Request::Open { module, label, pin } = request else { return Err(Fault::Lost) };
    let module = Module::load(Path::new(module))?;
    module.initialize()?;
    let (slot, info) = find(&module, label)?;
    let mechanisms = module.mechanisms(slot)?;
    let session = module.open_session(slot)?;
    login(&session, &info, pin.bytes())?;
    Ok((session, described(&info, mechanisms)))
}

fn find(module: &Module, label: &str) -> Result<(CK_SLOT_ID, CK_TOKEN_INFO), Fault> {
    let mut found = Vec::new();
    for slot in module.slots()? {
        // A slot whose token can't be asked holds another one than ours, or none any more.
        let Ok(info) = module.token_info(slot) else { continue };
        if text(&info.label) == label {
            found.push((slot, info));
        }
    }
    match found.len() {
        0 => Err(Fault::Absent),
        1 => Ok(found.remove(0)),
        _ => Err(Fault::Ambiguous),
    }
}

/// Logs in, unless a wrong PIN could lock the token.
fn login(session: &Session, info: &CK_TOKEN_INFO, pin: &[u8]) -> Result<(), Fault> {
    if info.flags & CKF_USER_PIN_LOCKED != 0 {
        return Err(Fault::PinLocked);
    }
    if info.flags & CKF_USER_PIN_FINAL_TRY != 0 {
        return Err(Fault::PinLastTry);
    }
    match session.login(pin) {
        Err(Fault::Returned(_, CKR_PIN_INCORRECT | CKR_PIN_INVALID | CKR_PIN_LEN_RANGE)) => {
            Err(Fault::PinRefused)
        }
        Err(Fault::Returned(_, CKR_PIN_LOCKED)) => Err(Fault::PinLocked),
        Err(Fault::Returned(_, CKR_USER_ALREADY_LOGGED_IN)) => Ok(()),
        tried => tried,
    }
}

fn described(info: &CK_TOKEN_INFO, mechanisms: Vec<MechanismId>) -> TokenInfo {
    TokenInfo {
        label: text(&info.label),
        manufacturer: text(&info.manufacturerID),
        model: text(&info.model),
        serial: text(&info.serialNumber),
        firmware: format!("{}.{}", info.firmwareVersion.major, info.firmwareVersion.minor),
        mechanisms,
    }
}

/// The standard's texts are padded with spaces; some modules use zeroes.
fn text(padded: &[u8]) -> String {
    let text = String::from_utf8_lossy(padded);
    text.trim_end_matches([' ', '\0']).to_owned()
}
