//! What tenants, systems, volumes and purposes are called. Each name has one form.
//!
//! Tenants and systems share the name space of keys, tenant first: a grant over `acme/*` is about the systems of tenant
//! `acme`, and the owner's deny document names them as it names keys.

use alloc::string::String;
use core::{fmt, str::FromStr};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use symbolon_fragments::names::{KeyId, WrongKeyName};

/// Longest name of a volume, bytes.
const MAX_VOLUME: usize = 255;
/// Longest name of a purpose, bytes.
const MAX_PURPOSE: usize = 63;

/// Text that is no such name, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongName {
    /// Not even a path.
    #[error(transparent)]
    Path(#[from] WrongKeyName),
    /// A tenant has one segment.
    #[error("a tenant's name is one segment, without '/'")]
    Tenant,
    /// A system has its tenant before it.
    #[error("a system's name starts with its tenant: acme/ceph-eu")]
    System,
    /// A volume.
    #[error("a volume's name has 1 to 255 bytes and no control characters")]
    Volume,
    /// A purpose.
    #[error("a purpose has 1 to 63 of a-z, 0-9 and '-'")]
    Purpose,
}

/// A tenant: a path of one segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(KeyId);

/// A system: a path of two segments or more, its tenant first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemId(KeyId);

/// A volume, as its storage system calls it: text that is compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(String);

/// What a data key is for: `luks`, `backup`, … A key for one purpose doesn't open as a key for another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(String);

impl TenantId {
    /// The name as an id among keys.
    pub const fn id(&self) -> &KeyId {
        &self.0
    }
}

impl SystemId {
    /// The name as an id among keys.
    pub const fn id(&self) -> &KeyId {
        &self.0
    }

    /// Its tenant.
    ///
    /// # Panics
    /// Never: the first segment of a path is a path.
    pub fn tenant(&self) -> TenantId {
        TenantId(self.0.tenant().parse().expect("a segment of a path is a path"))
    }
}

impl Purpose {
    /// Block storage under LUKS, which is what a data key is for unless its maker says otherwise.
    ///
    /// # Panics
    /// Never: the word is a purpose.
    pub fn luks() -> Self {
        "luks".parse().expect("the word is a purpose")
    }
}

impl TryFrom<KeyId> for TenantId {
    type Error = WrongName;

    fn try_from(id: KeyId) -> Result<Self, WrongName> {
        if id.as_str() == id.tenant() { Ok(Self(id)) } else { Err(WrongName::Tenant) }
    }
}

impl TryFrom<KeyId> for SystemId {
    type Error = WrongName;

    fn try_from(id: KeyId) -> Result<Self, WrongName> {
        if id.as_str() == id.tenant() { Err(WrongName::System) } else { Ok(Self(id)) }
    }
}

impl FromStr for TenantId {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        text.parse::<KeyId>()?.try_into()
    }
}

impl FromStr for SystemId {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        text.parse::<KeyId>()?.try_into()
    }
}

impl FromStr for Volume {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        let right = (1..=MAX_VOLUME).contains(&text.len()) && !text.chars().any(char::is_control);
        if right { Ok(Self(text.into())) } else { Err(WrongName::Volume) }
    }
}

impl FromStr for Purpose {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let right = (1..=MAX_PURPOSE).contains(&text.len()) && text.bytes().all(plain);
        if right { Ok(Self(text.into())) } else { Err(WrongName::Purpose) }
    }
}

macro_rules! as_text {
    ($name:ident, $($text:tt)+) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.$($text)+
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.str(self.as_str()).map(|_| ())
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.str()?.parse().map_err(|_| decode::Error::message("not such a name"))
            }
        }
    };
}

as_text!(TenantId, as_str());
as_text!(SystemId, as_str());
as_text!(Volume, as_str());
as_text!(Purpose, as_str());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_starts_with_its_tenant() {
        let system: SystemId = "acme/eu/ceph-1".parse().unwrap();
        assert_eq!(system.tenant(), "acme".parse().unwrap());
        assert_eq!("acme".parse::<SystemId>(), Err(WrongName::System));
        assert_eq!("acme/x".parse::<TenantId>(), Err(WrongName::Tenant));
        assert_eq!("Acme".parse::<TenantId>(), Err(WrongName::Path(WrongKeyName::Character)));
    }

    #[test]
    fn volumes_are_text_and_purposes_are_words() {
        for right in ["vol-1", "pool/image@snap", "Ü 7", &"v".repeat(255)] {
            assert_eq!(right.parse::<Volume>().unwrap().as_str(), right);
        }
        for wrong in ["", "a\nb", "a\0", &"v".repeat(256)] {
            assert_eq!(wrong.parse::<Volume>(), Err(WrongName::Volume));
        }
        assert_eq!(Purpose::luks().as_str(), "luks");
        for wrong in ["", "Luks", "a b", "é", &"p".repeat(64)] {
            assert_eq!(wrong.parse::<Purpose>(), Err(WrongName::Purpose));
        }
    }
}
