//! The public side of a sharing: the committed polynomial, each member's public share, and the coefficients by which
//! any `t` members' parts add up to the whole.

use crate::{
    names::Index,
    suite::{Element, Encoded, Field, Group, Scalar, Suite, decode_element, encode_element},
};
use alloc::vec::Vec;

/// `Y_i = s_i·G`, against which a member's evaluations are proven.
#[derive(Clone, Copy)]
pub struct PublicShare<S: Suite> {
    element: Element<S>,
    encoded: Encoded<S>,
}

impl<S: Suite> PublicShare<S> {
    /// The public share of a secret; `None` for zero.
    pub fn of_secret(secret: &Scalar<S>) -> Option<Self> {
        Self::new(S::Group::generator() * *secret)
    }

    /// Reads an encoded public share.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::new(decode_element::<S>(bytes).ok()?)
    }

    fn new(element: Element<S>) -> Option<Self> {
        Some(Self { element, encoded: encode_element::<S>(&element)? })
    }

    /// The element.
    pub fn element(&self) -> &Element<S> {
        &self.element
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        self.encoded.as_ref()
    }
}

/// The commitments to the coefficients of the shared polynomial, constant term first: `t` elements, the first is the
/// key's public point `Y`.
#[derive(Clone)]
pub struct Sharing<S: Suite>(Vec<Element<S>>);

/// A commitment that no sharing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongSharing {
    /// No coefficient at all.
    #[error("a commitment has at least one element")]
    Empty,
    /// Not an element of the group, or the identity.
    #[error("a commitment contains something that is not an element of the group")]
    Encoding,
    /// A member whose public share is the identity: its fragment would be zero.
    #[error("the fragment of member {0} would be zero")]
    ZeroFragment(Index),
}

impl<S: Suite> Sharing<S> {
    /// Reads the commitment of an epoch certificate.
    pub fn from_bytes<B: AsRef<[u8]>>(commitment: &[B]) -> Result<Self, WrongSharing> {
        if commitment.is_empty() {
            return Err(WrongSharing::Empty);
        }
        let element = |bytes: &B| decode_element::<S>(bytes.as_ref()).map_err(|_| WrongSharing::Encoding);
        commitment.iter().map(element).collect::<Result<_, _>>().map(Self)
    }

    /// How many fragments make the key: `t`.
    pub fn threshold(&self) -> usize {
        self.0.len()
    }

    /// The member's public share, [`value_at`] its index.
    pub fn public_share(&self, index: Index) -> Result<PublicShare<S>, WrongSharing> {
        PublicShare::new(value_at::<S>(&self.0, index)).ok_or(WrongSharing::ZeroFragment(index))
    }
}

/// `Y_i = Σ_k commitment[k]·i^k`, by Horner's rule. An index is a small number, so each step is a few additions; all of it is
/// public, and so is the time that it takes.
pub fn value_at<S: Suite>(commitment: &[Element<S>], index: Index) -> Element<S> {
    let step = |sum, coefficient: &Element<S>| times::<S>(index.get().into(), sum) + *coefficient;
    commitment.iter().rev().fold(S::Group::identity(), step)
}

/// `number·element`, by doubling and adding: for small public numbers.
fn times<S: Suite>(number: u64, element: Element<S>) -> Element<S> {
    let digits = (0..u64::BITS - number.leading_zeros()).rev();
    digits.fold(S::Group::identity(), |sum, digit| {
        let doubled = sum + sum;
        if number >> digit & 1 == 1 { doubled + element } else { doubled }
    })
}

/// Members whose parts are added up, and the Lagrange coefficients at zero that weigh them. Worth keeping for as long
/// as the same members answer.
#[derive(Clone)]
pub struct Quorum<S: Suite> {
    members: Vec<Index>,
    coefficients: Vec<Scalar<S>>,
    whole: Option<Vec<i64>>,
}

/// Indices that are no quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongQuorum {
    /// No member.
    #[error("a quorum has at least one member")]
    Empty,
    /// A member twice.
    #[error("member {0} occurs twice in a quorum")]
    Repeated(Index),
}

impl<S: Suite> Quorum<S> {
    /// The quorum of these members, in this order: `λ_i = Π_{j≠i} x_j / (x_j − x_i)`, with one inversion for all, or
    /// none where they are small whole numbers.
    pub fn new(members: &[Index]) -> Result<Self, WrongQuorum> {
        if members.is_empty() {
            return Err(WrongQuorum::Empty);
        }
        let whole = whole_coefficients(members);
        let coefficients = match &whole {
            Some(whole) => whole.iter().map(|number| signed::<S>(*number)).collect(),
            None => coefficients::<S>(members)?,
        };
        Ok(Self { members: members.to_vec(), coefficients, whole })
    }

    /// The members, in the order of the coefficients.
    pub fn members(&self) -> &[Index] {
        &self.members
    }

    /// The coefficients `λ_i`.
    pub fn coefficients(&self) -> &[Scalar<S>] {
        &self.coefficients
    }

    /// `Σ λ_i·parts[i]`, the parts in the members' order. Takes a few additions where the coefficients are small whole
    /// numbers.
    pub fn combine(&self, parts: &[Element<S>]) -> Element<S> {
        debug_assert_eq!(parts.len(), self.coefficients.len());
        let Some(whole) = &self.whole else {
            return S::sum_of_public_multiples(&self.coefficients, parts);
        };
        whole.iter().zip(parts).fold(S::Group::identity(), |sum, (coefficient, part)| {
            let multiple = times::<S>(coefficient.unsigned_abs(), *part);
            if *coefficient < 0 { sum - multiple } else { sum + multiple }
        })
    }
}

fn coefficients<S: Suite>(members: &[Index]) -> Result<Vec<Scalar<S>>, WrongQuorum> {
    let xs: Vec<Scalar<S>> = members.iter().map(|index| u64::from(index.get()).into()).collect();
    let denominators: Vec<_> =
        (0..xs.len()).map(|i| product::<S>(others(&xs, i).map(|x| x - xs[i]))).collect();
    let inverses = invert_all::<S>(&denominators).ok_or_else(|| WrongQuorum::Repeated(repeated(members)))?;
    let coefficient = |(i, inverse): (usize, &Scalar<S>)| product::<S>(others(&xs, i)) * *inverse;
    Ok(inverses.iter().enumerate().map(coefficient).collect())
}

fn signed<S: Suite>(number: i64) -> Scalar<S> {
    let magnitude = number.unsigned_abs().into();
    if number < 0 { <S::Group as Group>::Field::zero() - magnitude } else { magnitude }
}

/// The `λ_i` as numbers, if each is a whole one and small: those of members 1 and 2 are 2 and −1, those of 1 and 3 are
/// halves.
fn whole_coefficients(members: &[Index]) -> Option<Vec<i64>> {
    const LARGEST: u64 = u16::MAX as u64;
    let xs: Vec<i64> = members.iter().map(|index| index.get().into()).collect();
    let coefficient = |i: usize| {
        let (numerator, denominator) =
            others(&xs, i).try_fold((1_i64, 1_i64), |(numerator, denominator), x| {
                Some((numerator.checked_mul(x)?, denominator.checked_mul(x - xs[i])?))
            })?;
        let whole = numerator.checked_rem(denominator)? == 0;
        whole.then(|| numerator / denominator).filter(|number| number.unsigned_abs() <= LARGEST)
    };
    (0..xs.len()).map(coefficient).collect()
}

fn others<T: Copy>(items: &[T], except: usize) -> impl Iterator<Item = T> + '_ {
    items.iter().enumerate().filter(move |(i, _)| *i != except).map(|(_, item)| *item)
}

fn product<S: Suite>(factors: impl Iterator<Item = Scalar<S>>) -> Scalar<S> {
    factors.fold(<S::Group as Group>::Field::one(), |product, factor| product * factor)
}

/// All inverses by one inversion (Montgomery's trick); `None` if a scalar is zero.
fn invert_all<S: Suite>(scalars: &[Scalar<S>]) -> Option<Vec<Scalar<S>>> {
    let before: Vec<_> = (0..scalars.len()).map(|i| product::<S>(scalars[..i].iter().copied())).collect();
    let whole = product::<S>(scalars.iter().copied());
    let mut inverse = <S::Group as Group>::Field::invert(&whole).ok()?;
    let mut inverses: Vec<_> = scalars
        .iter()
        .zip(before)
        .rev()
        .map(|(scalar, before)| {
            let inverted = inverse * before;
            inverse = inverse * *scalar;
            inverted
        })
        .collect();
    inverses.reverse();
    Some(inverses)
}

fn repeated(members: &[Index]) -> Index {
    let again = |(i, index): &(usize, &Index)| members[..*i].contains(index);
    members.iter().enumerate().find(again).map_or(members[0], |(_, index)| *index)
}
