//! The owner's verbs of `symbolon key`: switching a key off is quick, giving it back or destroying it is an order.

use std::fmt;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::Subject;
use symbolon_client::owner::{Courier, Office, Report};
use symbolon_fragments::names::KeyId;
use symbolon_protocol::api::{self, KeyKind, VersionState, path};
use symbolon_trust::{
    Action, DenyDocument, Order, PERMIT_LIFETIME, Seconds, Signed, VerifiedDeny, WAITING_PERIOD,
};

use super::blast_radius::DryRun;
use super::desk::Desk;
use super::lease_view::{Leases, LetGo};
use super::sent::Sent;
use super::{Context, Failure, Kind, date};

/// How long a command waits for acknowledgements: who hears of it at all does so in milliseconds.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(2);
/// Seconds of a day.
const DAY: u64 = 86_400;

/// The owner's verbs.
#[derive(Debug, Subcommand)]
pub enum KeyOwner {
    /// Switch a key off, everywhere and at once
    Disable(Disable),
    /// Show who has a key below a key, tenant or system on a lease, and who has let go of it
    Leases(Named),
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

/// `symbolon key disable KEY`
#[derive(Debug, Args)]
pub struct Disable {
    #[command(flatten)]
    named: Named,
    /// Only show what it would make unreadable, and whom that would meet: nothing is signed or changed
    #[arg(long)]
    dry_run: bool,
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
            Self::Disable(Disable { named, dry_run: true }) => dry_run(&named, context).await,
            Self::Disable(Disable { named: Named { desk, key }, .. }) => {
                let known = async |courier: &Courier| versions(courier, &key).await.map(drop);
                disable(&desk, &key, known, context).await
            }
            Self::Leases(named) => leases(&named, context).await,
            Self::Enable(Named { desk, key }) => enable(&desk, key, context).await,
            Self::Destroy(verb) => verb.run(context).await,
            Self::CancelDestruction(Named { desk, key }) => cancel(&desk, key, context).await,
        }
    }
}

/// Switches a key off; a tenant and a system are named as keys are. The access manager's word holds up nothing: that it knows
/// no such name, which most often is a slip, is told when the document is out.
pub async fn disable(
    desk: &Desk,
    key: &KeyId,
    known: impl AsyncFnOnce(&Courier) -> Result<(), Failure>,
    context: &Context,
) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Deny, async |owner, keys, courier| {
        let deny = owner.deny_more(keys, |deny| deny.disable_key(key.clone()))?;
        let report = courier.deliver(owner, &deny).await;
        if known(courier).await.is_err_and(|failure| failure.kind() == Kind::NotFound) {
            context
                .output()
                .note(format_args!("note: the access manager knows no {key}; is the name right?"));
        }
        let leases = let_go(courier, key, deny.body(), &report, context).await;
        Ok(Sent::new(Done::new(key, "disabled"), &report, owner.root()).with_leases(leases))
    });
    sent.await?.answer(context)
}

/// Who has let go of what hangs below a key that was just switched off. Whom the access manager doesn't tell of, or keeps the
/// document from, can use it for as long as a lease lasts.
async fn let_go(
    courier: &Courier,
    key: &KeyId,
    deny: &DenyDocument,
    report: &Report,
    context: &Context,
) -> Option<LetGo> {
    let start = Instant::now();
    let told = match &report.access_manager {
        Ok(()) => courier.acknowledgements(key, deny, ACKNOWLEDGED_WITHIN).await,
        Err(_) => return untold(context),
    };
    match told {
        Ok(leases) => Some(LetGo::after(report.took + start.elapsed(), &leases)),
        Err(symbolon_client::Error::NotFound(_)) => None,
        Err(_) => untold(context),
    }
}

fn untold(context: &Context) -> Option<LetGo> {
    let latest = date::second(date::now().0 + PERMIT_LIFETIME);
    context.output().note(format_args!(
        "note: the access manager does not tell who has keys on a lease; every lease has ended by {latest}"
    ));
    None
}

/// What switching a key off would meet.
async fn dry_run(Named { desk, key }: &Named, context: &Context) -> Result<(), Failure> {
    let found = desk.work(context, Office::Deny, async |owner, _, courier| {
        Ok(DryRun::of(courier.blast_radius(owner, key, date::now()).await?, owner))
    });
    context.output().answer(&found.await?)
}

/// Who has keys below a key on a lease.
async fn leases(Named { desk, key }: &Named, context: &Context) -> Result<(), Failure> {
    let found = desk.work(context, Office::Deny, async |owner, _, courier| {
        let off = owner.denials().check_key(key).is_err();
        let deny = owner.deny().filter(|_| off).map(VerifiedDeny::document);
        Ok(Leases::of(&courier.leases(key, deny).await?))
    });
    context.output().answer(&found.await?)
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

/// Has versions of it destroyed: the one, where one was named.
pub async fn destroy(
    desk: &Desk,
    key: &KeyId,
    Due(due): Due,
    version: Option<u64>,
    versions: impl AsyncFnOnce(&Courier) -> Result<Vec<u64>, Failure>,
    context: &Context,
) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
        let mut last: Option<Signed<Order>> = None;
        for version in chosen(key, version, versions(courier).await)? {
            let action = Action::Destroy { key: key.clone(), version, execute_after: due };
            last = Some(owner.order(keys, action)?);
        }
        let last = last.ok_or_else(|| not_so(key, "there with a version to destroy"))?;
        let report = courier.deliver(owner, &last).await;
        let state = format!("to be destroyed at {}, and can't be used until then", date::minute(due.0));
        Ok(Sent::new(
            Done { version, destroy_at: Some(due.0), ..Done::new(key, &state) },
            &report,
            owner.root(),
        ))
    });
    sent.await?.answer(context)
}

fn not_so(key: &KeyId, state: &str) -> Failure {
    Failure::new(Kind::Conflict, format!("{key} is not {state}, as far as the owner has signed"))
}

impl Destroy {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Named { desk, key } = self.named;
        let there = async |courier: &Courier| {
            let versions = versions(courier, &key).await?;
            if versions.shared {
                context.output().note(
                    "note: the key is on a shared root: managers refuse it from now on, but its fragments stay",
                );
            }
            Ok(versions.there)
        };
        destroy(&desk, &key, Due::in_days(self.days), self.version, there, context).await
    }
}

/// The versions to destroy, of those that are there. One that was named needs no word of an access manager that is down.
fn chosen(key: &KeyId, named: Option<u64>, there: Result<Vec<u64>, Failure>) -> Result<Vec<u64>, Failure> {
    let Some(version) = named else { return there };
    match there {
        Ok(there) if there.contains(&version) => Ok(vec![version]),
        Ok(_) => Err(Failure::new(Kind::NotFound, format!("{key} has no version {version} to destroy"))),
        Err(failure) if failure.kind() == Kind::NotFound => Err(failure),
        Err(_) => Ok(vec![version]),
    }
}

/// A key's versions, by the access manager's word.
struct Versions {
    /// Those that aren't destroyed.
    there: Vec<u64>,
    /// Whether one is on a shared root.
    shared: bool,
}

async fn versions(courier: &Courier, key: &KeyId) -> Result<Versions, Failure> {
    let access = courier.access();
    let found: api::Key = access
        .get(path::key(access.account(), key.as_str()))
        .await
        .map_err(|error| access.explain(error, Subject { key: Some(key), ..Subject::default() }))?;
    let there = found.all_versions.iter().filter(|version| version.state != VersionState::Destroyed);
    Ok(Versions {
        there: there.map(|version| version.version).rev().collect(),
        shared: found.all_versions.iter().any(|version| version.kind == KeyKind::Shared),
    })
}

/// What was done with a key.
#[derive(Debug, Serialize)]
struct Done {
    key: String,
    /// The one that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroy_at: Option<u64>,
}

impl Done {
    fn new(key: &KeyId, state: &str) -> Self {
        Self { key: key.to_string(), version: None, state: state.to_owned(), destroy_at: None }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        self.version.iter().try_for_each(|version| write!(f, " v{version}"))?;
        write!(f, " is {}", self.state)
    }
}
