//! Feldman dealings of many sets at once: one dealer's part of a ceremony, as bytes.
//!
//! The arithmetic is that of frost-core's groups; what frost leaves to its callers (exact lengths, agreement, proofs
//! bound to their ceremony, the constant that is dealt) is checked in [`super::tally`]. Agreement and transport are not
//! here.

use super::FragmentBytes;
use alloc::{collections::BTreeMap, vec::Vec};
use rand_core::CryptoRng;
use symbolon_encoding::Tuple;
use symbolon_fragments::{
    OldRng,
    names::Index,
    suite::{Field, Group, Scalar, Suite, SuiteId, SuiteVisitor, encode_element, encode_scalar},
};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a scalar in every suite.
pub(super) const SCALAR_BYTES: usize = 32;

/// Domain separation of the proof of possession's challenge.
const PROOF_DST: &[u8] = b"symbolon/v1/possession/";

/// What one member deals in a ceremony, and to whom.
pub(super) struct Deal<'a> {
    pub suite: SuiteId,
    pub dealer: Index,
    pub receivers: &'a [Index],
    /// Fragments of the new instance that make the key.
    pub t: u16,
    pub source: Source<'a>,
}

/// What the constants of the dealer's polynomials are.
pub(super) enum Source<'a> {
    /// Fresh random numbers, one a set, whose possession is proven to this ceremony.
    Random { sets: usize, ceremony: &'a [u8; 32] },
    /// The dealer's fragments of the predecessors, one a set.
    Fragments(&'a [FragmentBytes]),
}

/// A dealing of every set of a ceremony: commitments for all, shares for each.
pub(super) struct Dealing {
    /// `t` elements a set, set after set.
    pub commitments: Vec<u8>,
    /// Proofs of possession, an element and a scalar a set; empty unless random numbers were dealt.
    pub proofs: Vec<u8>,
    /// Each receiver's shares, a scalar a set.
    pub shares: BTreeMap<Index, Zeroizing<Vec<u8>>>,
}

impl Deal<'_> {
    /// Deals. `None` if a fragment is no scalar or a commitment came out as the identity, which has probability 2⁻²⁵²
    /// unless a fragment is zero.
    pub(super) fn run(&self, rng: &mut dyn CryptoRng) -> Option<Dealing> {
        self.suite.visit(Visit { deal: self, rng })
    }
}

struct Visit<'a> {
    deal: &'a Deal<'a>,
    rng: &'a mut dyn CryptoRng,
}

impl SuiteVisitor for Visit<'_> {
    type Output = Option<Dealing>;

    fn visit<S: Suite>(self) -> Self::Output {
        let Self { deal, rng } = self;
        let receivers = deal.receivers.iter().map(|index| (*index, Zeroizing::new(Vec::new()))).collect();
        let mut out = Dealing { commitments: Vec::new(), proofs: Vec::new(), shares: receivers };
        match deal.source {
            Source::Random { sets, ceremony } => (0..sets).try_for_each(|set| {
                let polynomial = Polynomial::<S>::random(deal.t, rng);
                out.append(&polynomial)?;
                let proof = prove::<S>(polynomial.constant(), &context(ceremony, deal.dealer, set), rng)?;
                out.proofs.extend_from_slice(&proof);
                Some(())
            }),
            Source::Fragments(fragments) => fragments
                .iter()
                .try_for_each(|fragment| out.append(&Polynomial::<S>::of(fragment, deal.t, rng)?)),
        }?;
        Some(out)
    }
}

impl Dealing {
    fn append<S: Suite>(&mut self, polynomial: &Polynomial<S>) -> Option<()> {
        polynomial.commit(&mut self.commitments)?;
        for (index, shares) in &mut self.shares {
            let mut share = polynomial.at(*index);
            shares.extend_from_slice(Zeroizing::new(encode_scalar::<S>(&share)).as_ref());
            share.zeroize();
        }
        Some(())
    }
}

/// A secret polynomial; coefficients ascending. Wiped when dropped.
struct Polynomial<S: Suite>(Vec<Scalar<S>>);

impl<S: Suite> Polynomial<S> {
    fn random(t: u16, rng: &mut dyn CryptoRng) -> Self {
        Self((0..t).map(|_| random::<S>(rng)).collect())
    }

    fn of(fragment: &FragmentBytes, t: u16, rng: &mut dyn CryptoRng) -> Option<Self> {
        let mut polynomial = Self::random(t, rng);
        polynomial.0[0] = fragment.scalar::<S>()?;
        Some(polynomial)
    }

    fn constant(&self) -> &Scalar<S> {
        &self.0[0]
    }

    fn commit(&self, out: &mut Vec<u8>) -> Option<()> {
        self.0.iter().try_for_each(|coefficient| {
            out.extend_from_slice(encode_element::<S>(&(S::Group::generator() * *coefficient))?.as_ref());
            Some(())
        })
    }

    fn at(&self, index: Index) -> Scalar<S> {
        let x = Scalar::<S>::from(u64::from(index.get()));
        let zero = <S::Group as Group>::Field::zero();
        self.0.iter().rev().fold(zero, |sum, coefficient| sum * x + *coefficient)
    }
}

impl<S: Suite> Drop for Polynomial<S> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// A scalar from the caller's generator.
pub(super) fn random<S: Suite>(rng: &mut dyn CryptoRng) -> Scalar<S> {
    <S::Group as Group>::Field::random(&mut OldRng(rng))
}

/// What a proof of possession is bound to: the ceremony (and by it every nonce), the dealer, the set.
pub(super) fn context(ceremony: &[u8; 32], dealer: Index, set: usize) -> Vec<u8> {
    Tuple::new("possession").bytes(ceremony).uint(dealer.get().into()).uint(set as u64).encode()
}

/// The challenge of a proof of possession (Schnorr 1991, made non-interactive).
pub(super) fn challenge<S: Suite>(context: &[u8], constant: &[u8], nonce: &[u8]) -> Scalar<S> {
    S::hash_to_scalar(&[context, constant, nonce], &[PROOF_DST, S::SUITE.name().as_bytes()])
}

/// A proof that the dealer knows the constant: `R ‖ z` with `z = r + c·constant`.
fn prove<S: Suite>(constant: &Scalar<S>, context: &[u8], rng: &mut dyn CryptoRng) -> Option<Vec<u8>> {
    let generator = S::Group::generator();
    let mut nonce = random::<S>(rng);
    let commitment = encode_element::<S>(&(generator * nonce))?;
    let public = encode_element::<S>(&(generator * *constant))?;
    let answer = nonce + challenge::<S>(context, public.as_ref(), commitment.as_ref()) * *constant;
    nonce.zeroize();
    Some([commitment.as_ref(), &encode_scalar::<S>(&answer)].concat())
}
