//! What a caller may ask of a token: the grant's lists, and the rules by which no key leaves a token in the clear.
//!
//! Extractable keys are part of the stateless design: they are generated to be wrapped. A caller that also chose the
//! wrapping key could wrap them under one that it knows, or decrypt what the master key wrapped. So:
//! - an attribute that holds key bytes is neither read nor written, thus a caller knows no key;
//! - the template of a key says `CKA_SENSITIVE` = true and its uses, so nothing is left to a module's default;
//! - a key either wraps or encrypts, never both, and each mechanism does only the one;
//! - plaintexts are secrets ([`crate::Session::encrypt`]), which the host keeps from plugins.
//!
//! A template says a thing once, and yes or no in one byte: of two values a module may take the one that was not looked at
//! here. And the library only gets structures that its mechanism reads: the numbers of one are another's pointers.

use std::collections::BTreeSet;

use crate::number::attribute::{
    CKA_CLASS, CKA_COEFFICIENT, CKA_DECRYPT, CKA_DERIVE, CKA_ENCRYPT, CKA_EXPONENT_1, CKA_EXPONENT_2,
    CKA_EXTRACTABLE, CKA_PRIME_1, CKA_PRIME_2, CKA_PRIVATE_EXPONENT, CKA_SENSITIVE, CKA_TOKEN, CKA_UNWRAP,
    CKA_VALUE, CKA_WRAP,
};
use crate::number::mechanism::{
    CKM_AES_GCM, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_RSA_PKCS_PSS,
};
use crate::number::{AttributeId, MechanismId};
use crate::wire::{Attribute, Mechanism, Parameters};

/// Key bytes.
const KEY_BYTES: [AttributeId; 8] = [
    CKA_VALUE,
    cryptoki_sys::CKA_SEED,
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
    /// The attribute holds addresses, which the library would follow.
    #[error("attribute {0:#x} holds a template of its own")]
    Nested(AttributeId),
    /// The attribute is named more than once.
    #[error("attribute {0:#x} is named twice")]
    Twice(AttributeId),
    /// The attribute is true or false, in one byte.
    #[error("attribute {0:#x} is neither true nor false")]
    NoFlag(AttributeId),
    /// The mechanism reads other parameters, or none.
    #[error("mechanism {0:#x} takes other parameters")]
    Parameters(MechanismId),
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

    pub(crate) fn mechanism(&self, mechanism: &Mechanism, asked: Use) -> Result<(), NotAllowed> {
        let id = mechanism.id;
        if !self.mechanisms.contains(&id) {
            return Err(NotAllowed::Mechanism(id));
        }
        let fits = match asked {
            Use::Wrap => WRAPPING.contains(&id),
            Use::Encrypt => ENCRYPTING.contains(&id),
            Use::Sign | Use::Generate => !WRAPPING.contains(&id) && !ENCRYPTING.contains(&id),
        };
        if !fits {
            return Err(NotAllowed::OtherUse(id));
        }
        if takes(mechanism) { Ok(()) } else { Err(NotAllowed::Parameters(id)) }
    }

    pub(crate) fn attributes(&self, ids: impl IntoIterator<Item = AttributeId>) -> Result<(), NotAllowed> {
        let mut named = BTreeSet::new();
        ids.into_iter().try_for_each(|id| match id {
            id if KEY_BYTES.contains(&id) => Err(NotAllowed::KeyBytes(id)),
            id if id & cryptoki_sys::CKF_ARRAY_ATTRIBUTE != 0 => Err(NotAllowed::Nested(id)),
            id if !self.attributes.contains(&id) => Err(NotAllowed::Attribute(id)),
            id if !named.insert(id) => Err(NotAllowed::Twice(id)),
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
        if key.flag(CKA_DERIVE)? == Some(true) {
            return Err(NotAllowed::Derivable);
        }
        key.says(CKA_TOKEN)?;
        key.says(CKA_EXTRACTABLE)?;
        key.one_use()
    }
}

/// Whether the parameters are those that the mechanism reads. A module believes that they are.
fn takes(mechanism: &Mechanism) -> bool {
    match mechanism.parameters {
        Parameters::Gcm { .. } => mechanism.id == CKM_AES_GCM,
        Parameters::Pss { .. } => mechanism.id == CKM_RSA_PKCS_PSS,
        Parameters::None => ![CKM_AES_GCM, CKM_RSA_PKCS_PSS].contains(&mechanism.id),
    }
}

/// A template of a key, read as a set of answers.
struct KeyTemplate<'a>(&'a [Attribute]);

impl KeyTemplate<'_> {
    fn value(&self, id: AttributeId) -> Option<&[u8]> {
        self.0.iter().find(|attribute| attribute.id == id).map(|attribute| &*attribute.value)
    }

    fn flag(&self, id: AttributeId) -> Result<Option<bool>, NotAllowed> {
        match self.value(id) {
            None => Ok(None),
            Some([byte @ 0..=1]) => Ok(Some(*byte == 1)),
            Some(_) => Err(NotAllowed::NoFlag(id)),
        }
    }

    fn says(&self, id: AttributeId) -> Result<bool, NotAllowed> {
        self.flag(id)?.ok_or(NotAllowed::Unsaid(id))
    }

    /// A private key needn't say `CKA_ENCRYPT` and `CKA_WRAP`: those are its public key's.
    fn one_use(&self) -> Result<(), NotAllowed> {
        let private =
            self.value(CKA_CLASS).is_some_and(|class| class == cryptoki_sys::CKO_PRIVATE_KEY.to_le_bytes());
        let outward = |id| if private { Ok(self.flag(id)?.unwrap_or(false)) } else { self.says(id) };
        let encrypts = outward(CKA_ENCRYPT)? | self.says(CKA_DECRYPT)?;
        let wraps = outward(CKA_WRAP)? | self.says(CKA_UNWRAP)?;
        if encrypts && wraps { Err(NotAllowed::TwoUses) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::attribute::{CKA_LABEL, CKA_VALUE_LEN};
    use crate::number::mechanism::{CKM_AES_KEY_GEN, CKM_EDDSA};

    /// Whatever a manifest may ask for.
    fn everything() -> Allowed {
        let vendors = [cryptoki_sys::CKA_WRAP_TEMPLATE, cryptoki_sys::CKA_SEED];
        Allowed {
            mechanisms: crate::number::mechanism::ALL.iter().map(|(_, id)| *id).collect(),
            attributes: crate::number::attribute::ALL.iter().map(|(_, id)| *id).chain(vendors).collect(),
        }
    }

    fn flag(id: AttributeId, value: &[u8]) -> Attribute {
        Attribute { id, value: value.into() }
    }

    /// A key that encrypts.
    fn sealing() -> Vec<Attribute> {
        let yes = [CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT];
        let no = [CKA_TOKEN, CKA_WRAP, CKA_UNWRAP];
        yes.map(|id| flag(id, &[1])).into_iter().chain(no.map(|id| flag(id, &[0]))).collect()
    }

    #[test]
    fn a_template_says_a_thing_once_and_clearly() {
        let allowed = everything();
        allowed.key(&sealing()).unwrap();
        for id in [CKA_WRAP, CKA_SENSITIVE, CKA_TOKEN] {
            let twice = [sealing(), vec![flag(id, &[1])]].concat();
            assert_eq!(allowed.key(&twice), Err(NotAllowed::Twice(id)));
        }
        for vague in [&[][..], &[2], &[0, 0], &[1; 8]] {
            let mut template = sealing();
            template[0].value = vague.into();
            assert_eq!(allowed.key(&template), Err(NotAllowed::NoFlag(CKA_SENSITIVE)), "{vague:?}");
        }
    }

    #[test]
    fn a_key_that_calls_itself_private_has_one_use_too() {
        let private = flag(CKA_CLASS, &cryptoki_sys::CKO_PRIVATE_KEY.to_le_bytes());
        let mut template = sealing();
        template.push(private);
        everything().key(&template).unwrap();
        template.iter_mut().find(|attribute| attribute.id == CKA_WRAP).unwrap().value = vec![1];
        assert_eq!(everything().key(&template), Err(NotAllowed::TwoUses));
    }

    /// Their values are addresses in the library's process, which the library would follow.
    #[test]
    fn no_template_is_in_a_template() {
        for id in [cryptoki_sys::CKA_WRAP_TEMPLATE, cryptoki_sys::CKA_UNWRAP_TEMPLATE] {
            assert_eq!(everything().attributes([id]), Err(NotAllowed::Nested(id)));
        }
        assert_eq!(
            everything().attributes([cryptoki_sys::CKA_SEED]),
            Err(NotAllowed::KeyBytes(cryptoki_sys::CKA_SEED))
        );
        everything().attributes([CKA_LABEL, CKA_VALUE_LEN]).unwrap();
    }

    /// The third number of RSA-PSS is where `CK_EDDSA_PARAMS` has the address of a context.
    #[test]
    fn a_mechanism_gets_its_own_parameters_only() {
        let pss = || Parameters::Pss { hash: 1, mgf: 64, salt_length: 0xdead_beef };
        let gcm = || Parameters::Gcm { iv: vec![0; 12], aad: Vec::new(), tag_bits: 128 };
        let asked = |id, parameters, asked| everything().mechanism(&Mechanism { id, parameters }, asked);
        asked(CKM_RSA_PKCS_PSS, pss(), Use::Sign).unwrap();
        asked(CKM_EDDSA, Parameters::None, Use::Sign).unwrap();
        asked(CKM_AES_GCM, gcm(), Use::Encrypt).unwrap();
        for (id, parameters, used) in [
            (CKM_EDDSA, pss(), Use::Sign),
            (CKM_EDDSA, gcm(), Use::Sign),
            (CKM_AES_KEY_GEN, pss(), Use::Generate),
            (CKM_AES_KEY_WRAP_KWP, gcm(), Use::Wrap),
            (CKM_AES_GCM, pss(), Use::Encrypt),
            (CKM_AES_GCM, Parameters::None, Use::Encrypt),
            (CKM_RSA_PKCS_PSS, Parameters::None, Use::Sign),
        ] {
            assert_eq!(asked(id, parameters, used), Err(NotAllowed::Parameters(id)), "{id:#x}");
        }
    }
}
