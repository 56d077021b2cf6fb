//! What a holder may be allowed to do with a key.

use core::fmt;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// One operation. Encrypting and decrypting are different permissions; neither contains the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Operation {
    /// Evaluate inputs of one's own that are fresh.
    #[n(1)]
    Encrypt,
    /// Evaluate any input.
    #[n(2)]
    Decrypt,
    /// Create keys and versions.
    #[n(3)]
    Create,
    /// Read the audit and evaluation logs.
    #[n(4)]
    Audit,
    /// Sign with a private key of an HSM.
    #[n(5)]
    Sign,
}

impl Operation {
    /// All operations, ascending.
    pub const ALL: [Self; 5] = [Self::Encrypt, Self::Decrypt, Self::Create, Self::Audit, Self::Sign];

    /// The operation's name in commands, JSON and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Create => "create",
            Self::Audit => "audit",
            Self::Sign => "sign",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Text that names no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an operation is encrypt, decrypt, create, audit or sign")]
pub struct WrongOperation;

impl core::str::FromStr for Operation {
    type Err = WrongOperation;

    fn from_str(text: &str) -> Result<Self, WrongOperation> {
        Self::ALL.into_iter().find(|operation| operation.name() == text).ok_or(WrongOperation)
    }
}

/// A set of operations; encoded as an ascending array.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Operations(u8);

impl Operations {
    /// Whether the operation is in the set.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & operation.bit() != 0
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The operations, ascending.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        Self(operations.into_iter().fold(0, |bits, operation| bits | operation.bit()))
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<C> Encode<C> for Operations {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, c: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(self.0.count_ones().into())?;
        self.iter().try_for_each(|operation| operation.encode(e, c))
    }
}

impl<'b, C> Decode<'b, C> for Operations {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let mut set = Self::default();
        for operation in d.array_iter_with::<C, Operation>(c)? {
            let bit = operation?.bit();
            if bit <= set.0 {
                return Err(decode::Error::message("operations ascend, none twice"));
            }
            set.0 |= bit;
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use symbolon_encoding::{from_canonical, to_canonical};

    #[test]
    fn a_set_is_an_ascending_array() {
        for bits in 0..32u8 {
            let set: Operations = Operation::ALL
                .into_iter()
                .enumerate()
                .filter(|(i, _)| bits >> i & 1 == 1)
                .map(|(_, o)| o)
                .collect();
            assert_eq!(from_canonical(&to_canonical(&set)), Ok(set));
        }
        assert_eq!(
            to_canonical(&Operations::from_iter([Operation::Decrypt, Operation::Encrypt])),
            [0x82, 1, 2]
        );
        for wrong in [&[0x82, 2, 1][..], &[0x82, 1, 1], &[0x81, 0], &[0x81, 6]] {
            assert!(from_canonical::<Operations>(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_lead_back() {
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(operation));
        }
        assert_eq!("all".parse::<Operation>(), Err(WrongOperation));
    }
}
