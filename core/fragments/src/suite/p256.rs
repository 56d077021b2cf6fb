//! NIST P-256 with SHA-256 (RFC 9380 §8.2, RFC 9497 §4.3), on the crate `p256`.

use super::{Element, Encoded, Scalar, Suite, SuiteId};
use alloc::vec::Vec;
use elliptic_curve::{
    hash2curve::{ExpandMsgXmd, GroupDigest},
    point::Double,
};
use frost_p256::{Group, P256Group, P256Sha256};
use p256::{NistP256, ProjectivePoint};
use sha2_0_10::{Digest, Sha256};
use zeroize::Zeroizing;

type Expand = ExpandMsgXmd<Sha256>;

const WITHIN_LIMITS: &str = "a tag that is not empty is within the limits of RFC 9380 §5.3.1";

impl Suite for P256Sha256 {
    const SUITE: SuiteId = SuiteId::P256Sha256;

    fn hash(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().to_vec()
    }

    fn hash_to_group(message: &[u8], dst: &[&[u8]]) -> Element<Self> {
        NistP256::hash_from_bytes::<Expand>(&[message], dst).expect(WITHIN_LIMITS)
    }

    fn hash_to_scalar(parts: &[&[u8]], dst: &[&[u8]]) -> Scalar<Self> {
        NistP256::hash_to_scalar::<Expand>(parts, dst).expect(WITHIN_LIMITS)
    }

    fn sum_of_public_multiples(scalars: &[Scalar<Self>], points: &[Element<Self>]) -> Element<Self> {
        let digits: Vec<_> = scalars.iter().map(nibbles).collect();
        let tables: Vec<_> = points.iter().map(small_multiples).collect();
        (0..DIGITS).rev().fold(ProjectivePoint::IDENTITY, |sum, place| {
            let shifted = sum.double().double().double().double();
            digits.iter().zip(&tables).fold(shifted, |sum, (digits, table)| match digits[place] {
                0 => sum,
                digit => sum + table[usize::from(digit) - 1],
            })
        })
    }

    /// The library also reads SEC 1's compact form (tag 5), which would give some points a second encoding.
    fn decode(bytes: &Encoded<Self>) -> Option<Element<Self>> {
        matches!(bytes[0], 2 | 3).then(|| P256Group::deserialize(bytes).ok())?
    }

    fn multiply_and_encode(secret: &Scalar<Self>, points: &[Element<Self>]) -> Vec<Option<Encoded<Self>>> {
        let products: Zeroizing<Vec<_>> = Zeroizing::new(points.iter().map(|point| point * secret).collect());
        Self::encode_all(&products)
    }
}

/// Places of a scalar in base 16.
const DIGITS: usize = 64;

/// A scalar in base 16, least significant place first.
fn nibbles(scalar: &Scalar<P256Sha256>) -> [u8; DIGITS] {
    let bytes = scalar.to_bytes();
    core::array::from_fn(|place| (bytes[31 - place / 2] >> (4 * (place % 2))) & 15)
}

/// `1·P … 15·P`.
fn small_multiples(point: &ProjectivePoint) -> [ProjectivePoint; 15] {
    let mut multiple = ProjectivePoint::IDENTITY;
    core::array::from_fn(|_| {
        multiple += point;
        multiple
    })
}
