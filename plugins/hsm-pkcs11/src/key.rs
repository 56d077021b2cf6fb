//! Keys: generated in the token, wrapped, opened again; and what the provider says of itself.

use std::rc::Rc;

use crate::Plugin;
use crate::bindings::exports::symbolon::keystore::provider::{
    Descriptor, Guest, GuestKey, Key, KeyInfo, KeySpec,
};
use crate::bindings::symbolon::host::pkcs11::Object;
use crate::bindings::symbolon::types::values::{Attributes, Value};
use crate::failure::{Result, integrity};
use crate::kind::{self, Kind};
use crate::mechanism::{SHA256_HMAC, plain};
use crate::public_key;
use crate::setting::Settings;
use crate::state;
use crate::token::Token;
use crate::wrapped::{self, Content};

/// A key whose MAC was verified. It is unwrapped when it is used.
pub struct HsmKey {
    id: Vec<u8>,
    binding: Vec<u8>,
    pub kind: &'static Kind,
    content: Rc<Content>,
}

impl HsmKey {
    /// Wraps a key of the session under the master key, and destroys it there.
    pub fn keep(
        token: &Token,
        kind: &'static Kind,
        key: &Object,
        public_key: Vec<u8>,
        binding: Vec<u8>,
    ) -> Result<Self> {
        let masters = token.masters()?;
        let mechanism = token.mechanism_for(kind)?;
        let wrapped = token.session.wrap(&plain(mechanism), &masters.wrapping, key)?;
        key.destroy()?;
        let content = Content::new(kind, token.module(), masters.mark(), mechanism, public_key, wrapped);
        let mac = token.session.sign(&plain(SHA256_HMAC), &masters.mac, &content.authenticated(&binding))?;
        let (id, content) = content.with_mac(mac);
        Ok(Self { id, binding, kind, content: Rc::new(content) })
    }

    /// The key of this id, if it is one of this HSM and has this binding.
    pub fn find(token: &Token, id: Vec<u8>, binding: Vec<u8>) -> Result<Self> {
        let cached = token.cache.borrow_mut().get(&id, &binding);
        let content = match cached {
            Some((content, _)) => content,
            None => Rc::new(authentic(token, &id, &binding)?),
        };
        Ok(Self { kind: content.kind()?, id, binding, content })
    }

    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// `SubjectPublicKeyInfo` of a pair, else empty.
    pub fn public_key(&self) -> &[u8] {
        &self.content.public_key
    }

    /// The key in the session.
    pub fn unwrapped(&self, token: &Token) -> Result<Rc<Object>> {
        if let Some((_, object)) = token.cache.borrow_mut().get(&self.id, &self.binding) {
            return Ok(object);
        }
        let object = self.unwrap(token, false)?;
        token.cache.borrow_mut().put(&self.id, &self.binding, self.content.clone(), object.clone());
        Ok(object)
    }

    /// The key in the session for a moment, such that it can be wrapped under another.
    pub fn unwrapped_to_wrap(&self, token: &Token) -> Result<Rc<Object>> {
        self.unwrap(token, true)
    }

    fn unwrap(&self, token: &Token, extractable: bool) -> Result<Rc<Object>> {
        let masters = token.masters()?;
        token.unwrap(self.kind, self.content.mechanism, &masters.wrapping, &self.content.wrapped, extractable)
    }
}

/// Verifies the MAC before anything else. Only when it fails, what is inside tells what advice to give.
fn authentic(token: &Token, id: &[u8], binding: &[u8]) -> Result<Content> {
    let (content, mac) = wrapped::decode(id)?;
    let masters = token.masters()?;
    match token.session.verify(&plain(SHA256_HMAC), &masters.mac, &content.authenticated(binding), &mac) {
        Ok(()) => Ok(content),
        Err(error) if state::is_end_of_session(&error) => Err(error),
        Err(_) if content.module != token.module() => {
            let message = format!("it was wrapped by {:?}, and this is {:?}", content.module, token.module());
            Err(integrity("key.foreign-module", message))
        }
        Err(_) if content.master != masters.mark() => {
            Err(integrity("key.foreign-master", "it was wrapped under another master key"))
        }
        Err(_) => Err(integrity("key.tampered", "its MAC is not that of this key and binding")),
    }
}

impl Guest for Plugin {
    type Key = HsmKey;

    fn describe() -> Result<Descriptor> {
        state::with(|token| {
            let mut algorithms: Vec<String> = Vec::new();
            for kind in &kind::ALL {
                match token.mechanism_for(kind) {
                    Ok(_) if algorithms.iter().any(|known| known == kind.algorithm) => {}
                    Ok(_) => algorithms.push(kind.algorithm.into()),
                    Err(error) if state::is_end_of_session(&error) => return Err(error),
                    Err(_) => {}
                }
            }
            let version = env!("CARGO_PKG_VERSION").into();
            Ok(Descriptor { name: "hsm-pkcs11".into(), version, algorithms, attributes: about(token) })
        })
    }

    fn check_config() -> Result<()> {
        Settings::read().map(drop)
    }

    fn health() -> Result<Attributes> {
        state::with(|token| {
            token.masters()?;
            Ok(about(token))
        })
    }

    fn generate(spec: KeySpec, binding: Vec<u8>) -> Result<Key> {
        let kind = Kind::find(&spec.algorithm, &spec.usages)?;
        state::with(|token| {
            token.mechanism_for(kind)?;
            let generated = token.generate(kind)?;
            let public_key = generated.public.map(|public| public_key::read(kind, &public)).transpose()?;
            HsmKey::keep(token, kind, &generated.key, public_key.unwrap_or_default(), binding).map(Key::new)
        })
    }

    fn open(id: Vec<u8>, binding: Vec<u8>) -> Result<Key> {
        state::with(|token| HsmKey::find(token, id, binding).map(Key::new))
    }
}

impl GuestKey for HsmKey {
    fn info(&self) -> Result<KeyInfo> {
        let public_key = &self.content.public_key;
        Ok(KeyInfo {
            id: self.id.clone(),
            algorithm: self.kind.algorithm.into(),
            usages: vec![self.kind.usage.name().into()],
            public_key: (!public_key.is_empty()).then(|| public_key.clone()),
            attributes: vec![
                ("module".into(), Value::Text(self.content.module.clone())),
                ("mechanism".into(), Value::Integer(self.content.mechanism.cast_signed())),
            ],
        })
    }

    fn destroy(&self) -> Result<()> {
        state::with(|token| {
            token.cache.borrow_mut().remove(&self.id);
            Ok(())
        })
    }
}

fn about(token: &Token) -> Attributes {
    let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.to_owned()));
    vec![
        text("token", &token.info.label),
        text("module", &token.module()),
        text("serial", &token.info.serial),
        text("firmware", &token.info.firmware),
    ]
}
