//! What the function needs of a group beyond what sharing needs ([`Ciphersuite`]), and the two groups that have it.
//!
//! A further group joins by one impl of [`Suite`] and a line each in [`SuiteId`]; nothing else names a group.

mod p256;
mod ristretto255;

pub use frost_core::{Ciphersuite, Field, Group};
pub use frost_p256::P256Sha256;
pub use frost_ristretto255::Ristretto255Sha512;

use alloc::vec::Vec;
use core::{fmt, str::FromStr};
use minicbor::{Decode, Encode};
use zeroize::Zeroize;

/// A group element of a suite.
pub type Element<S> = frost_core::Element<S>;
/// A scalar of a suite.
pub type Scalar<S> = frost_core::Scalar<S>;
/// The encoding of an element (RFC 9497 §4): 32 bytes in ristretto255, 33 in P-256.
pub type Encoded<S> = <<S as Ciphersuite>::Group as Group>::Serialization;

/// The suites by number, for everything that is stored or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SuiteId {
    /// ristretto255 with SHA-512; the default.
    #[n(1)]
    Ristretto255Sha512,
    /// NIST P-256 with SHA-256.
    #[n(2)]
    P256Sha256,
}

/// Something to be done with a suite that is known only when the program runs.
pub trait SuiteVisitor {
    /// What comes of it.
    type Output;

    /// Does it with suite `S`.
    fn visit<S: Suite>(self) -> Self::Output;
}

impl SuiteId {
    /// Every suite.
    pub const ALL: [Self; 2] = [Self::Ristretto255Sha512, Self::P256Sha256];

    /// Runs generic code with this suite: the one place where a number becomes a type.
    pub fn visit<V: SuiteVisitor>(self, visitor: V) -> V::Output {
        match self {
            Self::Ristretto255Sha512 => visitor.visit::<Ristretto255Sha512>(),
            Self::P256Sha256 => visitor.visit::<P256Sha256>(),
        }
    }

    /// The suite's identifier (RFC 9497 §4), which is also its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ristretto255Sha512 => "ristretto255-SHA512",
            Self::P256Sha256 => "P256-SHA256",
        }
    }

    /// The suite's number in every encoding.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ristretto255Sha512 => 1,
            Self::P256Sha256 => 2,
        }
    }

    /// Bytes in the encoding of an element.
    pub const fn element_bytes(self) -> usize {
        match self {
            Self::Ristretto255Sha512 => 32,
            Self::P256Sha256 => 33,
        }
    }
}

/// Text or a number that names no suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a suite is ristretto255-SHA512 (1) or P256-SHA256 (2)")]
pub struct UnknownSuite;

impl TryFrom<u64> for SuiteId {
    type Error = UnknownSuite;

    fn try_from(number: u64) -> Result<Self, UnknownSuite> {
        Self::ALL.into_iter().find(|s| u64::from(s.number()) == number).ok_or(UnknownSuite)
    }
}

impl FromStr for SuiteId {
    type Err = UnknownSuite;

    /// The full name, or the part before the hash in any case: `ristretto255`, `p256`.
    fn from_str(text: &str) -> Result<Self, UnknownSuite> {
        let group =
            |suite: &Self| suite.name().split('-').next().is_some_and(|g| g.eq_ignore_ascii_case(text));
        Self::ALL.into_iter().find(|s| s.name() == text || group(s)).ok_or(UnknownSuite)
    }
}

impl fmt::Display for SuiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A prime-order group with the hashes of RFC 9380 and RFC 9497 §4, and the bulk operations that are worth doing better
/// than one by one.
pub trait Suite:
    Ciphersuite<
    Group: Group<
        Field: Field<Scalar: Zeroize + From<u64>, Serialization = [u8; 32]>,
        Serialization: Copy + Send + Sync,
    >,
>
{
    /// The suite's number and name.
    const SUITE: SuiteId;

    /// The suite's hash over the concatenation of the parts.
    fn hash(parts: &[&[u8]]) -> Vec<u8>;

    /// Hashes to the group (RFC 9380 §3, `hash_to_curve` or its ristretto255 equivalent); the domain separation tag is
    /// the concatenation of `dst`.
    fn hash_to_group(message: &[u8], dst: &[&[u8]]) -> Element<Self>;

    /// Hashes the concatenation of the parts to a scalar (RFC 9497 §4, `HashToScalar`).
    fn hash_to_scalar(parts: &[&[u8]], dst: &[&[u8]]) -> Scalar<Self>;

    /// `Σ scalars[i]·points[i]`. **Its time depends on the scalars, which must be public**; the points may be secret.
    fn sum_of_public_multiples(scalars: &[Scalar<Self>], points: &[Element<Self>]) -> Element<Self>;

    /// The encodings of `secret·points[i]`, in constant time, sharing what can be shared. An identity, which must not
    /// be sent, comes out as `None`.
    fn multiply_and_encode(secret: &Scalar<Self>, points: &[Element<Self>]) -> Vec<Option<Encoded<Self>>>;

    /// Decodes an element other than the identity from its only encoding.
    fn decode(bytes: &Encoded<Self>) -> Option<Element<Self>> {
        Self::Group::deserialize(bytes).ok()
    }

    /// The encodings of the points, sharing what can be shared; `None` for an identity.
    fn encode_all(points: &[Element<Self>]) -> Vec<Option<Encoded<Self>>> {
        points.iter().map(encode_element::<Self>).collect()
    }
}

/// Bytes that are not the canonical encoding of an element other than the identity, or of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical encoding of an element or scalar of the group")]
pub struct WrongEncoding;

/// Decodes an element; refuses the identity and every encoding but the canonical one.
pub fn decode_element<S: Suite>(bytes: &[u8]) -> Result<Element<S>, WrongEncoding> {
    let array = bytes.try_into().map_err(|_| WrongEncoding)?;
    S::decode(&array).ok_or(WrongEncoding)
}

/// Encodes an element; `None` for the identity.
pub fn encode_element<S: Suite>(element: &Element<S>) -> Option<Encoded<S>> {
    S::Group::serialize(element).ok()
}

/// Decodes a scalar; refuses one that is not reduced.
pub fn decode_scalar<S: Suite>(bytes: &[u8]) -> Result<Scalar<S>, WrongEncoding> {
    let array = bytes.try_into().map_err(|_| WrongEncoding)?;
    <S::Group as Group>::Field::deserialize(&array).map_err(|_| WrongEncoding)
}

/// Encodes a scalar in its 32 bytes (RFC 9497 §4). Whoever encodes a secret one wipes the array.
pub fn encode_scalar<S: Suite>(scalar: &Scalar<S>) -> [u8; 32] {
    <S::Group as Group>::Field::serialize(scalar)
}
