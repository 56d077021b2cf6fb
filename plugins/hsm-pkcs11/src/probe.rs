//! What the token can really do: the whole life of a key, once for each kind, and the result kept for the session.
//!
//! Modules list mechanisms that fail, and miscall others, so the flags that they give are only a first sieve.

use crate::bindings::symbolon::host::entropy;
use crate::bindings::symbolon::host::pkcs11::Object;
use crate::failure::{Error, Result, unsupported};
use crate::kind::{Kind, Usage};
use crate::mechanism::{self, WRAPPING, gcm, plain};
use crate::signing;
use crate::state::is_end_of_session;
use crate::template::{self as attribute, flag, no, number, yes};
use crate::token::Token;

impl Token {
    /// The mechanism that wraps keys of this kind here.
    pub fn mechanism_for(&self, kind: &'static Kind) -> Result<mechanism::Id> {
        let name = (kind.algorithm, kind.usage.name());
        if let Some(known) = self.probed.borrow().get(&name) {
            return known.clone();
        }
        let result = self.probe(kind);
        if !result.as_ref().is_err_and(is_end_of_session) {
            self.probed.borrow_mut().insert(name, result.clone());
        }
        result
    }

    fn probe(&self, kind: &'static Kind) -> Result<mechanism::Id> {
        if !self.info.mechanisms.contains(&kind.generation) {
            return Err(missing(kind, "the token can't generate such a key"));
        }
        let wrapping = self.throwaway()?;
        let mut last = None;
        for mechanism in WRAPPING.into_iter().filter(|id| self.info.mechanisms.contains(id)) {
            match self.live(kind, mechanism, &wrapping) {
                Ok(()) => return Ok(mechanism),
                Err(error) if is_end_of_session(&error) => return Err(error),
                Err(error) => last = Some(text(&error)),
            }
        }
        Err(missing(kind, &last.unwrap_or_else(|| "the token has no mechanism to wrap keys".into())))
    }

    /// A wrapping key of the session alone, so that the probe needs no master key and leaves nothing behind.
    fn throwaway(&self) -> Result<Object> {
        let template = vec![
            number(attribute::CLASS, attribute::SECRET_KEY),
            number(attribute::KEY_TYPE, attribute::AES),
            number(attribute::VALUE_LEN, 32),
            no(attribute::TOKEN),
            yes(attribute::PRIVATE),
            yes(attribute::SENSITIVE),
            flag(attribute::EXTRACTABLE, false),
            yes(attribute::WRAP),
            yes(attribute::UNWRAP),
            no(attribute::ENCRYPT),
            no(attribute::DECRYPT),
        ];
        self.session.generate_key(&plain(mechanism::AES_KEY_GEN), &template)
    }

    /// Generate, wrap, unwrap, use, destroy.
    fn live(&self, kind: &Kind, mechanism: mechanism::Id, wrapping: &Object) -> Result<()> {
        let generated = self.generate(kind)?;
        let wrapped = self.session.wrap(&plain(mechanism), wrapping, &generated.key)?;
        generated.key.destroy()?;
        let key = self.unwrap(kind, mechanism, wrapping, &wrapped, false)?;
        self.try_out(kind, &key, generated.public.as_ref())?;
        key.destroy()
    }

    fn try_out(&self, kind: &Kind, key: &Object, public: Option<&Object>) -> Result<()> {
        match kind.usage {
            Usage::Seal => {
                let (iv, secret) = (entropy::fill(12), entropy::fill_secret(32));
                let sealed = self.session.encrypt_secret(&gcm(&iv, &[]), key, &secret)?;
                self.session.decrypt_secret(&gcm(&iv, &[]), key, &sealed).map(drop)
            }
            Usage::Wrap => {
                let inner = self.generate(Kind::find("hmac-sha256", &[Usage::Sign.name()])?)?;
                let best = WRAPPING.into_iter().find(|id| self.info.mechanisms.contains(id));
                let best = best.ok_or_else(|| missing(kind, "the token has no mechanism to wrap keys"))?;
                self.session.wrap(&plain(best), key, &inner.key).map(drop)
            }
            Usage::Sign => {
                let (how, data) = signing::prepare(kind, b"symbolon probe")?;
                let signature = self.session.sign(&how, key, &data)?;
                self.session.verify(&how, public.unwrap_or(key), &data, &signature)
            }
        }
    }
}

fn missing(kind: &Kind, why: &str) -> Error {
    unsupported("mechanism.missing", format!("{}: {why}", kind.algorithm))
}

fn text(error: &Error) -> String {
    format!("{}: {}", error.reason, error.message)
}
