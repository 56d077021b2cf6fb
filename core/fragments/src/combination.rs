//! Combining members' evaluations into outputs. The client's side of the function, for a suite that is known only when
//! the program runs.

use crate::{
    fragment::{Evaluation, Evaluator, Fragment, WrongFragment},
    input::Input,
    names::Index,
    proof::{self, MAX_BATCH, Proof},
    sharing::{PublicShare, Quorum, Sharing, WrongSharing},
    suite::{Element, Encoded, Suite, SuiteId, SuiteVisitor, decode_element},
};
use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// The public side of one instance of a fragment set: threshold, members, public shares. Made from an epoch certificate
/// (whose signatures are checked elsewhere), and cheap to clone.
#[derive(Clone)]
pub struct Instance(Arc<dyn Public>);

/// Why a member's answer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The member is not one of the instance.
    #[error("the instance has no such member")]
    NotAMember,
    /// Another number of evaluations than of inputs.
    #[error("the answer has another number of evaluations than was asked for")]
    Count,
    /// An evaluation that is no element of the group, or the identity.
    #[error("the answer contains something that is not an element of the group")]
    Encoding,
    /// The proof is not one for these evaluations.
    #[error("the answer's proof is wrong")]
    Proof,
}

/// Why there is no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// No input, or more than [`MAX_BATCH`], or one for another suite.
    #[error("a request has between 1 and {MAX_BATCH} inputs, all for the instance's suite")]
    Inputs,
    /// Fewer answers than the threshold.
    #[error("{have} answers where {need} are needed")]
    TooFew {
        /// Answers that count.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// The parts add up to the identity: at least one is wrong.
    #[error("the answers add up to nothing; at least one of them is wrong")]
    Degenerate,
}

impl Instance {
    /// An instance of these members with this committed polynomial, whose length is the threshold.
    pub fn new<B: AsRef<[u8]>>(
        suite: SuiteId,
        commitment: &[B],
        members: &[Index],
    ) -> Result<Self, WrongSharing> {
        suite.visit(Make { commitment, members }).map(Self)
    }

    /// The suite.
    pub fn suite(&self) -> SuiteId {
        self.0.suite()
    }

    /// How many members' evaluations make an output.
    pub fn threshold(&self) -> usize {
        self.0.threshold()
    }

    /// A member's public share.
    pub fn public_share(&self, index: Index) -> Option<Vec<u8>> {
        self.0.public_share(index)
    }

    /// Reads a member's own fragment, and checks that it is the one of this instance.
    pub fn fragment(&self, index: Index, secret: &[u8]) -> Result<Box<dyn Evaluator>, WrongFragment> {
        self.0.fragment(index, secret)
    }

    /// Starts to collect the members' answers to 1 to [`MAX_BATCH`] inputs.
    pub fn combination(&self, inputs: Vec<Input>) -> Result<Combination, CombineError> {
        let other_suite = inputs.iter().any(|input| input.suite() != self.suite());
        if inputs.is_empty() || inputs.len() > MAX_BATCH || other_suite {
            return Err(CombineError::Inputs);
        }
        Ok(Combination(self.0.clone().collect(inputs)))
    }
}

/// Answers to one batch of inputs, as they come in. A later answer of the same member takes the place of its earlier.
pub struct Combination(Box<dyn Collect>);

impl Combination {
    /// Takes an answer without a proof. Good enough to decrypt: the commitment tells whether the output is right.
    pub fn accept(&mut self, index: Index, evaluations: &[Evaluation]) -> Result<(), Refused> {
        self.0.accept(index, evaluations, None)
    }

    /// Takes an answer whose proof is right.
    pub fn accept_proven(
        &mut self,
        index: Index,
        evaluations: &[Evaluation],
        proof: &Proof,
    ) -> Result<(), Refused> {
        self.0.accept(index, evaluations, Some(proof))
    }

    /// Forgets a member's answer.
    pub fn drop_answer(&mut self, index: Index) {
        self.0.drop_answer(index);
    }

    /// The outputs, in the order of the inputs, from the first `t` answers; proven ones are preferred.
    pub fn finish(&self) -> Result<Vec<Output>, CombineError> {
        self.0.finish(Wanted::Any)
    }

    /// The outputs from `t` proven answers. Only such may be encrypted with: a liar could otherwise make data that it
    /// alone can open later.
    pub fn finish_proven(&self) -> Result<Vec<Proven>, CombineError> {
        Ok(self.0.finish(Wanted::Proven)?.into_iter().map(Proven).collect())
    }
}

/// An output of the function for one input: `Z`, from which a key is derived.
pub struct Output {
    pub(crate) z: Zeroizing<Vec<u8>>,
    pub(crate) input: Input,
}

impl Output {
    /// The input that this is the output of.
    pub fn input(&self) -> &Input {
        &self.input
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("input", &self.input).finish_non_exhaustive()
    }
}

/// The witness that every part of an output was proven.
#[derive(Debug)]
pub struct Proven(Output);

impl core::ops::Deref for Proven {
    type Target = Output;

    fn deref(&self) -> &Output {
        &self.0
    }
}

/// [`Instance`], erased.
trait Public: Send + Sync {
    fn suite(&self) -> SuiteId;
    fn threshold(&self) -> usize;
    fn public_share(&self, index: Index) -> Option<Vec<u8>>;
    fn fragment(&self, index: Index, secret: &[u8]) -> Result<Box<dyn Evaluator>, WrongFragment>;
    fn collect(self: Arc<Self>, inputs: Vec<Input>) -> Box<dyn Collect>;
}

/// [`Combination`], erased.
trait Collect: Send {
    fn accept(&mut self, index: Index, parts: &[Evaluation], proof: Option<&Proof>) -> Result<(), Refused>;
    fn drop_answer(&mut self, index: Index);
    fn finish(&self, wanted: Wanted) -> Result<Vec<Output>, CombineError>;
}

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    Proven,
}

struct Make<'a, B> {
    commitment: &'a [B],
    members: &'a [Index],
}

impl<B: AsRef<[u8]>> SuiteVisitor for Make<'_, B> {
    type Output = Result<Arc<dyn Public>, WrongSharing>;

    fn visit<S: Suite>(self) -> Self::Output {
        let sharing = Sharing::<S>::from_bytes(self.commitment)?;
        let share = |index: &Index| Ok((*index, sharing.public_share(*index)?));
        let shares = self.members.iter().map(share).collect::<Result<_, _>>()?;
        Ok(Arc::new(Members { threshold: sharing.threshold(), shares }))
    }
}

/// An instance of suite `S`.
struct Members<S: Suite> {
    threshold: usize,
    shares: BTreeMap<Index, PublicShare<S>>,
}

impl<S: Suite> Public for Members<S> {
    fn suite(&self) -> SuiteId {
        S::SUITE
    }

    fn threshold(&self) -> usize {
        self.threshold
    }

    fn public_share(&self, index: Index) -> Option<Vec<u8>> {
        self.shares.get(&index).map(|share| share.as_bytes().to_vec())
    }

    fn fragment(&self, index: Index, secret: &[u8]) -> Result<Box<dyn Evaluator>, WrongFragment> {
        let share = self.shares.get(&index).ok_or(WrongFragment::NotAMember)?;
        let fragment = Fragment::<S>::from_bytes(secret)?;
        if fragment.public().as_bytes() != share.as_bytes() {
            return Err(WrongFragment::PublicShare);
        }
        Ok(Box::new(fragment))
    }

    fn collect(self: Arc<Self>, inputs: Vec<Input>) -> Box<dyn Collect> {
        Box::new(Collected { instance: self, inputs, points: Vec::new(), answers: Vec::new() })
    }
}

/// A combination of suite `S`.
struct Collected<S: Suite> {
    instance: Arc<Members<S>>,
    inputs: Vec<Input>,
    /// The inputs hashed to the group, once a proof asks for them.
    points: Vec<Element<S>>,
    answers: Vec<Answer<S>>,
}

/// One member's evaluations, in the order of the inputs.
struct Answer<S: Suite> {
    index: Index,
    elements: Vec<Element<S>>,
    proven: bool,
}

impl<S: Suite> Collect for Collected<S> {
    fn accept(&mut self, index: Index, parts: &[Evaluation], proof: Option<&Proof>) -> Result<(), Refused> {
        let share = *self.instance.shares.get(&index).ok_or(Refused::NotAMember)?;
        if parts.len() != self.inputs.len() {
            return Err(Refused::Count);
        }
        let element = |part: &Evaluation| decode_element::<S>(part.as_bytes()).map_err(|_| Refused::Encoding);
        let elements: Vec<_> = parts.iter().map(element).collect::<Result<_, _>>()?;
        if let Some(proof) = proof {
            proof::verify(&share, self.points(), &elements, parts, proof).map_err(|_| Refused::Proof)?;
        }
        self.drop_answer(index);
        self.answers.push(Answer { index, elements, proven: proof.is_some() });
        Ok(())
    }

    fn drop_answer(&mut self, index: Index) {
        self.answers.retain(|answer| answer.index != index);
    }

    fn finish(&self, wanted: Wanted) -> Result<Vec<Output>, CombineError> {
        let answers = self.quorum(wanted)?;
        let members: Vec<_> = answers.iter().map(|answer| answer.index).collect();
        let quorum =
            Quorum::<S>::new(&members).expect("a threshold is at least one, and a member answers once");
        let sum = |i: usize| {
            let parts: Vec<_> = answers.iter().map(|answer| answer.elements[i]).collect();
            quorum.combine(&parts)
        };
        let sums: Vec<_> = (0..self.inputs.len()).map(sum).collect();
        let output = |(encoded, input): (Option<_>, &Input)| {
            let encoded: Encoded<S> = encoded.ok_or(CombineError::Degenerate)?;
            Ok(Output { z: Zeroizing::new(encoded.as_ref().to_vec()), input: input.clone() })
        };
        S::encode_all(&sums).into_iter().zip(&self.inputs).map(output).collect()
    }
}

impl<S: Suite> Collected<S> {
    fn points(&mut self) -> &[Element<S>] {
        if self.points.is_empty() {
            self.points = self.inputs.iter().map(Input::point::<S>).collect();
        }
        &self.points
    }

    /// `t` answers of those that count, proven ones first.
    fn quorum(&self, wanted: Wanted) -> Result<Vec<&Answer<S>>, CombineError> {
        let proven = self.answers.iter().filter(|answer| answer.proven);
        let unproven = self.answers.iter().filter(|answer| !answer.proven && wanted == Wanted::Any);
        let mut answers: Vec<_> = proven.chain(unproven).collect();
        let (have, need) = (answers.len(), self.instance.threshold);
        if have < need {
            return Err(CombineError::TooFew { have, need });
        }
        answers.truncate(need);
        Ok(answers)
    }
}
