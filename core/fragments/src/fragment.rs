//! A fragment of a key, and its evaluation on inputs. The manager's side of the function.

use crate::{
    input::Input,
    proof::{self, MAX_BATCH, Proof},
    sharing::PublicShare,
    suite::{Element, Scalar, Suite, SuiteId, SuiteVisitor, decode_scalar, encode_scalar},
};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// One fragment: a secret scalar, with the public share that others check its evaluations against.
pub struct Fragment<S: Suite> {
    secret: Zeroizing<Scalar<S>>,
    public: PublicShare<S>,
}

/// Bytes that are not the fragment that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongFragment {
    /// Not a reduced scalar, or zero.
    #[error("not a fragment: the bytes are not a scalar between 1 and the group's order")]
    Encoding,
    /// The member is not one of the instance.
    #[error("the instance has no such member")]
    NotAMember,
    /// A fragment of another key, instance or member.
    #[error("the fragment does not belong to its public share")]
    PublicShare,
}

/// Why inputs were not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// No input, or more than [`MAX_BATCH`].
    #[error("a request has between 1 and {MAX_BATCH} inputs")]
    BatchSize,
    /// An input made for another suite than the fragment's.
    #[error("an input is for another suite")]
    Suite,
    /// The identity occurred, which has no encoding. Nobody can bring this about on purpose.
    #[error("an input hashes to a degenerate element")]
    Degenerate,
}

/// What a fragment manager does with a fragment, whatever the suite.
pub trait Evaluator: Send + Sync {
    /// The suite of the fragment.
    fn suite(&self) -> SuiteId;

    /// The encoding of the public share `s·G`.
    fn public_share(&self) -> Vec<u8>;

    /// `D = s·P` for each of 1 to [`MAX_BATCH`] inputs, in their order.
    fn evaluate(&self, inputs: &[Input]) -> Result<Vec<Evaluation>, EvaluateError>;

    /// The same, and one proof for all of them that they are the fragment's evaluations (RFC 9497 §2.2).
    fn evaluate_proven(
        &self,
        inputs: &[Input],
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Evaluation>, Proof), EvaluateError>;

    /// A batch of no inputs yet.
    fn batch(&self) -> Box<dyn Batch + '_>;
}

/// A batch that is evaluated piece by piece, so that whoever runs it can do something else in between.
pub trait Batch: Send {
    /// Evaluates some more inputs, [`MAX_BATCH`] in all at most.
    fn add(&mut self, inputs: &[Input]) -> Result<(), EvaluateError>;

    /// The evaluations, in the inputs' order.
    fn finish(self: Box<Self>) -> Vec<Evaluation>;

    /// The same, and one proof for all of them that they are the fragment's evaluations (RFC 9497 §2.2).
    fn finish_proven(
        self: Box<Self>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Evaluation>, Proof), EvaluateError>;
}

/// Reads a fragment of a suite that is known only when the program runs.
pub fn load(suite: SuiteId, secret: &[u8]) -> Result<Box<dyn Evaluator>, WrongFragment> {
    struct Load<'a>(&'a [u8]);
    impl SuiteVisitor for Load<'_> {
        type Output = Result<Box<dyn Evaluator>, WrongFragment>;
        fn visit<S: Suite>(self) -> Self::Output {
            Ok(Box::new(Fragment::<S>::from_bytes(self.0)?))
        }
    }
    suite.visit(Load(secret))
}

impl<S: Suite> Fragment<S> {
    /// Reads a fragment from the encoding of its scalar, and computes its public share.
    pub fn from_bytes(secret: &[u8]) -> Result<Self, WrongFragment> {
        let secret = Zeroizing::new(decode_scalar::<S>(secret).map_err(|_| WrongFragment::Encoding)?);
        let public = PublicShare::<S>::of_secret(&secret).ok_or(WrongFragment::Encoding)?;
        Ok(Self { secret, public })
    }

    /// The encoding of the scalar, to be sealed.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(encode_scalar::<S>(&self.secret))
    }

    /// The public share.
    pub fn public(&self) -> &PublicShare<S> {
        &self.public
    }

    pub(crate) fn points(inputs: &[Input]) -> Result<Vec<Element<S>>, EvaluateError> {
        if inputs.is_empty() || inputs.len() > MAX_BATCH {
            return Err(EvaluateError::BatchSize);
        }
        if inputs.iter().any(|input| input.suite() != S::SUITE) {
            return Err(EvaluateError::Suite);
        }
        Ok(inputs.iter().map(Input::point::<S>).collect())
    }

    pub(crate) fn evaluate_points(&self, points: &[Element<S>]) -> Result<Vec<Evaluation>, EvaluateError> {
        let encoded = S::multiply_and_encode(&self.secret, points);
        encoded.into_iter().map(|e| e.map(Evaluation::new).ok_or(EvaluateError::Degenerate)).collect()
    }
}

impl<S: Suite> Evaluator for Fragment<S> {
    fn suite(&self) -> SuiteId {
        S::SUITE
    }

    fn public_share(&self) -> Vec<u8> {
        self.public.as_bytes().to_vec()
    }

    fn evaluate(&self, inputs: &[Input]) -> Result<Vec<Evaluation>, EvaluateError> {
        self.evaluate_points(&Self::points(inputs)?)
    }

    fn evaluate_proven(
        &self,
        inputs: &[Input],
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Evaluation>, Proof), EvaluateError> {
        let mut batch = self.batch();
        batch.add(inputs)?;
        batch.finish_proven(rng)
    }

    fn batch(&self) -> Box<dyn Batch + '_> {
        Box::new(UnderWay { fragment: self, points: Vec::new(), evaluations: Vec::new() })
    }
}

struct UnderWay<'a, S: Suite> {
    fragment: &'a Fragment<S>,
    points: Vec<Element<S>>,
    evaluations: Vec<Evaluation>,
}

impl<S: Suite> Batch for UnderWay<'_, S> {
    fn add(&mut self, inputs: &[Input]) -> Result<(), EvaluateError> {
        if self.points.len() + inputs.len() > MAX_BATCH {
            return Err(EvaluateError::BatchSize);
        }
        let points = Fragment::<S>::points(inputs)?;
        self.evaluations.extend(self.fragment.evaluate_points(&points)?);
        self.points.extend(points);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Vec<Evaluation> {
        self.evaluations
    }

    fn finish_proven(
        self: Box<Self>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Evaluation>, Proof), EvaluateError> {
        let Self { fragment, points, evaluations } = *self;
        if points.is_empty() {
            return Err(EvaluateError::BatchSize);
        }
        let proof = proof::prove::<S>(&fragment.secret, &fragment.public, &points, &evaluations, rng)
            .ok_or(EvaluateError::Degenerate)?;
        Ok((evaluations, proof))
    }
}

/// The longest encoding of an element.
const LONGEST: usize = 33;

/// The encoding of one evaluation `D_i`. It is one of `t` parts of an output, so it is wiped, and not printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Evaluation {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Evaluation {
    pub(crate) fn new(encoded: impl AsRef<[u8]>) -> Self {
        let mut bytes = [0; LONGEST];
        let length = encoded.as_ref().len();
        bytes[..length].copy_from_slice(encoded.as_ref());
        Self { bytes, length }
    }

    /// An evaluation as it was received. Whether it is an element shows when it is combined.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        matches!(bytes.len(), 32 | LONGEST).then(|| Self::new(bytes))
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evaluation(…)")
    }
}

impl<C> Encode<C> for Evaluation {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.as_bytes()).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for Evaluation {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::from_bytes(d.bytes()?).ok_or_else(|| decode::Error::message("not the length of an element"))
    }
}
