//! Mechanisms of PKCS#11 that are used here, and their parameters.

use crate::bindings::symbolon::host::pkcs11::Mechanism;
use crate::bindings::symbolon::types::values::Value;

/// `CKM_*`.
pub type Id = u64;

pub const RSA_PKCS_KEY_PAIR_GEN: Id = 0x0000;
pub const RSA_PKCS_PSS: Id = 0x000d;
pub const SHA256: Id = 0x0250;
pub const SHA256_HMAC: Id = 0x0251;
pub const GENERIC_SECRET_KEY_GEN: Id = 0x0350;
pub const EC_KEY_PAIR_GEN: Id = 0x1040;
pub const ECDSA: Id = 0x1041;
pub const EC_EDWARDS_KEY_PAIR_GEN: Id = 0x1055;
pub const EDDSA: Id = 0x1057;
pub const AES_KEY_GEN: Id = 0x1080;
pub const AES_GCM: Id = 0x1087;
/// RFC 3394. Modules that take what is no multiple of eight bytes fill it up with zeroes.
pub const AES_KEY_WRAP: Id = 0x2109;
/// Two different things: RFC 5649 in one module, PKCS#7 padding under RFC 3394 in another.
pub const AES_KEY_WRAP_PAD: Id = 0x210a;
/// RFC 5649, and portable.
pub const AES_KEY_WRAP_KWP: Id = 0x210b;

/// How keys are wrapped, the best first.
pub const WRAPPING: [Id; 3] = [AES_KEY_WRAP_KWP, AES_KEY_WRAP_PAD, AES_KEY_WRAP];

/// `CKG_MGF1_SHA256`.
const MGF1_SHA256: i64 = 2;
/// RFC 8017 §9.1: as long as the hash.
const SALT: i64 = 32;

/// A mechanism without parameters.
pub fn plain(id: Id) -> Mechanism {
    Mechanism { id, parameters: Vec::new() }
}

/// AES-GCM with a nonce of 96 and a tag of 128 bits.
pub fn gcm(iv: &[u8], aad: &[u8]) -> Mechanism {
    let parameters = vec![
        ("iv".into(), Value::Bytes(iv.into())),
        ("aad".into(), Value::Bytes(aad.into())),
        ("tag-bits".into(), Value::Integer(128)),
    ];
    Mechanism { id: AES_GCM, parameters }
}

/// RSA-PSS of a SHA-256 digest (RFC 8017 §8.1).
pub fn pss() -> Mechanism {
    let parameters = vec![
        ("hash".into(), Value::Integer(SHA256.cast_signed())),
        ("mgf".into(), Value::Integer(MGF1_SHA256)),
        ("salt-length".into(), Value::Integer(SALT)),
    ];
    Mechanism { id: RSA_PKCS_PSS, parameters }
}
