//! ristretto255 with SHA-512 (RFC 9496, RFC 9380 appendix B, RFC 9497 §4.1), on curve25519-dalek.

use super::{Element, Encoded, Scalar, Suite, SuiteId};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, traits::VartimeMultiscalarMul};
use elliptic_curve::hash2curve::{ExpandMsg, ExpandMsgXmd, Expander};
use frost_ristretto255::Ristretto255Sha512;
use sha2_0_10::{Digest, Sha512};
use zeroize::Zeroizing;

/// One half modulo the group's order: (ℓ+1)/2, little-endian.
const HALF: [u8; 32] = [
    0xf7, 0xe9, 0x7a, 0x2e, 0x8d, 0x31, 0x09, 0x2c, 0x6b, 0xce, 0x7b, 0x51, 0xef, 0x7c, 0x6f, 0x0a, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8,
];

impl Suite for Ristretto255Sha512 {
    const SUITE: SuiteId = SuiteId::Ristretto255Sha512;

    fn hash(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = Sha512::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().to_vec()
    }

    fn hash_to_group(message: &[u8], dst: &[&[u8]]) -> Element<Self> {
        RistrettoPoint::from_uniform_bytes(&expand(&[message], dst))
    }

    fn hash_to_scalar(parts: &[&[u8]], dst: &[&[u8]]) -> Scalar<Self> {
        let wide = Zeroizing::new(expand(parts, dst));
        Scalar::<Self>::from_bytes_mod_order_wide(&wide)
    }

    fn sum_of_public_multiples(scalars: &[Scalar<Self>], points: &[Element<Self>]) -> Element<Self> {
        RistrettoPoint::vartime_multiscalar_mul(scalars, points)
    }

    /// The library encodes doubled points in batches with one inversion. Half the secret, doubled, is the secret: the
    /// group's order is an odd prime, so `2·((s/2)·P) = s·P`.
    fn multiply_and_encode(secret: &Scalar<Self>, points: &[Element<Self>]) -> Vec<Option<Encoded<Self>>> {
        let half = Zeroizing::new(secret * Scalar::<Self>::from_bytes_mod_order(HALF));
        let halves: Zeroizing<Vec<_>> = Zeroizing::new(points.iter().map(|point| point * *half).collect());
        let encoded = RistrettoPoint::double_and_compress_batch(halves.iter());
        encoded.into_iter().map(|e| Some(e.to_bytes()).filter(|bytes| *bytes != [0; 32])).collect()
    }
}

fn expand(parts: &[&[u8]], dst: &[&[u8]]) -> [u8; 64] {
    let mut uniform = [0; 64];
    ExpandMsgXmd::<Sha512>::expand_message(parts, dst, uniform.len())
        .expect("64 bytes and a tag that is not empty are within the limits of RFC 9380 §5.3.1")
        .fill_bytes(&mut uniform);
    uniform
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_a_half_is_one() {
        let half = Scalar::<Ristretto255Sha512>::from_canonical_bytes(HALF).unwrap();
        assert_eq!(half + half, 1u64.into());
    }
}
