//! A session with the token, and what was found out in it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::symbolon::host::pkcs11::{self, Object, Session, TokenInfo};
use crate::cache::Cache;
use crate::failure::{Result, integrity};
use crate::kind::{Kind, Shape};
use crate::master::Masters;
use crate::mechanism::{self, plain};
use crate::setting::Settings;
use crate::template::{self as attribute, Template};

/// Ends with its session, and its objects with it.
pub struct Token {
    pub session: Session,
    pub info: TokenInfo,
    pub settings: Settings,
    pub cache: RefCell<Cache>,
    /// By the kind's algorithm and usage: the mechanism that wraps it, or why none does.
    pub probed: RefCell<BTreeMap<(&'static str, &'static str), Result<mechanism::Id>>>,
    masters: OnceCell<Masters>,
}

/// A key that was just generated, with its public key if it is a pair.
pub struct Generated {
    pub key: Object,
    pub public: Option<Object>,
}

impl Token {
    pub fn open() -> Result<Self> {
        let settings = Settings::read()?;
        let session = pkcs11::open(&settings.token)?;
        let info = session.info()?;
        let cache = RefCell::new(Cache::new(settings.cache));
        Ok(Self { session, info, settings, cache, probed: RefCell::default(), masters: OnceCell::new() })
    }

    /// The module, as wrapped keys name it.
    pub fn module(&self) -> String {
        format!("{} {}", self.info.manufacturer, self.info.model)
    }

    /// The keys of the HSM itself.
    pub fn masters(&self) -> Result<&Masters> {
        if let Some(masters) = self.masters.get() {
            return Ok(masters);
        }
        let found = Masters::find(self)?;
        Ok(self.masters.get_or_init(|| found))
    }

    /// A new key in the session, to be wrapped and then destroyed.
    pub fn generate(&self, kind: &Kind) -> Result<Generated> {
        let how = plain(kind.generation);
        match kind.shape {
            Shape::Secret { .. } => {
                Ok(Generated { key: self.session.generate_key(&how, &kind.new_key())?, public: None })
            }
            Shape::Curve { .. } | Shape::Rsa { .. } => {
                let (public, key) =
                    self.session.generate_key_pair(&how, &kind.new_public_key(), &kind.new_key())?;
                Ok(Generated { key, public: Some(public) })
            }
        }
    }

    /// Unwraps a key into the session, and makes sure that the token took the template seriously.
    pub fn unwrap(
        &self,
        kind: &Kind,
        mechanism: mechanism::Id,
        wrapping: &Object,
        wrapped: &[u8],
        extractable: bool,
    ) -> Result<Rc<Object>> {
        let template = kind.unwrapped(extractable);
        let read_back = [attribute::EXTRACTABLE, attribute::SENSITIVE];
        let (key, attributes) =
            self.session.unwrap(&plain(mechanism), wrapping, wrapped, &template, &read_back)?;
        kept_secret(&attributes, extractable)?;
        Ok(Rc::new(key))
    }
}

fn kept_secret(attributes: &Template, extractable: bool) -> Result<()> {
    let as_asked = attribute::is(attributes, attribute::EXTRACTABLE, extractable)
        && attribute::is(attributes, attribute::SENSITIVE, true);
    if as_asked {
        Ok(())
    } else {
        Err(integrity("key.attributes", "the token made the unwrapped key readable, whatever it was told"))
    }
}
