//! A customer fragment that code of the caller's keeps: a device, a service, an object of Python's.

use crate::failure::wrong_type;
use crate::gate;
use crate::value;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::panic::resume_unwind;
use std::sync::Arc;
use symbolon_client::customer::{Keeper, KeeperError};
use symbolon_fragments::CustomerFragmentId;
use zeroize::Zeroizing;

/// Bytes of a contribution.
const CONTRIBUTION: usize = 32;

/// A callable of Python's that evaluates a customer fragment.
pub struct Callback {
    id: CustomerFragmentId,
    evaluate: Arc<Py<PyAny>>,
}

/// Those of a list of pairs: id and `evaluate(message: bytes) -> bytes`.
pub fn all(keepers: &Bound<'_, PyList>) -> PyResult<Vec<Arc<dyn Keeper>>> {
    keepers.iter().map(|pair| Ok(Arc::new(one(&pair)?) as Arc<dyn Keeper>)).collect()
}

fn one(pair: &Bound<'_, PyAny>) -> PyResult<Callback> {
    let (id, evaluate): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
    let bytes = value::bytes(&id, "the id of a customer fragment")?;
    let fixed = <[u8; 16]>::try_from(&bytes[..]);
    let fixed = fixed.map_err(|_| wrong_type(&id, "the id of a customer fragment", "16 bytes"))?;
    if !evaluate.is_callable() {
        return Err(wrong_type(&evaluate, "what evaluates a customer fragment", "callable"));
    }
    Ok(Callback { id: CustomerFragmentId::new(fixed), evaluate: Arc::new(evaluate.unbind()) })
}

impl Keeper for Callback {
    fn id(&self) -> CustomerFragmentId {
        self.id
    }

    /// The callable may take its time, so it gets a thread of its own.
    fn evaluate(&self, message: &[u8]) -> BoxFuture<'_, Result<Zeroizing<[u8; 32]>, KeeperError>> {
        let (evaluate, message) = (self.evaluate.clone(), message.to_vec());
        let called = tokio::task::spawn_blocking(move || call(&evaluate, &message));
        let answer = async move {
            match called.await {
                Ok(answer) => answer,
                Err(ended) => match ended.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(cancelled) => Err(KeeperError::Failed(Box::new(cancelled))),
                },
            }
        };
        answer.boxed()
    }
}

fn call(evaluate: &Py<PyAny>, message: &[u8]) -> Result<Zeroizing<[u8; CONTRIBUTION]>, KeeperError> {
    let called = gate::attached(|py| {
        let answer = evaluate.bind(py).call1((PyBytes::new(py, message),))?;
        value::bytes(&answer, "what evaluate() gives")
    });
    let answer = called.ok_or_else(|| KeeperError::Failed("the interpreter exits".into()))?;
    let answer = answer.map_err(|raised| KeeperError::Failed(Box::new(raised)))?;
    <[u8; CONTRIBUTION]>::try_from(&answer[..])
        .map(Zeroizing::new)
        .map_err(|_| KeeperError::WrongLength(answer.len()))
}
