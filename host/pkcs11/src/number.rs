//! The numbers of PKCS#11 2.40 and 3.0 that are spoken here (`CKM_*`, `CKA_*`), by name. A configuration may also write
//! any number as `0x…`, for vendors' own.

/// A mechanism, `CKM_*`.
pub type MechanismId = u64;
/// An attribute, `CKA_*`.
pub type AttributeId = u64;

macro_rules! numbers {
    ($(#[$outer:meta])* $module:ident: $($name:ident),+ $(,)?) => {
        $(#[$outer])*
        pub mod $module {
            $(#[doc = concat!("`", stringify!($name), "`.")] pub const $name: u64 = cryptoki_sys::$name;)+

            /// Every name above with its number.
            pub const ALL: &[(&str, u64)] = &[$((stringify!($name), $name)),+];
        }
    };
}

numbers! {
    /// Mechanisms.
    mechanism:
    CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN, CKM_EC_KEY_PAIR_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN,
    CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP, CKM_AES_GCM,
    CKM_SHA256_HMAC, CKM_ECDSA, CKM_EDDSA, CKM_RSA_PKCS_PSS,
}

numbers! {
    /// Attributes.
    attribute:
    CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_KEY_TYPE, CKA_ID, CKA_SENSITIVE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,
    CKA_UNWRAP, CKA_SIGN, CKA_VERIFY, CKA_DERIVE, CKA_EXTRACTABLE, CKA_LOCAL, CKA_MODIFIABLE, CKA_VALUE_LEN,
    CKA_EC_PARAMS, CKA_EC_POINT, CKA_MODULUS, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT,
    CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
}

/// The number that a configuration writes as a name or as `0x…`.
pub fn parse(written: &str, names: &[(&str, u64)]) -> Option<u64> {
    let known = names.iter().find(|(name, _)| *name == written).map(|(_, number)| *number);
    known.or_else(|| u64::from_str_radix(written.strip_prefix("0x")?, 16).ok())
}

/// What functions return (`CKR_*`), where others have to know it.
pub mod returned {
    /// Something of the token is used up: sessions, or its memory.
    pub const EXHAUSTED: [u64; 2] = [cryptoki_sys::CKR_SESSION_COUNT, cryptoki_sys::CKR_DEVICE_MEMORY];
}
