//! What things are called: accounts, holders, members, fragment sets, instances, keys, purposes (specification §1).
//!
//! Every name has one canonical form. A value of these types is a well-formed name; whether anything of that name
//! exists, or may be used, is said elsewhere.

mod hashes;
mod keys;

pub use crate::suite::{SuiteId, UnknownSuite};
pub use hashes::{AccountId, HashName, InstanceId, SetId, Thumbprint, WrongHashName};
pub use keys::{KeyId, KeyPattern, WrongKeyName};

use core::{fmt, num::NonZeroU16, str::FromStr};
use minicbor::{Decode, Encode};

/// A roster member's number and at once the x-coordinate of its fragment: 1 to 65535, never reused in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Index(#[n(0)] NonZeroU16);

/// Text or a number that is no roster member's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member's number is between 1 and 65535")]
pub struct WrongIndex;

impl Index {
    /// The index of that number, unless it is zero (a fragment at zero would be the key itself).
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u64> for Index {
    type Error = WrongIndex;

    fn try_from(number: u64) -> Result<Self, WrongIndex> {
        u16::try_from(number).ok().and_then(Self::new).ok_or(WrongIndex)
    }
}

impl FromStr for Index {
    type Err = WrongIndex;

    fn from_str(text: &str) -> Result<Self, WrongIndex> {
        text.parse().ok().map(Self).ok_or(WrongIndex)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a key, and each of its outputs, is for. A closed list: an output for one purpose is of no use for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Purpose {
    /// Data encrypted by the client itself.
    #[n(1)]
    Data,
    /// Data keys handed out to programs and storage systems.
    #[n(2)]
    DataKey,
    /// Wrapping of other keys.
    #[n(3)]
    Wrap,
}

/// Text that names no purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a purpose is data, data-key or wrap")]
pub struct WrongPurpose;

impl Purpose {
    /// The purpose's name, as people and JSON write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::DataKey => "data-key",
            Self::Wrap => "wrap",
        }
    }

    /// The purpose's number in every encoding.
    pub const fn number(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::DataKey => 2,
            Self::Wrap => 3,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Purpose {
    type Err = WrongPurpose;

    fn from_str(text: &str) -> Result<Self, WrongPurpose> {
        [Self::Data, Self::DataKey, Self::Wrap].into_iter().find(|p| p.name() == text).ok_or(WrongPurpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use symbolon_encoding::{from_canonical, to_canonical};

    #[test]
    fn an_index_is_a_number_from_1() {
        assert_eq!("65535".parse(), Ok(Index::new(65535).unwrap()));
        for wrong in ["0", "65536", "-1", "", "x"] {
            assert_eq!(wrong.parse::<Index>(), Err(WrongIndex), "{wrong}");
        }
        assert!(from_canonical::<Index>(&[0]).is_err());
        assert_eq!(from_canonical(&[7]), Ok(Index::new(7).unwrap()));
    }

    #[test]
    fn purposes_are_the_closed_list() {
        for purpose in [Purpose::Data, Purpose::DataKey, Purpose::Wrap] {
            assert_eq!(to_canonical(&purpose), [purpose.number()]);
            assert_eq!(from_canonical(&[purpose.number()]), Ok(purpose));
            assert_eq!(purpose.to_string().parse(), Ok(purpose));
        }
        assert!(from_canonical::<Purpose>(&[0]).is_err());
        assert!(from_canonical::<Purpose>(&[4]).is_err());
    }
}
