//! `symbolon order`: what changes who holds fragments. Managers carry it out by themselves, in ceremonies.

use std::collections::BTreeMap;
use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::owner::{Courier, Holding, Office, Owner, OwnerError, Signer};
use symbolon_fragments::names::{Index, SetId};
use symbolon_trust::{Action, Order as Document, Seconds, Signed, shape_warning};

use super::desk::Desk;
use super::output::Table;
use super::root::index;
use super::sent::Sent;
use super::{Context, Failure, Kind, date};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// List all orders
    List(List),
    /// Give a fragment manager that lost its fragments new ones
    Repair(Named),
    /// Go on without a fragment manager
    Exclude(Named),
    /// Give keys to other fragment managers, or let more or fewer of them make a key
    Change(Change),
    /// Let managers take a time again that is before one that their clocks had read
    LowerMark(LowerMark),
}

/// `symbolon order list`
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    desk: Desk,
}

/// A fragment manager by its name.
#[derive(Debug, Args)]
pub struct Named {
    #[command(flatten)]
    desk: Desk,
    /// The fragment manager's name
    #[arg(long = "manager", value_name = "NAME")]
    name: String,
}

/// `symbolon order change --members NAME,NAME,… --threshold T`
#[derive(Debug, Args)]
pub struct Change {
    #[command(flatten)]
    desk: Desk,
    /// Who is to hold a fragment
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    members: Vec<String>,
    /// How many fragments are to make a key
    #[arg(long, value_name = "NUMBER")]
    threshold: u16,
    /// Present holders that the first step may do without, since they are gone
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    without: Vec<String>,
    /// These sets alone [default: all]
    #[arg(long = "set", value_name = "symset1…")]
    sets: Vec<SetId>,
}

/// `symbolon order lower-mark`
#[derive(Debug, Args)]
pub struct LowerMark {
    #[command(flatten)]
    desk: Desk,
    /// To this time, in Unix seconds [default: what this machine's clock reads]
    #[arg(long, value_name = "SECONDS")]
    to: Option<u64>,
}

impl Order {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(List { desk }) => {
                let owner = desk.open(context)?;
                let orders = owner.orders().iter().map(|stored| Shown::new(stored.order.order(), &owner));
                context.output().answer(&Listed { orders: orders.collect() })
            }
            Self::Repair(Named { desk, name }) => {
                reshare(&desk, context, |owner| Ok(Resharing::repair(index(owner, &name)?, &name))).await
            }
            Self::Exclude(Named { desk, name }) => {
                reshare(&desk, context, |owner| Ok(Resharing::exclude(index(owner, &name)?, &name))).await
            }
            Self::Change(change) => {
                let desk = change.desk.clone();
                reshare(&desk, context, |owner| change.resharing(owner)).await
            }
            Self::LowerMark(LowerMark { desk, to }) => {
                let mark = to.map_or_else(date::now, Seconds);
                let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
                    let order = owner.order(keys, Action::LowerMark { mark })?;
                    let report = courier.deliver(owner, &order).await;
                    Ok(Sent::new(Shown::new(order.body(), owner), &report, owner.root()))
                });
                sent.await?.answer(context)
            }
        }
    }
}

/// Who shall hold a set, by who holds it now; nothing where the set isn't concerned.
type Successor = dyn Fn(&Holding) -> Option<Holding>;

/// How sets are to be shared anew.
struct Resharing {
    next: Box<Successor>,
    exempt: Vec<Index>,
    only: Vec<SetId>,
    /// What is wanted, for when no set is concerned.
    wanted: String,
}

impl Resharing {
    fn repair(lost: Index, name: &str) -> Self {
        let next = move |now: &Holding| now.members.contains(&lost).then(|| now.clone());
        let wanted = format!("no set has {name} as a member");
        Self { next: Box::new(next), exempt: vec![lost], only: Vec::new(), wanted }
    }

    fn exclude(gone: Index, name: &str) -> Self {
        let next = move |now: &Holding| {
            let others = now.members.iter().copied().filter(|member| *member != gone);
            let next = Holding { members: others.collect(), t: now.t };
            (next != *now).then_some(next)
        };
        let wanted = format!("no set has {name} as a member");
        Self { next: Box::new(next), exempt: vec![gone], only: Vec::new(), wanted }
    }
}

impl Change {
    fn resharing(self, owner: &Owner) -> Result<Resharing, Failure> {
        let named =
            |names: &[String]| names.iter().map(|name| index(owner, name)).collect::<Result<Vec<_>, _>>();
        let (mut members, exempt) = (named(&self.members)?, named(&self.without)?);
        members.sort_unstable();
        let next = Holding { members, t: self.threshold };
        let changed = move |now: &Holding| (*now != next).then(|| next.clone());
        let wanted = "every set is as it should be".to_owned();
        Ok(Resharing { next: Box::new(changed), exempt, only: self.sets, wanted })
    }
}

async fn reshare(
    desk: &Desk,
    context: &Context,
    plan: impl FnOnce(&Owner) -> Result<Resharing, Failure>,
) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Policy, async |owner, keys, courier| {
        let plan = plan(owner)?;
        let orders = plan.sign(owner, keys, courier, context).await?;
        let last = orders.last().ok_or_else(|| Failure::new(Kind::Conflict, plan.wanted))?;
        // Every manager is given all orders on the way to the last one.
        let report = courier.deliver(owner, last).await;
        let orders = orders.iter().map(|order| Shown::new(order.body(), owner)).collect();
        Ok(Sent::new(Ordered { orders }, &report, owner.root()))
    });
    sent.await?.answer(context)?;
    context
        .output()
        .note("the managers carry it out by themselves; how far they are:  symbolon status --verbose");
    Ok(())
}

impl Resharing {
    /// One order for all sets that have the same members now and shall have the same then.
    async fn sign(
        &self,
        owner: &mut Owner,
        keys: &mut Signer<'_>,
        courier: &Courier,
        context: &Context,
    ) -> Result<Vec<Signed<Document>>, Failure> {
        let mut orders = Vec::new();
        for (next, sets) in self.plan(courier.sets(owner.root()).await?) {
            let (t, n) = (next.t, next.members.len());
            let order = owner.reshare(keys, sets, next.members, t, self.exempt.clone());
            orders.push(order.map_err(not_a_set)?);
            if let Some(warning) = shape_warning(t, n) {
                context.output().note(format_args!("note: {warning}"));
            }
        }
        Ok(orders)
    }

    fn plan(&self, sets: BTreeMap<Holding, Vec<SetId>>) -> BTreeMap<Holding, Vec<SetId>> {
        let mut plan = BTreeMap::<Holding, Vec<SetId>>::new();
        for (now, sets) in sets {
            let concerned = sets.into_iter().filter(|set| self.only.is_empty() || self.only.contains(set));
            if let Some(next) = (self.next)(&now) {
                plan.entry(next).or_default().extend(concerned);
            }
        }
        plan.retain(|_, sets| !sets.is_empty());
        plan
    }
}

/// Members that the account's rules don't let hold a set are most often too few.
fn not_a_set(error: OwnerError) -> Failure {
    let rules = matches!(error, OwnerError::Order(_));
    let failure = Failure::from(error);
    if !rules {
        return failure;
    }
    failure
        .next("what the account asks for:  symbolon root show")
        .next("to sign another manager in, and give it fragments:  symbolon root add-manager;  symbolon order change")
}

/// Orders that were just given.
#[derive(Debug, Serialize)]
struct Ordered {
    orders: Vec<Shown>,
}

impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.orders.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

/// An order.
#[derive(Debug, Serialize)]
struct Shown {
    serial: u64,
    action: &'static str,
    about: String,
    issued: u64,
    expires: u64,
}

impl Shown {
    fn new(order: &Document, owner: &Owner) -> Self {
        let name = |member: &Index| {
            owner.root().member(*member).map_or_else(|_| member.to_string(), |known| known.name.clone())
        };
        let (action, about) = told(&order.action, &name);
        Self { serial: order.serial, action, about, issued: order.issued.0, expires: order.expires.0 }
    }
}

/// An order in one line, for whoever is to sign it; members by their numbers.
pub fn told_alone(order: &Document) -> String {
    let (action, about) = told(&order.action, &ToString::to_string);
    format!("order {}: {} {about}", order.serial, verb(action))
}

fn told(action: &Action, name: &dyn Fn(&Index) -> String) -> (&'static str, String) {
    match action {
        Action::Reshare { sets, members, t, .. } => {
            let names: Vec<String> = members.iter().map(name).collect();
            let sets = if sets.len() == 1 { "1 set".to_owned() } else { format!("{} sets", sets.len()) };
            ("reshare", format!("{sets} among {} ({t}-of-{})", names.join(", "), names.len()))
        }
        Action::Enable { key, .. } => ("enable", key.to_string()),
        Action::Destroy { key, version, execute_after } => {
            ("destroy", format!("{key} v{version} from {}", date::minute(execute_after.0)))
        }
        Action::CancelDestruction { key, destroy_serial } => {
            ("cancel-destruction", format!("{key} (order {destroy_serial})"))
        }
        Action::LowerMark { mark } => ("lower-mark", date::minute(mark.0)),
    }
}

/// An action as people call it; in JSON it is called as in the specification.
fn verb(action: &'static str) -> &'static str {
    match action {
        "reshare" => "share anew",
        "cancel-destruction" => "keep",
        "lower-mark" => "lower the clock's mark to",
        other => other,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {}: {} {}", self.serial, verb(self.action), self.about)
    }
}

/// All orders.
#[derive(Debug, Serialize)]
struct Listed {
    orders: Vec<Shown>,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.orders.is_empty() {
            return f.write_str("no orders yet");
        }
        let mut table = Table::new(["order", "action", "about", "issued", "valid until"]);
        for order in &self.orders {
            let (issued, expires) = (date::minute(order.issued), date::minute(order.expires));
            table.row([
                order.serial.to_string(),
                verb(order.action).to_owned(),
                order.about.clone(),
                issued,
                expires,
            ]);
        }
        table.fmt(f)
    }
}
