//! The customer fragments that a client has, and what they contribute to the messages of a batch.

use super::{Keeper, KeeperError};
use crate::error::{Error, Invalid, NotFound, Unavailable};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;
use symbolon_envelope::Header;
use symbolon_fragments::{CustomerContribution, CustomerFragmentId};

/// Evaluations that a keeper is asked for at a time.
const AT_ONCE: usize = 8;

/// What fragments contribute to messages, in their order; nothing where a key takes none.
pub(crate) type Contributions = Vec<Option<CustomerContribution>>;

/// The first is for writing; all are for reading, so one that was replaced stays behind its successor.
#[derive(Clone)]
pub(crate) struct Shares(Arc<[Arc<dyn Keeper>]>);

impl Shares {
    pub(crate) fn new(keepers: Vec<Arc<dyn Keeper>>) -> Self {
        Self(keepers.into())
    }

    /// The id of the one for writing.
    pub(crate) fn writing(&self) -> Result<CustomerFragmentId, NotFound> {
        self.0.first().map(|keeper| keeper.id()).ok_or(NotFound::CustomerFragment(None))
    }

    /// Whether the fragment that a header names is here.
    pub(crate) fn check(&self, id: Option<CustomerFragmentId>) -> Result<(), NotFound> {
        id.map_or(Ok(()), |id| self.find(id).map(|_| ()))
    }

    /// What the fragments that these headers name contribute.
    pub(crate) async fn contributions(&self, headers: &[Header]) -> Result<Contributions, Error> {
        if headers.iter().all(|header| header.cf.is_none()) {
            return Ok(headers.iter().map(|_| None).collect());
        }
        let asked: Vec<_> = headers.iter().map(|header| self.contribution(header).boxed()).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    async fn contribution(&self, header: &Header) -> Result<Option<CustomerContribution>, Error> {
        let Some(id) = header.cf else { return Ok(None) };
        let message = id.message(&header.input());
        let answer = self.find(id)?.evaluate(&message).await;
        let value = answer.map_err(|cause| refused(id, cause))?;
        Ok(Some(CustomerContribution::new(id, value)))
    }

    fn find(&self, id: CustomerFragmentId) -> Result<&Arc<dyn Keeper>, NotFound> {
        self.0.iter().find(|keeper| keeper.id() == id).ok_or(NotFound::CustomerFragment(Some(id)))
    }
}

fn refused(id: CustomerFragmentId, cause: KeeperError) -> Error {
    match cause {
        KeeperError::WrongPin | KeeperError::Place(_) | KeeperError::WrongLength(_) => {
            Invalid::CustomerFragment { id, cause }.into()
        }
        KeeperError::Gone(_) | KeeperError::Failed(_) => Unavailable::CustomerFragment { id, cause }.into(),
    }
}
