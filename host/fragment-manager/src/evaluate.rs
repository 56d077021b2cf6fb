//! The hot path: inputs to evaluations under a cached verdict. No signature is checked and no datastore read.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use symbolon_fragments::names::InstanceId;
use symbolon_fragments::{EvaluateError, Evaluation, Fields, Proof, SuiteId};
use symbolon_protocol::wire::{Error, Inputs, Response};
use symbolon_trust::{Admission, AdmittedInputs, GuardedFragment, Now, Operation};
use tokio::task::yield_now;

use crate::account::Account;
use crate::channels::Verdict;
use crate::refusal;

impl Account {
    /// Evaluates inputs of the key version that a verdict is about.
    pub(crate) async fn evaluate(
        &self,
        verdict: &Verdict,
        instance: InstanceId,
        prove: bool,
        inputs: &Inputs,
    ) -> Result<Response, Error> {
        let now = self.now()?;
        self.log().check()?;
        check_purpose(verdict, inputs)?;
        let served = self.sets().find(&verdict.set, &instance);
        let served =
            served.ok_or_else(|| Error::NotHeld { served: self.sets().certificates(&verdict.set) })?;
        let fragment = self.sets().fragment(&served).await.map_err(refusal::fragment)?;
        let Admitted { admission, pieces } = admit(verdict, fragment.suite(), prove, inputs, now)?;
        verdict.bucket.take(u32::try_from(inputs.len()).unwrap_or(u32::MAX))?;
        let (evaluations, proof) = multiply(fragment, &pieces, prove).await.map_err(refusal::evaluate)?;
        self.log().evaluated(admission.verdict(), admission.operation(), instance, inputs.len());
        Ok(Response::Evaluated { instance, proof, evaluations })
    }
}

fn check_purpose(verdict: &Verdict, inputs: &Inputs) -> Result<(), Error> {
    let purpose = verdict.purpose;
    if inputs.iter().all(|fields| fields.purpose == purpose) {
        Ok(())
    } else {
        Err(Error::WrongPurpose { purpose })
    }
}

/// Inputs after which others get their turn; about 0.4 ms.
const TURN: usize = 8;

/// What a request may do, and its inputs in the pieces in which they are evaluated.
struct Admitted<'v> {
    admission: Admission<'v>,
    pieces: Vec<AdmittedInputs>,
}

/// Admits inputs: to encrypt if they are to be proven, own and fresh and the verdict allows it, else to decrypt.
fn admit<'v>(
    verdict: &'v Verdict,
    suite: SuiteId,
    prove: bool,
    inputs: &[Fields],
    now: Now,
) -> Result<Admitted<'v>, Error> {
    let admit = |operation| {
        let admission = verdict.authorised.admit(operation, now).map_err(refusal::not_admitted)?;
        let pieces =
            inputs.chunks(TURN).map(|piece| admission.inputs(suite, piece)).collect::<Result<_, _>>();
        Ok(Admitted { admission, pieces: pieces.map_err(refusal::input)? })
    };
    if !prove {
        return admit(Operation::Decrypt);
    }
    admit(Operation::Encrypt).or_else(|refused| admit(Operation::Decrypt).map_err(|_| refused))
}

/// Multiplies, and lets others run between two pieces.
async fn multiply(
    fragment: &GuardedFragment,
    pieces: &[AdmittedInputs],
    prove: bool,
) -> Result<(Vec<Evaluation>, Option<Proof>), EvaluateError> {
    let mut batch = fragment.batch();
    for (turn, piece) in pieces.iter().enumerate() {
        if turn > 0 {
            yield_now().await;
        }
        batch.add(piece)?;
    }
    if !prove {
        return Ok((batch.finish(), None));
    }
    let (evaluations, proof) = batch.finish_proven(&mut UnwrapErr(SysRng))?;
    Ok((evaluations, Some(proof)))
}
