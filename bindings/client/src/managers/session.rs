//! One channel to a manager, with the verdicts that it gave on it.

use super::Manager;
use crate::error::DownReason;
use crate::permits::HeldPermit;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use symbolon_channel::{CallError, Channel};
use symbolon_fragments::names::InstanceId;
use symbolon_fragments::{Evaluation, Proof};
use symbolon_protocol::wire::{self, Inputs, Request, Response};
use symbolon_trust::VerifiedKeyCertificate;

/// Verdicts that are kept a channel: as many as a manager keeps.
const KEPT: usize = 1024;

/// An open channel.
pub(crate) struct Session {
    channel: Channel,
    within: Duration,
    /// Handles by permit. A lock across the call, so that many operations show a permit once.
    handles: tokio::sync::Mutex<HashMap<[u8; 16], Verdict>>,
}

#[derive(Clone, Copy)]
struct Verdict {
    handle: u64,
    ends: Instant,
}

/// What is asked of each manager of a quorum.
pub(crate) struct Ask<'a> {
    /// The certificate of the key version, for a manager that lost it.
    pub(crate) key: &'a VerifiedKeyCertificate,
    pub(crate) instance: InstanceId,
    pub(crate) prove: bool,
    pub(crate) inputs: Inputs,
}

/// What a manager answered.
pub(crate) struct Evaluated {
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) proof: Option<Proof>,
}

/// Why a manager gave no evaluations.
pub(crate) enum Trouble {
    /// It can't be used now.
    Down(DownReason),
    /// It says that the caller may not, or that the request is wrong.
    Said(wire::Error),
    /// It doesn't hold the instance.
    NotHeld,
    /// It answers something else than it was asked.
    Nonsense,
}

impl<E: Into<DownReason>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Down(error.into())
    }
}

impl Session {
    pub(super) fn new(channel: Channel, within: Duration) -> Self {
        Self { channel, within, handles: tokio::sync::Mutex::default() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// Whether a permit was shown here.
    pub(super) fn knows(&self, permit: [u8; 16]) -> bool {
        self.handles.try_lock().is_ok_and(|handles| handles.contains_key(&permit))
    }

    pub(super) async fn call(&self, request: Request) -> Result<Response, CallError> {
        self.channel.call(request, self.within).await
    }

    /// Gives the manager the certificate of a key version. Whether it takes it shows in what it says next.
    pub(super) async fn install(&self, key: &VerifiedKeyCertificate) -> Result<(), Trouble> {
        let request = Request::InstallKey { certificate: key.signed().clone() };
        match self.call(request).await? {
            Response::KeyInstalled => Ok(()),
            Response::Error(error) => Err(Trouble::Said(error)),
            _ => Err(Trouble::Nonsense),
        }
    }

    /// Evaluates under a permit, which is shown again if the manager has forgotten it.
    pub(super) async fn evaluate(
        &self,
        manager: &Manager,
        permit: &HeldPermit,
        ask: &Ask<'_>,
    ) -> Result<Evaluated, Trouble> {
        let handle = self.handle(manager, permit).await?;
        match self.evaluate_by(handle, ask).await {
            Err(Trouble::Said(wire::Error::HandleUnknown | wire::Error::VerdictExpired { .. })) => {
                self.handles.lock().await.remove(&permit.id());
                let handle = self.handle(manager, permit).await?;
                self.evaluate_by(handle, ask).await
            }
            result => result,
        }
    }

    async fn evaluate_by(&self, handle: u64, ask: &Ask<'_>) -> Result<Evaluated, Trouble> {
        let Ask { instance, prove, inputs, .. } = ask;
        let request =
            Request::Evaluate { handle, instance: *instance, prove: *prove, inputs: inputs.clone() };
        match self.call(request).await? {
            Response::Evaluated { instance: used, evaluations, proof } if used == *instance => {
                Ok(Evaluated { evaluations, proof })
            }
            Response::Error(wire::Error::NotHeld { .. }) => Err(Trouble::NotHeld),
            Response::Error(error) => Err(Trouble::Said(error)),
            _ => Err(Trouble::Nonsense),
        }
    }

    /// The handle of a permit's verdict on this channel.
    pub(super) async fn handle(&self, manager: &Manager, permit: &HeldPermit) -> Result<u64, Trouble> {
        let mut handles = self.handles.lock().await;
        handles.retain(|_, verdict| verdict.ends > Instant::now());
        if let Some(verdict) = handles.get(&permit.id()) {
            return Ok(verdict.handle);
        }
        let request = Request::Authorise { grant: permit.grant.clone(), permit: permit.permit.clone() };
        match self.call(request).await? {
            Response::Authorised { handle, time, .. } => {
                manager.set_time(time);
                make_room(&mut handles);
                handles.insert(permit.id(), Verdict { handle, ends: permit.ends });
                Ok(handle)
            }
            Response::Error(error) => Err(Trouble::Said(error)),
            _ => Err(Trouble::Nonsense),
        }
    }
}

/// The verdict that ends first goes: a manager forgets the oldest as well.
fn make_room(handles: &mut HashMap<[u8; 16], Verdict>) {
    if handles.len() < KEPT {
        return;
    }
    let first = handles.iter().min_by_key(|(_, verdict)| verdict.ends).map(|(permit, _)| *permit);
    first.map(|permit| handles.remove(&permit));
}
