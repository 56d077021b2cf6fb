//! What a caller may ask of a token: the grant's lists, and the rules by which no key leaves a token in the clear.
//!
//! Extractable keys are part of the stateless design: they are generated to be wrapped. A caller that also chose the
//! wrapping key could wrap them under one that it knows, or decrypt what the master key wrapped. So:
//! - an attribute that holds key bytes is neither read nor written, thus a caller knows no key;
//! - the template of a key says `CKA_SENSITIVE` = true and its uses, so nothing is left to a module's default;
//! - a key either wraps or encrypts, never both, and each mechanism does only the one;
//! - plaintexts are secrets ([`crate::Session::encrypt`]), which the host keeps from plugins.

use std::collections::BTreeSet;

use crate::number::attribute::{
    CKA_CLASS, CKA_COEFFICIENT, CKA_DECRYPT, CKA_DERIVE, CKA_ENCRYPT, CKA_EXPONENT_1, CKA_EXPONENT_2,
    CKA_EXTRACTABLE, CKA_PRIME_1, CKA_PRIME_2, CKA_PRIVATE_EXPONENT, CKA_SENSITIVE, CKA_TOKEN, CKA_UNWRAP,
    CKA_VALUE, CKA_WRAP,
};
use crate::number::mechanism::{CKM_AES_GCM, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD};
use crate::number::{AttributeId, MechanismId};
use crate::wire::Attribute;

/// Key bytes.
const KEY_BYTES: [AttributeId; 7] = [
    CKA_VALUE,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
];
const WRAPPING: [MechanismId; 3] = [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP];
const ENCRYPTING: [MechanismId; 1] = [CKM_AES_GCM];

/// A grant's mechanisms and attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `CKM_*`.
    pub mechanisms: BTreeSet<MechanismId>,
    /// `CKA_*`.
    pub attributes: BTreeSet<AttributeId>,
}

/// What was asked and is not allowed; the token was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// The grant doesn't list the mechanism.
    #[error("the grant has no mechanism {0:#x}")]
    Mechanism(MechanismId),
    /// The grant doesn't list the attribute.
    #[error("the grant has no attribute {0:#x}")]
    Attribute(AttributeId),
    /// The attribute holds key bytes.
    #[error("attribute {0:#x} holds key bytes")]
    KeyBytes(AttributeId),
    /// The mechanism is not one for this use.
    #[error("mechanism {0:#x} is not for this use")]
    OtherUse(MechanismId),
    /// A key's template leaves something to the module's default.
    #[error("the template of a key has to say attribute {0:#x}")]
    Unsaid(AttributeId),
    /// A key's template asks for a key that can be read.
    #[error("a key has to be sensitive")]
    Readable,
    /// A key's template asks for one that can be derived from.
    #[error("a key may not be derived from")]
    Derivable,
    /// A key's template asks for one that wraps and encrypts.
    #[error("a key wraps or encrypts, never both")]
    TwoUses,
    /// The object is the token's.
    #[error("an object of the token itself is destroyed by its owner only")]
    OfTheToken,
}

/// What a mechanism is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Generate,
    Sign,
    Encrypt,
    Wrap,
}

impl Allowed {
    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            mechanisms: self.mechanisms.intersection(&other.mechanisms).copied().collect(),
            attributes: self.attributes.intersection(&other.attributes).copied().collect(),
        }
    }

    pub(crate) fn mechanism(&self, id: MechanismId, asked: Use) -> Result<(), NotAllowed> {
        if !self.mechanisms.contains(&id) {
            return Err(NotAllowed::Mechanism(id));
        }
        let fits = match asked {
            Use::Wrap => WRAPPING.contains(&id),
            Use::Encrypt => ENCRYPTING.contains(&id),
            Use::Sign | Use::Generate => !WRAPPING.contains(&id) && !ENCRYPTING.contains(&id),
        };
        if fits { Ok(()) } else { Err(NotAllowed::OtherUse(id)) }
    }

    pub(crate) fn attributes(&self, ids: impl IntoIterator<Item = AttributeId>) -> Result<(), NotAllowed> {
        ids.into_iter().try_for_each(|id| match id {
            id if KEY_BYTES.contains(&id) => Err(NotAllowed::KeyBytes(id)),
            id if !self.attributes.contains(&id) => Err(NotAllowed::Attribute(id)),
            _ => Ok(()),
        })
    }

    pub(crate) fn template(&self, template: &[Attribute]) -> Result<(), NotAllowed> {
        self.attributes(template.iter().map(|attribute| attribute.id))
    }

    /// The template of a secret or private key that is generated or unwrapped.
    pub(crate) fn key(&self, template: &[Attribute]) -> Result<(), NotAllowed> {
        self.template(template)?;
        let key = KeyTemplate(template);
        if !key.says(CKA_SENSITIVE)? {
            return Err(NotAllowed::Readable);
        }
        if key.has(CKA_DERIVE) {
            return Err(NotAllowed::Derivable);
        }
        key.says(CKA_TOKEN)?;
        key.says(CKA_EXTRACTABLE)?;
        key.one_use()
    }
}

/// A template of a key, read as a set of answers.
struct KeyTemplate<'a>(&'a [Attribute]);

impl KeyTemplate<'_> {
    fn value(&self, id: AttributeId) -> Option<&[u8]> {
        self.0.iter().find(|attribute| attribute.id == id).map(|attribute| &*attribute.value)
    }

    fn has(&self, id: AttributeId) -> bool {
        self.value(id).is_some_and(|value| value != [0])
    }

    fn says(&self, id: AttributeId) -> Result<bool, NotAllowed> {
        self.value(id).map(|value| value != [0]).ok_or(NotAllowed::Unsaid(id))
    }

    /// A private key has neither `CKA_ENCRYPT` nor `CKA_WRAP`: those are its public key's.
    fn one_use(&self) -> Result<(), NotAllowed> {
        let private =
            self.value(CKA_CLASS).is_some_and(|class| class == cryptoki_sys::CKO_PRIVATE_KEY.to_le_bytes());
        let (encrypts, wraps) = if private {
            (self.says(CKA_DECRYPT)?, self.says(CKA_UNWRAP)?)
        } else {
            let encrypts = self.says(CKA_ENCRYPT)? | self.says(CKA_DECRYPT)?;
            (encrypts, self.says(CKA_WRAP)? | self.says(CKA_UNWRAP)?)
        };
        if encrypts && wraps { Err(NotAllowed::TwoUses) } else { Ok(()) }
    }
}
