//! Names that are SHA-256 hashes. Two of them have a form for people: bech32m, so that a mistyped one is noticed.

use alloc::vec::Vec;
use bech32::{Bech32m, Hrp};
use core::{fmt, str::FromStr};
use minicbor::{Decode, Encode};

/// A name that is a hash, in both its forms.
pub trait HashName: Sized {
    /// The prefix of the bech32m form.
    const PREFIX: &'static str;

    /// The name that is this hash.
    fn from_hash(hash: [u8; 32]) -> Self;
}

/// Text that is not a hash name of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongHashName {
    /// Not bech32m: a wrong character or a wrong check sum.
    #[error("not a name in bech32m; was it copied whole?")]
    Malformed,
    /// A name of another kind.
    #[error("a name of another kind: it should start with {0}1")]
    Prefix(&'static str),
    /// The right prefix before something that is not 32 bytes long.
    #[error("the name does not contain 32 bytes")]
    Length,
}

pub(super) fn parse<T: HashName>(text: &str) -> Result<T, WrongHashName> {
    let parsed = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text)
        .map_err(|_| WrongHashName::Malformed)?;
    if parsed.hrp().as_str() != T::PREFIX || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(WrongHashName::Prefix(T::PREFIX));
    }
    let bytes: Vec<u8> = parsed.byte_iter().collect();
    let hash = bytes.try_into().map_err(|_| WrongHashName::Length)?;
    Ok(T::from_hash(hash))
}

macro_rules! hash_name {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

        impl $name {
            /// The name that is this hash.
            pub const fn new(hash: [u8; 32]) -> Self {
                Self(hash)
            }

            /// The hash.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl HashName for $name {
            const PREFIX: &'static str = $prefix;

            fn from_hash(hash: [u8; 32]) -> Self {
                Self(hash)
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(hash: [u8; 32]) -> Self {
                Self(hash)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let prefix = Hrp::parse(Self::PREFIX).map_err(|_| fmt::Error)?;
                bech32::encode_lower_to_fmt::<Bech32m, _>(f, prefix, &self.0).map_err(|_| fmt::Error)
            }
        }

        /// Hexadecimal, for places that want it: host names, file names, URLs.
        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = WrongHashName;

            fn from_str(text: &str) -> Result<Self, WrongHashName> {
                parse(text)
            }
        }
    };
}

hash_name! {
    /// One customer's domain: the hash of its first root document.
    AccountId, "symacct"
}
hash_name! {
    /// A holder's name (an access id, a fingerprint): the hash of its key's `SubjectPublicKeyInfo`.
    Thumbprint, "sym"
}
hash_name! {
    /// A fragment set: the hash of the ceremony that generated it and of its place in there.
    SetId, "symset"
}
hash_name! {
    /// One sharing of a set, named by the hash of its epoch certificate.
    InstanceId, "syminst"
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};
    use symbolon_encoding::{from_canonical, to_canonical};

    #[test]
    fn both_forms_lead_back() {
        let name = Thumbprint::new(core::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(name.to_string().parse(), Ok(name));
        assert!(name.to_string().starts_with("sym1"));
        assert!(format!("{name:x}").starts_with("000102"));
        assert_eq!(from_canonical(&to_canonical(&name)), Ok(name));
        assert_eq!(to_canonical(&name)[..2], [0x58, 32]);
    }

    #[test]
    fn anything_else_is_refused() {
        let name = AccountId::new([7; 32]).to_string();
        assert_eq!(name.parse::<Thumbprint>(), Err(WrongHashName::Prefix("sym")));
        assert_eq!(name.to_uppercase().parse::<AccountId>(), Err(WrongHashName::Prefix("symacct")));
        assert_eq!(name.replace('q', "p").parse::<AccountId>(), Err(WrongHashName::Malformed));
        assert_eq!(name[..name.len() - 1].parse::<AccountId>(), Err(WrongHashName::Malformed));
        let prefix = Hrp::parse("sym").unwrap();
        let short = bech32::encode_lower::<Bech32m>(prefix, &[7; 31]).unwrap();
        assert_eq!(short.parse::<Thumbprint>(), Err(WrongHashName::Length));
        assert!(from_canonical::<SetId>(&[0x41, 1]).is_err());
    }
}
