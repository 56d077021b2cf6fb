//! Verifying what all dealers dealt, and adding it up: the new commitments, and one's own new fragments.
//!
//! Thousands of sets are verified in one equation a dealer, with random weights (Bellare, Garay, Rabin 1998): one
//! multiplication a set, since a polynomial's value at a small index takes only a few additions. Only when
//! that fails are they looked at one by one, to say what is wrong. Variable time is spent on public numbers alone: the
//! secret shares are first weighed and summed by field arithmetic and then multiplied once, in constant time.

use super::{
    FragmentBytes,
    dealing::{SCALAR_BYTES, challenge, context, random},
};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_fragments::{
    Quorum,
    names::Index,
    suite::{
        Element, Field, Group, Scalar, Suite, SuiteId, SuiteVisitor, decode_element, decode_scalar,
        encode_element, encode_scalar,
    },
    value_at,
};
use symbolon_trust::EpochCertificate;
use zeroize::{Zeroize, Zeroizing};

/// Why a dealing is no dealing of what was asked for. `set` counts the ceremony's sets from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DealingFault {
    /// The commitments are not exactly `t` elements a set: the polynomial has another degree, or bytes are missing.
    #[error("commitments of a wrong length")]
    CommitmentLength,
    /// A commitment is no element, not in its canonical encoding, or the identity.
    #[error("a commitment of set {set} is no element")]
    Commitment {
        /// The set.
        set: usize,
    },
    /// Proofs of possession are missing, or are given where nothing is generated.
    #[error("proofs of possession of a wrong length")]
    ProofLength,
    /// The dealer does not know the constant that it dealt.
    #[error("the proof of possession of set {set} is wrong")]
    Proof {
        /// The set.
        set: usize,
    },
    /// The dealer dealt something else than its fragment of the predecessor.
    #[error("the constant dealt for set {set} is not the dealer's fragment")]
    Constant {
        /// The set.
        set: usize,
    },
    /// The dealing lacks a share for a member, or has one too many.
    #[error("the shares are not for exactly the members")]
    Receivers,
    /// The shares for this member can't be opened.
    #[error("the sealed shares do not open")]
    Sealed,
    /// The shares are not exactly one scalar a set.
    #[error("shares of a wrong length")]
    ShareLength,
    /// A share is no scalar in its canonical encoding.
    #[error("the share of set {set} is no scalar")]
    ShareEncoding {
        /// The set.
        set: usize,
    },
    /// The share does not lie on the polynomial that was committed to.
    #[error("the share of set {set} is not what was committed to")]
    Share {
        /// The set.
        set: usize,
    },
}

/// A dealer, and what is wrong with its dealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("member {dealer} dealt wrongly")]
pub struct BadDealing {
    /// The dealer.
    pub dealer: Index,
    /// What is wrong.
    #[source]
    pub fault: DealingFault,
}

/// Why dealings were not added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TallyError {
    /// A dealer is to blame.
    #[error(transparent)]
    Bad(#[from] BadDealing),
    /// The sum is degenerate; nobody is to blame.
    #[error("the sum of the dealings is the identity")]
    Identity,
}

/// What one dealer dealt, as far as this member can see it.
pub(super) struct Dealt<'a> {
    pub dealer: Index,
    pub commitments: &'a [u8],
    pub proofs: &'a [u8],
    /// This member's shares.
    pub shares: &'a [u8],
}

/// What the dealings must be dealings of.
pub(super) enum Constants<'a> {
    /// Anything whose possession is proven to this ceremony.
    Proven { ceremony: &'a [u8; 32] },
    /// The dealers' fragments of the predecessors, whose commitments these are, set after set.
    Predecessors(&'a [&'a [&'a [u8]]]),
}

/// A ceremony's dealings, to be verified and added up.
pub(super) struct Tally<'a> {
    pub suite: SuiteId,
    pub me: Index,
    pub t: u16,
    pub sets: usize,
    pub constants: Constants<'a>,
    /// In ascending order of dealers.
    pub dealt: &'a [Dealt<'a>],
}

/// What comes of a ceremony for one set.
pub(super) struct Sum {
    /// The commitments of the new instance, the first of them the public point.
    pub commitment: Vec<Vec<u8>>,
    /// This member's fragment.
    pub fragment: FragmentBytes,
}

impl Tally<'_> {
    /// Verifies everything and adds it up.
    pub(super) fn run(&self, rng: &mut dyn CryptoRng) -> Result<Vec<Sum>, TallyError> {
        self.suite.visit(Visit { tally: self, rng })
    }
}

struct Visit<'a> {
    tally: &'a Tally<'a>,
    rng: &'a mut dyn CryptoRng,
}

impl SuiteVisitor for Visit<'_> {
    type Output = Result<Vec<Sum>, TallyError>;

    fn visit<S: Suite>(self) -> Self::Output {
        let Self { tally, rng } = self;
        let dealings = tally
            .dealt
            .iter()
            .map(|dealt| {
                verified::<S>(tally, dealt, rng).map_err(|fault| BadDealing { dealer: dealt.dealer, fault })
            })
            .collect::<Result<Vec<_>, _>>()?;
        add_up::<S>(tally, &dealings).ok_or(TallyError::Identity)
    }
}

/// A dealing, decoded: `elements[set·t + k]`, and one share a set.
struct Decoded<S: Suite> {
    elements: Vec<Element<S>>,
    shares: Scalars<S>,
}

/// Secret scalars, wiped when dropped.
struct Scalars<S: Suite>(Vec<Scalar<S>>);

impl<S: Suite> Drop for Scalars<S> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

fn verified<S: Suite>(
    tally: &Tally<'_>,
    dealt: &Dealt<'_>,
    rng: &mut dyn CryptoRng,
) -> Result<Decoded<S>, DealingFault> {
    let elements = decode_commitments::<S>(dealt.commitments, tally.sets, tally.t)?;
    let shares = decode_shares::<S>(dealt.shares, tally.sets)?;
    let dealing = Decoded { elements, shares };
    match &tally.constants {
        Constants::Proven { ceremony } => check_proofs::<S>(tally, dealt, ceremony)?,
        Constants::Predecessors(predecessors) => {
            if !dealt.proofs.is_empty() {
                return Err(DealingFault::ProofLength);
            }
            check_constants(tally, dealt.dealer, predecessors, &dealing, rng)?;
        }
    }
    check_shares(tally, &dealing, rng)?;
    Ok(dealing)
}

fn decode_commitments<S: Suite>(bytes: &[u8], sets: usize, t: u16) -> Result<Vec<Element<S>>, DealingFault> {
    let (size, t) = (S::SUITE.element_bytes(), usize::from(t));
    if bytes.len() != sets * t * size {
        return Err(DealingFault::CommitmentLength);
    }
    let decode =
        |(at, bytes)| decode_element::<S>(bytes).map_err(|_| DealingFault::Commitment { set: at / t });
    bytes.chunks_exact(size).enumerate().map(decode).collect()
}

fn decode_shares<S: Suite>(bytes: &[u8], sets: usize) -> Result<Scalars<S>, DealingFault> {
    if bytes.len() != sets * SCALAR_BYTES {
        return Err(DealingFault::ShareLength);
    }
    let mut shares = Scalars(Vec::with_capacity(sets));
    for (set, bytes) in bytes.chunks_exact(SCALAR_BYTES).enumerate() {
        shares.0.push(decode_scalar::<S>(bytes).map_err(|_| DealingFault::ShareEncoding { set })?);
    }
    Ok(shares)
}

fn check_proofs<S: Suite>(
    tally: &Tally<'_>,
    dealt: &Dealt<'_>,
    ceremony: &[u8; 32],
) -> Result<(), DealingFault> {
    let size = S::SUITE.element_bytes();
    if dealt.proofs.len() != tally.sets * (size + SCALAR_BYTES) {
        return Err(DealingFault::ProofLength);
    }
    let constants = dealt.commitments.chunks_exact(size).step_by(tally.t.into());
    let proofs = dealt.proofs.chunks_exact(size + SCALAR_BYTES);
    for (set, (constant, proof)) in constants.zip(proofs).enumerate() {
        let context = context(ceremony, dealt.dealer, set);
        proof_holds::<S>(&context, constant, proof).ok_or(DealingFault::Proof { set })?;
    }
    Ok(())
}

/// `z·G = R + c·C`, all of it public.
fn proof_holds<S: Suite>(context: &[u8], constant: &[u8], proof: &[u8]) -> Option<()> {
    let (nonce, answer) = proof.split_at(S::SUITE.element_bytes());
    let c = challenge::<S>(context, constant, nonce);
    let (constant, commitment) = (decode_element::<S>(constant).ok()?, decode_element::<S>(nonce).ok()?);
    let zero = <S::Group as Group>::Field::zero();
    let negated = zero - decode_scalar::<S>(answer).ok()?;
    let one = Scalar::<S>::from(1u64);
    let sum = S::sum_of_public_multiples(&[negated, one, c], &[S::Group::generator(), commitment, constant]);
    (sum == S::Group::identity()).then_some(())
}

/// Each constant is the dealer's public share of the predecessor: at once, or else one by one.
fn check_constants<S: Suite>(
    tally: &Tally<'_>,
    dealer: Index,
    predecessors: &[&[&[u8]]],
    dealing: &Decoded<S>,
    rng: &mut dyn CryptoRng,
) -> Result<(), DealingFault> {
    let constants = dealing.elements.iter().step_by(tally.t.into());
    let mut terms = Vec::with_capacity(tally.sets);
    for (set, (constant, predecessor)) in constants.zip(predecessors).enumerate() {
        let fault = DealingFault::Constant { set };
        let commitment =
            predecessor.iter().map(|bytes| decode_element::<S>(bytes)).collect::<Result<Vec<_>, _>>();
        terms.push((fault, *constant, commitment.map_err(|_| fault)?));
    }
    let lines = terms.iter().map(|(fault, constant, commitment)| Line {
        fault: *fault,
        point: Some(*constant),
        scalar: None,
        commitment,
        x: dealer,
    });
    check_lines::<S>(&lines.collect::<Vec<_>>(), rng)
}

fn check_shares<S: Suite>(
    tally: &Tally<'_>,
    dealing: &Decoded<S>,
    rng: &mut dyn CryptoRng,
) -> Result<(), DealingFault> {
    let commitments = dealing.elements.chunks_exact(tally.t.into());
    let lines = dealing.shares.0.iter().zip(commitments).enumerate().map(|(set, (share, commitment))| Line {
        fault: DealingFault::Share { set },
        point: None,
        scalar: Some(share),
        commitment,
        x: tally.me,
    });
    check_lines::<S>(&lines.collect::<Vec<_>>(), rng)
}

/// The claim `point + scalar·G = Σ commitment[k]·x^k`; an absent point or scalar is zero.
struct Line<'a, S: Suite> {
    fault: DealingFault,
    point: Option<Element<S>>,
    scalar: Option<&'a Scalar<S>>,
    commitment: &'a [Element<S>],
    x: Index,
}

/// Checks all claims in one equation; if it fails, names the first that does not hold.
fn check_lines<S: Suite>(lines: &[Line<'_, S>], rng: &mut dyn CryptoRng) -> Result<(), DealingFault> {
    if hold_together(lines, rng) {
        return Ok(());
    }
    match lines.iter().find(|line| !hold_together(core::slice::from_ref(*line), rng)) {
        Some(line) => Err(line.fault),
        None => Ok(()), // no single claim fails: the sum can't either
    }
}

/// One claim as it stands; several, weighed at random, as their sum.
fn hold_together<S: Suite>(lines: &[Line<'_, S>], rng: &mut dyn CryptoRng) -> bool {
    let mut secret = <S::Group as Group>::Field::zero();
    let (mut weights, mut points) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    for line in lines {
        let weight = if lines.len() == 1 { Scalar::<S>::from(1u64) } else { random::<S>(rng) };
        if let Some(scalar) = line.scalar {
            secret = secret + weight * *scalar;
        }
        let value = value_at::<S>(line.commitment, line.x);
        points.push(line.point.map_or(value, |point| value - point));
        weights.push(weight);
    }
    let left = S::Group::generator() * secret;
    secret.zeroize();
    match points.as_slice() {
        [right] => left == *right,
        _ => left == S::sum_of_public_multiples(&weights, &points),
    }
}

/// `None` if a sum of commitments is the identity, which nobody can bring about without the discrete logarithm of another
/// dealer's commitment.
fn add_up<S: Suite>(tally: &Tally<'_>, dealings: &[Decoded<S>]) -> Option<Vec<Sum>> {
    let weights = match tally.constants {
        Constants::Proven { .. } => alloc::vec![Scalar::<S>::from(1u64); dealings.len()],
        Constants::Predecessors(_) => {
            let dealers: Vec<_> = tally.dealt.iter().map(|dealt| dealt.dealer).collect();
            Quorum::<S>::new(&dealers).ok()?.coefficients().to_vec()
        }
    };
    (0..tally.sets)
        .map(|set| {
            let commitment = sum_commitment::<S>(tally, dealings, &weights, set)?;
            Some(Sum { commitment, fragment: sum_shares::<S>(dealings, &weights, set) })
        })
        .collect()
}

/// The new commitment of one set. In a reshare its first element is the predecessor's: the constants were checked to be
/// the dealers' public shares, and those interpolate to it.
fn sum_commitment<S: Suite>(
    tally: &Tally<'_>,
    dealings: &[Decoded<S>],
    weights: &[Scalar<S>],
    set: usize,
) -> Option<Vec<Vec<u8>>> {
    let t = usize::from(tally.t);
    let sum = |k: usize| {
        let points: Vec<_> = dealings.iter().map(|dealing| dealing.elements[set * t + k]).collect();
        let sum = match tally.constants {
            Constants::Proven { .. } => points.iter().fold(S::Group::identity(), |sum, point| sum + *point),
            Constants::Predecessors(_) => S::sum_of_public_multiples(weights, &points),
        };
        encode_element::<S>(&sum).map(|bytes| bytes.as_ref().to_vec())
    };
    match tally.constants {
        Constants::Proven { .. } => (0..t).map(sum).collect(),
        Constants::Predecessors(all) => {
            core::iter::once(all[set].first().map(|y| y.to_vec())).chain((1..t).map(sum)).collect()
        }
    }
}

fn sum_shares<S: Suite>(dealings: &[Decoded<S>], weights: &[Scalar<S>], set: usize) -> FragmentBytes {
    let mut sum = <S::Group as Group>::Field::zero();
    for (dealing, weight) in dealings.iter().zip(weights) {
        sum = sum + *weight * dealing.shares.0[set];
    }
    let fragment = FragmentBytes::new(Zeroizing::new(encode_scalar::<S>(&sum).to_vec()));
    sum.zeroize();
    fragment
}

/// Fragments and the certificates' commitments that they belong to.
pub(super) struct Possession<'a> {
    pub suite: SuiteId,
    pub me: Index,
    pub held: &'a [(&'a FragmentBytes, &'a EpochCertificate)],
}

impl Possession<'_> {
    /// Checks `s·G = Y_me` for all fragments; else the place of the first that is wrong.
    pub(super) fn check(&self, rng: &mut dyn CryptoRng) -> Result<(), usize> {
        self.suite.visit(VisitPossession { possession: self, rng })
    }
}

struct VisitPossession<'a> {
    possession: &'a Possession<'a>,
    rng: &'a mut dyn CryptoRng,
}

impl SuiteVisitor for VisitPossession<'_> {
    type Output = Result<(), usize>;

    fn visit<S: Suite>(self) -> Self::Output {
        let Possession { me, held, .. } = self.possession;
        let mut shares = Scalars::<S>(Vec::with_capacity(held.len()));
        let mut commitments = Vec::with_capacity(held.len());
        for (at, (fragment, certificate)) in held.iter().enumerate() {
            shares.0.push(fragment.scalar::<S>().ok_or(at)?);
            let elements = certificate
                .commitment
                .iter()
                .map(|bytes| decode_element::<S>(bytes))
                .collect::<Result<Vec<_>, _>>();
            commitments.push(elements.map_err(|_| at)?);
        }
        let lines = shares.0.iter().zip(&commitments).enumerate().map(|(set, (share, commitment))| Line {
            fault: DealingFault::Share { set },
            point: None,
            scalar: Some(share),
            commitment,
            x: *me,
        });
        check_lines::<S>(&lines.collect::<Vec<_>>(), self.rng).map_err(|fault| match fault {
            DealingFault::Share { set } => set,
            _ => 0,
        })
    }
}
