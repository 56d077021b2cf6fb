//! A wrapped key as it is stored and handed about: its place in the clear, and the sealed bytes.

use crate::place::{Difference, Place};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use symbolon_encoding::{DecodeError, from_canonical, to_canonical};
use symbolon_envelope::sealed::OpenError;

/// The first field of every wrapped key.
const MARK: &str = "symbolon/v1/wrapped-key";

/// A key of the chain, wrapped by the one above.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Wrapped {
    #[n(0)]
    mark: Mark,
    #[n(1)]
    place: Place,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// The key wasn't made for the place, or not under this key: a fault of the program, found before anything is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permit is for a place below another key: its {0} differs")]
pub struct NotItsKey(pub Difference);

/// Why a key can't be unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// Not a wrapped key, or not its canonical encoding.
    #[error("not a wrapped key")]
    Malformed(#[from] DecodeError),
    /// It is another place's.
    #[error("the wrapped key belongs elsewhere: its {0} is another one")]
    Elsewhere(Difference),
    /// Another key above than the one that wrapped it, another place than it says, or changed bytes.
    #[error("the wrapped key does not open under the key above it")]
    NotAuthentic(#[source] OpenError),
    /// What was wrapped is no key.
    #[error("what was wrapped is not a key of 32 bytes")]
    Length,
}

impl Wrapped {
    pub(crate) const fn new(place: Place, sealed: Vec<u8>) -> Self {
        Self { mark: Mark, place, sealed }
    }

    /// Reads a wrapped key. That it says where it belongs doesn't mean that it does: only unwrapping tells.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnwrapError> {
        Ok(from_canonical(bytes)?)
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_canonical(self)
    }

    /// Where it says that it belongs.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The sealed bytes, if the key says to belong there.
    pub(crate) fn at(self, place: &Place) -> Result<Vec<u8>, UnwrapError> {
        place.check(&self.place).map_err(UnwrapError::Elsewhere)?;
        Ok(self.sealed)
    }
}

/// The constant text in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark;

impl<C> Encode<C> for Mark {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(MARK).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for Mark {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.str()? == MARK { Ok(Self) } else { Err(minicbor::decode::Error::message("not a wrapped key")) }
    }
}
