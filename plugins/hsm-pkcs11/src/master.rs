//! The HSM's own keys, found by their labels: the master key, which wraps; a key for MACs; and one that is there to be
//! wrapped and nothing else, so that two HSMs can be shown to have the same master key.

use crate::bindings::exports::symbolon::keystore::master::Guest;
use crate::bindings::symbolon::host::pkcs11::Object;
use crate::failure::{Kind as Fault, Result, failure};
use crate::kind::{Kind, Usage};
use crate::mechanism::{self, plain};
use crate::state;
use crate::template::{self as attribute, Template, bytes, flag, no, number, yes};
use crate::token::Token;
use crate::wrapped::MARK;
use crate::{Plugin, mechanism::SHA256_HMAC};

/// What the check value is a MAC of begins so.
const CHECK: &[u8] = b"symbolon/v1/hsm-pkcs11/check-value";

/// The three, in a session.
pub struct Masters {
    pub wrapping: Object,
    pub mac: Object,
    /// Equal where the master key and the key for MACs are, and only there.
    pub check_value: Vec<u8>,
}

/// One of the three.
#[derive(Clone, Copy)]
struct Role {
    name: &'static str,
    key_type: u64,
    generation: mechanism::Id,
    wraps: bool,
    extractable: bool,
}

const WRAPPING: Role = Role {
    name: "master",
    key_type: attribute::AES,
    generation: mechanism::AES_KEY_GEN,
    wraps: true,
    extractable: false,
};
const MAC: Role = Role {
    name: "mac",
    key_type: attribute::GENERIC_SECRET,
    generation: mechanism::GENERIC_SECRET_KEY_GEN,
    wraps: false,
    extractable: false,
};
const CHECKED: Role = Role {
    name: "check",
    key_type: attribute::GENERIC_SECRET,
    generation: mechanism::GENERIC_SECRET_KEY_GEN,
    wraps: false,
    extractable: true,
};

impl Role {
    fn label(self, token: &Token) -> Vec<u8> {
        format!("{} {}", token.settings.label, self.name).into_bytes()
    }

    fn find(self, token: &Token) -> Result<Option<Object>> {
        let template = vec![
            number(attribute::CLASS, attribute::SECRET_KEY),
            bytes(attribute::LABEL, &self.label(token)),
        ];
        let mut found = token.session.find(&template, 2)?;
        if found.len() > 1 {
            return Err(failure(
                Fault::Conflict,
                "master.ambiguous",
                format!("two keys are named {}", self.name),
            ));
        }
        found.pop().map(|key| self.checked(key)).transpose()
    }

    /// A key of this label that was made elsewhere, or that can be taken out, is not one to trust.
    fn checked(self, key: Object) -> Result<Object> {
        let attributes =
            key.get_attributes(&[attribute::EXTRACTABLE, attribute::SENSITIVE, attribute::LOCAL])?;
        let sound = attribute::is(&attributes, attribute::EXTRACTABLE, self.extractable)
            && attribute::is(&attributes, attribute::SENSITIVE, true)
            && attribute::is(&attributes, attribute::LOCAL, true);
        if sound {
            Ok(key)
        } else {
            let message =
                format!("the {} key can be extracted, or was not generated in the token", self.name);
            Err(failure(Fault::Integrity, "key.attributes", message))
        }
    }

    fn create(self, token: &Token) -> Result<()> {
        token.session.generate_key(&plain(self.generation), &self.template(token)).map(drop)
    }

    fn template(self, token: &Token) -> Template {
        let signs = self.key_type == attribute::GENERIC_SECRET && !self.extractable;
        vec![
            number(attribute::CLASS, attribute::SECRET_KEY),
            number(attribute::KEY_TYPE, self.key_type),
            number(attribute::VALUE_LEN, 32),
            bytes(attribute::LABEL, &self.label(token)),
            yes(attribute::TOKEN),
            yes(attribute::PRIVATE),
            yes(attribute::SENSITIVE),
            flag(attribute::EXTRACTABLE, self.extractable),
            flag(attribute::WRAP, self.wraps),
            flag(attribute::UNWRAP, self.wraps),
            flag(attribute::SIGN, signs),
            flag(attribute::VERIFY, signs),
            no(attribute::ENCRYPT),
            no(attribute::DECRYPT),
        ]
    }
}

impl Masters {
    pub fn find(token: &Token) -> Result<Self> {
        match (WRAPPING.find(token)?, MAC.find(token)?, CHECKED.find(token)?) {
            (Some(wrapping), Some(mac), Some(checked)) => {
                let check_value = check_value(token, &wrapping, &mac, &checked)?;
                Ok(Self { wrapping: at_hand(token, wrapping), mac: at_hand(token, mac), check_value })
            }
            (None, None, None) => Err(failure(
                Fault::NotFound,
                "master.missing",
                format!(
                    "the token has no key named {:?}",
                    format!("{} {}", token.settings.label, WRAPPING.name)
                ),
            )),
            _ => Err(failure(
                Fault::Conflict,
                "master.incomplete",
                "the token has some of the keys master, mac and check, but not all",
            )),
        }
    }

    /// What wrapped keys carry of the check value.
    pub fn mark(&self) -> &[u8] {
        &self.check_value[..MARK.min(self.check_value.len())]
    }

    fn exists(token: &Token) -> Result<bool> {
        match Self::find(token) {
            Ok(_) => Ok(true),
            Err(error) if error.reason == "master.missing" => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The same key as an object of the session, where the token lets us have one: some modules read, and decrypt, their own
/// objects from storage at each use.
fn at_hand(token: &Token, key: Object) -> Object {
    let copy = token.session.copy(&key);
    let kept = |copy: &Object| {
        let read = copy.get_attributes(&[attribute::EXTRACTABLE, attribute::SENSITIVE]);
        read.is_ok_and(|attributes| {
            attribute::is(&attributes, attribute::EXTRACTABLE, false)
                && attribute::is(&attributes, attribute::SENSITIVE, true)
        })
    };
    copy.ok().filter(kept).unwrap_or(key)
}

/// The check key wrapped under the master key is the same wherever both are the same, and the MAC of it tells nothing else.
fn check_value(token: &Token, wrapping: &Object, mac: &Object, checked: &Object) -> Result<Vec<u8>> {
    let mechanism = token.mechanism_for(Kind::find("hmac-sha256", &[Usage::Sign.name()])?)?;
    let wrapped = token.session.wrap(&plain(mechanism), wrapping, checked)?;
    token.session.sign(&plain(SHA256_HMAC), mac, &[CHECK, &wrapped].concat())
}

impl Guest for Plugin {
    fn create() -> Result<()> {
        state::with(|token| {
            if Masters::exists(token)? {
                return Err(failure(Fault::Conflict, "master.exists", "the token has a master key already"));
            }
            // The master key last: without it nothing can be wrapped, so a creation cut short is seen.
            [CHECKED, MAC, WRAPPING].into_iter().try_for_each(|role| role.create(token))
        })
    }

    fn check_value() -> Result<Vec<u8>> {
        state::with(|token| Ok(token.masters()?.check_value.clone()))
    }
}
