//! The owner's verbs of `symbolon key`: switching a key off is quick, giving it back or destroying it is an order.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::Subject;
use symbolon_client::owner::{Courier, Office};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, KeyKind, VersionState, path};
use symbolon_trust::{Action, Order, Seconds, Signed, WAITING_PERIOD};

use super::desk::Desk;
use super::sent::Sent;
use super::{Context, Failure, Kind, date};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The owner's verbs.
#[derive(Debug, Subcommand)]
pub enum KeyOwner {
    /// Switch a key off, everywhere and at once
    Disable(Named),
    /// Switch a disabled key on again
    Enable(Named),
    /// Have a key destroyed for good, after at least 72 hours; it can't be used meanwhile
    Destroy(Destroy),
    /// Keep a key that waits for its destruction
    CancelDestruction(Named),
}

/// A key, and where the owner's folder is.
#[derive(Debug, Args)]
pub struct Named {
    #[command(flatten)]
    desk: Desk,
    /// The key
    key: KeyId,
}

/// `symbolon key destroy KEY`
#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    named: Named,
    /// This version alone [default: all versions]
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    /// After so many days; not before 72 hours in any case
    #[arg(long, value_name = "DAYS", default_value_t = 3)]
    days: u64,
}

/// When a destruction is due: the waiting period is over by then.
#[derive(Debug, Clone, Copy)]
pub struct Due(Seconds);

impl Due {
    /// In so many days, but not before the waiting period is over.
    pub fn in_days(days: u64) -> Self {
        Self(date::now() + days.saturating_mul(DAY).max(WAITING_PERIOD))
    }
}

impl KeyOwner {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Disable(Named { desk, key }) => disable(&desk, key, context).await,
            Self::Enable(Named { desk, key }) => enable(&desk, key, context).await,
            Self::Destroy(verb) => verb.run(context).await,
            Self::CancelDestruction(Named { desk, key }) => cancel(&desk, key, context).await,
        }
    }
}

/// Switches a key off; a tenant and a system are named as keys are.
pub async fn disable(desk: &Desk, key: KeyId, context: &Context) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Deny, async |owner, keys, courier| {
        let deny = owner.deny_more(keys, |deny| deny.disable_key(key.clone()))?;
        let report = courier.deliver(owner, &deny).await;
        Ok(Sent::new(Done::new(&key, "disabled"), &report, owner.root()))
    });
    sent.await?.answer(context)
}

/// Switches it on again.
pub async fn enable(desk: &Desk, key: KeyId, context: &Context) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
        let order = owner.enable(keys, &key)?.ok_or_else(|| not_so(&key, "disabled"))?;
        let report = courier.deliver(owner, &order).await;
        Ok(Sent::new(Done::new(&key, "enabled"), &report, owner.root()))
    });
    sent.await?.answer(context)
}

/// Cancels its destruction.
pub async fn cancel(desk: &Desk, key: KeyId, context: &Context) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
        let orders = owner.cancel_destruction(keys, &key)?;
        let last = orders.last().ok_or_else(|| not_so(&key, "about to be destroyed"))?;
        // Every manager is given all orders on the way to the last one.
        let report = courier.deliver(owner, last).await;
        Ok(Sent::new(Done::new(&key, "kept: its destruction is cancelled"), &report, owner.root()))
    });
    sent.await?.answer(context)
}

/// Has versions of it destroyed.
pub async fn destroy(
    desk: &Desk,
    key: &KeyId,
    Due(due): Due,
    versions: impl AsyncFnOnce(&Courier) -> Result<Vec<u64>, Failure>,
    context: &Context,
) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
        let mut last: Option<Signed<Order>> = None;
        for version in versions(courier).await? {
            let action = Action::Destroy { key: key.clone(), version, execute_after: due };
            last = Some(owner.order(keys, action)?);
        }
        let last = last.ok_or_else(|| not_so(key, "there with a version to destroy"))?;
        let report = courier.deliver(owner, &last).await;
        let state = format!("to be destroyed {}, and can't be used until then", date::minute(due.0));
        Ok(Sent::new(Done::until(key, &state, due), &report, owner.root()))
    });
    sent.await?.answer(context)
}

fn not_so(key: &KeyId, state: &str) -> Failure {
    Failure::new(Kind::Conflict, format!("{key} is not {state}, as far as the owner has signed"))
}

impl Destroy {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Named { desk, key } = self.named;
        let wanted = async |courier: &Courier| match self.version {
            Some(version) => Ok(vec![version]),
            None => versions(courier, &key, context).await,
        };
        destroy(&desk, &key, Due::in_days(self.days), wanted, context).await
    }
}

/// The versions that are there to be destroyed, by the access manager's word: naming one too many harms nothing.
async fn versions(courier: &Courier, key: &KeyId, context: &Context) -> Result<Vec<u64>, Failure> {
    let access = courier.access();
    let found: api::Key = access
        .get(path::key(access.account(), key.as_str()))
        .await
        .map_err(|error| access.explain(error, Subject { key: Some(key), ..Subject::default() }))?;
    if found.all_versions.iter().any(|version| version.kind == KeyKind::Shared) {
        context.output().note(
            "note: the key is on a shared root: managers refuse it from now on, but its fragments stay",
        );
    }
    let there = found.all_versions.iter().filter(|version| version.state != VersionState::Destroyed);
    Ok(there.map(|version| version.version).rev().collect())
}

/// What was done with a key.
#[derive(Debug, Serialize)]
struct Done {
    key: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroy_at: Option<u64>,
}

impl Done {
    fn new(key: &KeyId, state: &str) -> Self {
        Self { key: key.to_string(), state: state.to_owned(), destroy_at: None }
    }

    fn until(key: &KeyId, state: &str, due: Seconds) -> Self {
        Self { destroy_at: Some(due.0), ..Self::new(key, state) }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.key, self.state)
    }
}
