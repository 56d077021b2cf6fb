//! Evaluation behind the checks: a fragment that answers admitted inputs only (specification §2.11, §6).

use crate::{authorise::Admission, operations::Operation, time::Seconds};
use alloc::{boxed::Box, vec::Vec};
use rand_core::CryptoRng;
use symbolon_fragments::{
    Batch, EvaluateError, Evaluation, Evaluator, Fields, Input, KeyScope, Proof, SuiteId, WrongFragment,
};

/// How far an input that is encrypted may be from the manager's clock: 120 s, either way.
pub const FRESHNESS: u64 = 120;

/// Derivation inputs that a verdict admits, for one suite.
///
/// ```compile_fail,E0423
/// # fn forge(inputs: Vec<symbolon_fragments::Input>) {
/// let admitted = symbolon_trust::AdmittedInputs(inputs);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedInputs(Vec<Input>);

/// Why an input is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputRefused {
    /// The verdict is about something else than evaluating.
    #[error("{0} evaluates nothing")]
    Operation(Operation),
    /// To encrypt, the holder uses inputs of its own.
    #[error("the input was written by another holder: encrypting takes one's own inputs")]
    Writer,
    /// To encrypt, inputs are new.
    #[error("the input is dated {created}, but it is {now} here (Unix seconds): encrypting takes new inputs")]
    Stale {
        /// The input's date.
        created: Seconds,
        /// The manager's time.
        now: Seconds,
    },
}

impl Admission<'_> {
    /// Makes derivation inputs of what a request contributes. Account, key and version are the verdict's.
    pub fn inputs(&self, suite: SuiteId, fields: &[Fields]) -> Result<AdmittedInputs, InputRefused> {
        match self.operation() {
            Operation::Decrypt => {}
            Operation::Encrypt => fields.iter().try_for_each(|fields| self.check_own(fields))?,
            other @ (Operation::Create | Operation::Audit | Operation::Sign) => {
                return Err(InputRefused::Operation(other));
            }
        }
        let verdict = self.verdict();
        let (account, version) = (verdict.account(), verdict.version());
        let scope = KeyScope { account, suite, key: verdict.key().clone(), version };
        Ok(AdmittedInputs(fields.iter().map(|fields| Input::new(&scope, fields)).collect()))
    }

    fn check_own(&self, fields: &Fields) -> Result<(), InputRefused> {
        if fields.writer != self.verdict().holder() {
            return Err(InputRefused::Writer);
        }
        let (created, now) = (Seconds(fields.created), self.time());
        if created.0.abs_diff(now.0) > FRESHNESS {
            return Err(InputRefused::Stale { created, now });
        }
        Ok(())
    }
}

/// A fragment in a manager's hands. It evaluates [`AdmittedInputs`] and nothing else.
///
/// An input that no verdict admitted is refused by the compiler:
/// ```compile_fail,E0308
/// # fn oracle(fragment: &symbolon_trust::GuardedFragment, input: &[symbolon_fragments::Input]) {
/// fragment.evaluate(input);
/// # }
/// ```
pub struct GuardedFragment(Box<dyn Evaluator>);

impl GuardedFragment {
    /// Takes a fragment from the encoding of its scalar.
    pub fn load(suite: SuiteId, secret: &[u8]) -> Result<Self, WrongFragment> {
        symbolon_fragments::load(suite, secret).map(Self)
    }

    /// The suite.
    pub fn suite(&self) -> SuiteId {
        self.0.suite()
    }

    /// The encoding of the public share.
    pub fn public_share(&self) -> Vec<u8> {
        self.0.public_share()
    }

    /// Evaluates.
    pub fn evaluate(&self, inputs: &AdmittedInputs) -> Result<Vec<Evaluation>, EvaluateError> {
        self.0.evaluate(&inputs.0)
    }

    /// Evaluates, with one proof for all.
    pub fn evaluate_proven(
        &self,
        inputs: &AdmittedInputs,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Evaluation>, Proof), EvaluateError> {
        self.0.evaluate_proven(&inputs.0, rng)
    }

    /// A batch that is evaluated piece by piece.
    pub fn batch(&self) -> GuardedBatch<'_> {
        GuardedBatch(self.0.batch())
    }
}

/// A batch of admitted inputs under way.
pub struct GuardedBatch<'a>(Box<dyn Batch + 'a>);

impl GuardedBatch<'_> {
    /// Evaluates some more inputs.
    pub fn add(&mut self, inputs: &AdmittedInputs) -> Result<(), EvaluateError> {
        self.0.add(&inputs.0)
    }

    /// The evaluations, in the inputs' order.
    pub fn finish(self) -> Vec<Evaluation> {
        self.0.finish()
    }

    /// The same, with one proof for all.
    pub fn finish_proven(self, rng: &mut dyn CryptoRng) -> Result<(Vec<Evaluation>, Proof), EvaluateError> {
        self.0.finish_proven(rng)
    }
}

impl core::fmt::Debug for GuardedFragment {
    /// Shows the suite only.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GuardedFragment").field("suite", &self.suite()).finish_non_exhaustive()
    }
}
