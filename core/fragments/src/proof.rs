//! Proofs that evaluations were made with the fragment behind a public share (RFC 9497 §2.2, mode VOPRF), one for a
//! whole batch. In the RFC's words: A = G, B = `Y_i`, C = the points, D = the evaluations.

use crate::{
    fragment::Evaluation,
    sharing::PublicShare,
    suite::{Element, Encoded, Group, Scalar, Suite, decode_scalar, encode_element, encode_scalar},
};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Inputs in one request, and evaluations under one proof.
pub const MAX_BATCH: usize = 64;

/// `"OPRFV1-" ‖ mode VOPRF ‖ "-"`; the suite's name follows (RFC 9497 §3.1, `CreateContextString`).
pub(crate) const CONTEXT: &[u8] = b"OPRFV1-\x01-";

/// The domain separation tag of the hedged nonce, less the suite's name.
const NONCE: &[u8] = b"symbolon/v1/nonce/";

/// A proof: challenge and response, 32 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Proof(#[cbor(n(0), with = "minicbor::bytes")] [u8; 64]);

/// The proof does not show that these evaluations were made with the fragment behind this public share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is not one for these evaluations")]
pub struct WrongProof;

impl Proof {
    /// A proof from its bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    fn new<S: Suite>(challenge: &Scalar<S>, response: &Scalar<S>) -> Self {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&encode_scalar::<S>(challenge));
        bytes[32..].copy_from_slice(&encode_scalar::<S>(response));
        Self(bytes)
    }

    fn scalars<S: Suite>(&self) -> Result<(Scalar<S>, Scalar<S>), WrongProof> {
        let scalar = |bytes| decode_scalar::<S>(bytes).map_err(|_| WrongProof);
        Ok((scalar(&self.0[..32])?, scalar(&self.0[32..])?))
    }
}

/// Proves a batch (§2.2.1, `GenerateProof`). `None` if the identity occurs, which nobody can bring about.
pub(crate) fn prove<S: Suite>(
    secret: &Scalar<S>,
    public: &PublicShare<S>,
    points: &[Element<S>],
    evaluations: &[Evaluation],
    rng: &mut dyn CryptoRng,
) -> Option<Proof> {
    let m = composite(public, points, evaluations)?;
    let z = m * *secret;
    let nonce = hedged_nonce::<S>(secret, public, &m, &z, rng)?;
    respond(secret, public, &m, &z, &nonce)
}

/// `M = Σ weights·points`; the prover's `Z` is `secret·M` (`ComputeCompositesFast`).
pub(crate) fn composite<S: Suite>(
    public: &PublicShare<S>,
    points: &[Element<S>],
    evaluations: &[Evaluation],
) -> Option<Element<S>> {
    Some(S::sum_of_public_multiples(&weights::<S>(public, points, evaluations)?, points))
}

/// The part of §2.2.1 after `RandomScalar`, in constant time.
pub(crate) fn respond<S: Suite>(
    secret: &Scalar<S>,
    public: &PublicShare<S>,
    m: &Element<S>,
    z: &Element<S>,
    nonce: &Scalar<S>,
) -> Option<Proof> {
    let c = challenge(public, &[*m, *z, S::Group::generator() * *nonce, *m * *nonce])?;
    Some(Proof::new::<S>(&c, &(*nonce - c * *secret)))
}

/// Checks a batch (§2.2.2, `VerifyProof`). `evaluations` are the encodings of `elements`.
///
/// The multiplications take a time that depends on the weights, which are hashes of all that the proof is about. Of an
/// evaluation, such a time tells no more than whether a guess of the whole of it is right.
pub(crate) fn verify<S: Suite>(
    public: &PublicShare<S>,
    points: &[Element<S>],
    elements: &[Element<S>],
    evaluations: &[Evaluation],
    proof: &Proof,
) -> Result<(), WrongProof> {
    let (c, s) = proof.scalars::<S>()?;
    let weights = weights::<S>(public, points, evaluations).ok_or(WrongProof)?;
    let m = S::sum_of_public_multiples(&weights, points);
    let z = S::sum_of_public_multiples(&weights, elements);
    let t2 = S::sum_of_public_multiples(&[s, c], &[S::Group::generator(), *public.element()]);
    let t3 = S::sum_of_public_multiples(&[s, c], &[m, z]);
    (challenge(public, &[m, z, t2, t3]) == Some(c)).then_some(()).ok_or(WrongProof)
}

/// The weights of the composites (§2.2.1, `ComputeComposites`).
fn weights<S: Suite>(
    public: &PublicShare<S>,
    points: &[Element<S>],
    evaluations: &[Evaluation],
) -> Option<Vec<Scalar<S>>> {
    let name = S::SUITE.name().as_bytes();
    let tag_length = length(&[b"Seed-", CONTEXT, name].concat());
    let key = public.as_bytes();
    let seed = S::hash(&[&length(key), key, &tag_length, b"Seed-", CONTEXT, name]);
    let weight = |(i, (point, evaluation)): (u16, (_, &Evaluation))| {
        let point: Option<Encoded<S>> = point;
        let (point, evaluation) = (point?, evaluation.as_bytes());
        let point = point.as_ref();
        let transcript: [&[u8]; 8] = [
            &length(&seed),
            &seed,
            &i.to_be_bytes(),
            &length(point),
            point,
            &length(evaluation),
            evaluation,
            b"Composite",
        ];
        Some(hash_to_scalar::<S>(&transcript))
    };
    (0..).zip(S::encode_all(points).into_iter().zip(evaluations)).map(weight).collect()
}

/// The challenge over public share, composites and commitments (end of §2.2.1).
fn challenge<S: Suite>(public: &PublicShare<S>, elements: &[Element<S>; 4]) -> Option<Scalar<S>> {
    let encoded: Vec<_> = S::encode_all(elements).into_iter().collect::<Option<_>>()?;
    let mut transcript = Vec::with_capacity(5 * 35 + 9);
    for part in core::iter::once(public.as_bytes()).chain(encoded.iter().map(AsRef::as_ref)) {
        transcript.extend_from_slice(&length(part));
        transcript.extend_from_slice(part);
    }
    transcript.extend_from_slice(b"Challenge");
    Some(hash_to_scalar::<S>(&[&transcript]))
}

/// A nonce that is safe if either the generator is good or no statement is ever proven twice: randomness, secret and
/// statement, hashed.
pub(crate) fn hedged_nonce<S: Suite>(
    secret: &Scalar<S>,
    public: &PublicShare<S>,
    m: &Element<S>,
    z: &Element<S>,
    rng: &mut dyn CryptoRng,
) -> Option<Zeroizing<Scalar<S>>> {
    let mut random = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *random);
    let secret = Zeroizing::new(encode_scalar::<S>(secret));
    let (m, z) = (encode_element::<S>(m)?, encode_element::<S>(z)?);
    let parts = [&random[..], &secret[..], public.as_bytes(), m.as_ref(), z.as_ref()];
    Some(Zeroizing::new(S::hash_to_scalar(&parts, &[NONCE, S::SUITE.name().as_bytes()])))
}

fn hash_to_scalar<S: Suite>(parts: &[&[u8]]) -> Scalar<S> {
    S::hash_to_scalar(parts, &[b"HashToScalar-", CONTEXT, S::SUITE.name().as_bytes()])
}

/// `I2OSP(len(part), 2)`.
fn length(part: &[u8]) -> [u8; 2] {
    u16::try_from(part.len()).expect("no part of a transcript reaches 64 KiB").to_be_bytes()
}
