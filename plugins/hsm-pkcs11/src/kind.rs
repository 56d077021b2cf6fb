//! The kinds of keys: how each is generated, what it is for, what it looks like to the token.

use crate::failure::{Result, invalid, unsupported};
use crate::mechanism::{self, Id};
use crate::template::{self as attribute, Template, bytes, flag, no, number, yes};

/// What a key is for. One key, one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Seals secrets of the host.
    Seal,
    /// Wraps other keys.
    Wrap,
    /// Signs, or makes MACs.
    Sign,
}

/// What a token knows of a kind of key.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    Secret {
        /// `CKK_*`.
        key_type: u64,
    },
    Curve {
        /// `CKK_*`.
        key_type: u64,
        /// DER of the curve's object identifier.
        parameters: &'static [u8],
        /// Length of a public point as such, bytes.
        point: usize,
    },
    Rsa {
        bits: u64,
    },
}

/// One kind of key with one usage.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name in the plugin author's guide.
    pub algorithm: &'static str,
    pub usage: Usage,
    pub generation: Id,
    pub shape: Shape,
    /// The signature algorithm's name, where it signs.
    pub signature: Option<&'static str>,
}

/// All that there are; which of them a token can do, [`crate::probe`] finds out.
pub const ALL: [Kind; 8] = [
    secret("aes-256", Usage::Seal, mechanism::AES_KEY_GEN, attribute::AES, None),
    secret("aes-256", Usage::Wrap, mechanism::AES_KEY_GEN, attribute::AES, None),
    secret(
        "hmac-sha256",
        Usage::Sign,
        mechanism::GENERIC_SECRET_KEY_GEN,
        attribute::GENERIC_SECRET,
        Some("hmac-sha256"),
    ),
    curve("ecdsa-p256", &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], 65, "ecdsa-p256-sha256"),
    curve("ecdsa-p384", &[6, 5, 0x2b, 0x81, 4, 0, 0x22], 97, "ecdsa-p384-sha384"),
    curve("ecdsa-secp256k1", &[6, 5, 0x2b, 0x81, 4, 0, 0x0a], 65, "ecdsa-secp256k1-sha256"),
    Kind {
        algorithm: "ed25519",
        usage: Usage::Sign,
        generation: mechanism::EC_EDWARDS_KEY_PAIR_GEN,
        shape: Shape::Curve {
            key_type: attribute::EC_EDWARDS,
            parameters: &[6, 3, 0x2b, 0x65, 0x70],
            point: 32,
        },
        signature: Some("ed25519"),
    },
    Kind {
        algorithm: "rsa-2048",
        usage: Usage::Sign,
        generation: mechanism::RSA_PKCS_KEY_PAIR_GEN,
        shape: Shape::Rsa { bits: 2048 },
        signature: Some("rsa-pss-sha256"),
    },
];

const fn secret(
    algorithm: &'static str,
    usage: Usage,
    generation: Id,
    key_type: u64,
    signature: Option<&'static str>,
) -> Kind {
    Kind { algorithm, usage, generation, shape: Shape::Secret { key_type }, signature }
}

const fn curve(
    algorithm: &'static str,
    parameters: &'static [u8],
    point: usize,
    signature: &'static str,
) -> Kind {
    let shape = Shape::Curve { key_type: attribute::EC, parameters, point };
    Kind {
        algorithm,
        usage: Usage::Sign,
        generation: mechanism::EC_KEY_PAIR_GEN,
        shape,
        signature: Some(signature),
    }
}

impl Usage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Wrap => "wrap",
            Self::Sign => "sign",
        }
    }
}

impl Kind {
    /// The kind that a specification or a wrapped key names.
    pub fn find(algorithm: &str, usages: &[impl AsRef<str>]) -> Result<&'static Self> {
        let [usage] = usages else {
            return Err(invalid("key.usages", "a key has one usage: seal, wrap or sign"));
        };
        if !ALL.iter().any(|kind| kind.algorithm == algorithm) {
            return Err(unsupported("algorithm.unknown", format!("there is no algorithm {algorithm:?}")));
        }
        let found =
            ALL.iter().find(|kind| kind.algorithm == algorithm && kind.usage.name() == usage.as_ref());
        found.ok_or_else(|| invalid("key.usages", format!("{algorithm} is not to {}", usage.as_ref())))
    }

    /// The template of a new key: it lives in the session until it is wrapped, and has to be extractable for that.
    pub fn new_key(&self) -> Template {
        let mut template = self.unwrapped(true);
        match self.shape {
            Shape::Secret { .. } => template.push(number(attribute::VALUE_LEN, 32)),
            // The private key gets these from its public key.
            Shape::Curve { .. } | Shape::Rsa { .. } => {}
        }
        template
    }

    /// The template of the public key of a new pair.
    pub fn new_public_key(&self) -> Template {
        let mut template = vec![
            number(attribute::CLASS, attribute::PUBLIC_KEY),
            no(attribute::TOKEN),
            yes(attribute::VERIFY),
        ];
        match self.shape {
            Shape::Secret { .. } => {}
            Shape::Curve { parameters, .. } => template.push(bytes(attribute::EC_PARAMS, parameters)),
            Shape::Rsa { bits } => {
                template.push(number(attribute::MODULUS_BITS, bits));
                template.push(bytes(attribute::PUBLIC_EXPONENT, &[1, 0, 1]));
            }
        }
        template
    }

    /// The template of a key that is unwrapped into the session.
    pub fn unwrapped(&self, extractable: bool) -> Template {
        let (class, key_type) = match self.shape {
            Shape::Secret { key_type } => (attribute::SECRET_KEY, key_type),
            Shape::Curve { key_type, .. } => (attribute::PRIVATE_KEY, key_type),
            Shape::Rsa { .. } => (attribute::PRIVATE_KEY, attribute::RSA),
        };
        let mut template = vec![
            number(attribute::CLASS, class),
            number(attribute::KEY_TYPE, key_type),
            no(attribute::TOKEN),
            yes(attribute::PRIVATE),
            yes(attribute::SENSITIVE),
            flag(attribute::EXTRACTABLE, extractable),
            flag(attribute::SIGN, self.usage == Usage::Sign),
            flag(attribute::DECRYPT, self.usage == Usage::Seal),
            flag(attribute::UNWRAP, self.usage == Usage::Wrap),
        ];
        if class == attribute::SECRET_KEY {
            template.push(flag(attribute::VERIFY, self.usage == Usage::Sign));
            template.push(flag(attribute::ENCRYPT, self.usage == Usage::Seal));
            template.push(flag(attribute::WRAP, self.usage == Usage::Wrap));
        }
        template
    }
}
