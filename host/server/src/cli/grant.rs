//! `symbolon grant`: who may do what with which keys, signed by the owner.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::owner::{GrantTerms, Office, Owner, UnknownGrant};
use symbolon_fragments::names::{KeyPattern, Thumbprint};
use symbolon_trust::{Grant as Document, Operation, Operations, Principal};

use super::desk::Desk;
use super::output::Table;
use super::sent::Sent;
use super::{Context, Failure, Kind, date};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Let somebody use keys
    Create(Create),
    /// Take a grant back, or everything from a holder
    Revoke(Revoke),
    /// List the owner's grants
    List(List),
    /// Show a grant
    Show(Show),
}

/// `symbolon grant create --to sym1… --key PATTERN --allow encrypt,decrypt`
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    desk: Desk,
    /// The holder's access id
    #[arg(long, value_name = "sym1…")]
    to: Thumbprint,
    /// A key, or all below it (`shop/*`), or all (`*`); may be repeated
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<KeyPattern>,
    /// What is allowed: encrypt, decrypt, create, audit, sign; with commas between
    #[arg(long, value_name = "OPERATION", value_delimiter = ',', required = true)]
    allow: Vec<Operation>,
    /// For how many days from now
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u64,
    /// At most so many inputs a second at each manager; 0 for no limit
    #[arg(long, value_name = "INPUTS", default_value_t = 0)]
    rate: u32,
}

/// `symbolon grant revoke NUMBER`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The grant's number
    id: Option<u64>,
    /// Deny a holder everything for good, whatever was or will be granted; only a new identity helps
    #[arg(long, value_name = "sym1…")]
    holder: Option<Thumbprint>,
}

/// See [`What`].
#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    desk: Desk,
    #[command(flatten)]
    what: What,
}

/// `symbolon grant list`
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    desk: Desk,
}

/// `symbolon grant show NUMBER`
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    desk: Desk,
    /// The grant's number
    id: u64,
}

impl Grant {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(verb) => verb.run(context).await,
            Self::Revoke(verb) => verb.run(context).await,
            Self::List(verb) => verb.run(context),
            Self::Show(verb) => verb.run(context),
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let desk = self.desk.clone();
        let made = desk.work(context, Office::Policy, async |owner, keys, courier| {
            if owner.denials().check_holder(self.to).is_err() {
                return Err(Failure::new(
                    Kind::Conflict,
                    format!("{} is denied everything for good", self.to),
                )
                .next("with a new identity it can be granted something:  symbolon profile create"));
            }
            let grant = owner.make_grant(keys, self.terms())?;
            courier.publish_grant(&grant).await.map_err(unpublished)?;
            Ok(Shown::new(grant.body(), owner))
        });
        let made = made.await?;
        context.output().answer(&made)
    }

    fn terms(&self) -> GrantTerms {
        let not_before = date::now();
        GrantTerms {
            keys: self.keys.clone(),
            holder: self.to,
            operations: self.allow.iter().copied().collect(),
            rate: self.rate,
            not_before,
            not_after: not_before + self.days.saturating_mul(DAY),
        }
    }
}

/// The grant is made; only the access manager doesn't have it, where holders fetch it.
fn unpublished(error: symbolon_client::Error) -> Failure {
    Failure::from(error).next("the grant is signed and kept; to send it again:  symbolon owner push")
}

impl Revoke {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let What { id, holder } = self.what;
        let sent = self.desk.work(context, Office::Deny, async |owner, keys, courier| {
            let serial = id.map(|id| owner.revocable_serial(id)).transpose().map_err(unknown)?;
            let deny = owner.deny_more(keys, |deny| {
                if let Some((id, serial)) = id.zip(serial) {
                    deny.deny_grant(id, serial);
                }
                if let Some(holder) = holder {
                    deny.deny_holder(holder);
                }
            })?;
            let report = courier.deliver(owner, &deny).await;
            let what = Revoked { revoked: id, holder: holder.map(|holder| holder.to_string()) };
            Ok(Sent::new(what, &report, owner.root()))
        });
        sent.await?.answer(context)
    }
}

fn unknown(error: UnknownGrant) -> Failure {
    Failure::new(Kind::NotFound, error).next("the grants:  symbolon grant list")
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let owner = self.desk.open(context)?;
        let grants = owner.grants().map(|grant| Shown::new(grant.body(), &owner)).collect();
        context.output().answer(&Listed { grants })
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let owner = self.desk.open(context)?;
        let grant = owner.grant(self.id).ok_or_else(|| unknown(UnknownGrant(self.id)))?;
        context.output().answer(&Shown::new(grant.body(), &owner))
    }
}

/// What was taken back.
#[derive(Debug, Serialize)]
struct Revoked {
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => write!(f, "{holder} is denied everything"),
            None => f.write_str("revoked"),
        }
    }
}

/// A grant.
#[derive(Debug, Serialize)]
struct Shown {
    id: u64,
    serial: u64,
    state: &'static str,
    holder: String,
    keys: Vec<String>,
    operations: Vec<&'static str>,
    rate: u32,
    not_before: u64,
    not_after: u64,
}

impl Shown {
    fn new(grant: &Document, owner: &Owner) -> Self {
        let Principal::Holder(holder) = grant.principal;
        Self {
            id: grant.id,
            serial: grant.serial,
            state: state(grant, owner, holder),
            holder: holder.to_string(),
            keys: grant.keys.iter().map(ToString::to_string).collect(),
            operations: words(grant.operations),
            rate: grant.rate,
            not_before: grant.not_before.0,
            not_after: grant.not_after.0,
        }
    }
}

/// A grant in one line, for whoever is to sign it.
pub fn told(grant: &Document) -> String {
    let Principal::Holder(holder) = grant.principal;
    let keys: Vec<String> = grant.keys.iter().map(ToString::to_string).collect();
    let (may, until) = (words(grant.operations).join(", "), date::day(grant.not_after.0));
    format!("grant {}: {holder} may {may} with {} until {until}", grant.id, keys.join(", "))
}

fn state(grant: &Document, owner: &Owner, holder: Thumbprint) -> &'static str {
    let (denials, now) = (owner.denials(), date::now());
    if denials.check_grant(grant.id, grant.serial).and(denials.check_holder(holder)).is_err() {
        "revoked"
    } else if now < grant.not_before {
        "early"
    } else if now > grant.not_after {
        "expired"
    } else {
        "active"
    }
}

fn words(operations: Operations) -> Vec<&'static str> {
    operations.iter().map(Operation::name).collect()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "grant {} ({}): {}", self.id, self.state, self.holder)?;
        let until = date::day(self.not_after);
        writeln!(f, "  may {} with {} until {until}", self.operations.join(", "), self.keys.join(", "))
    }
}

/// Grants.
#[derive(Debug, Serialize)]
pub struct Listed {
    grants: Vec<Shown>,
}

impl Listed {
    /// These grants of an owner.
    pub fn of<'g>(grants: impl IntoIterator<Item = &'g Document>, owner: &Owner) -> Self {
        Self { grants: grants.into_iter().map(|grant| Shown::new(grant, owner)).collect() }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["grant", "state", "holder", "allows", "keys", "until"]);
        for grant in &self.grants {
            table.row([
                grant.id.to_string(),
                grant.state.to_owned(),
                grant.holder.clone(),
                grant.operations.join(","),
                grant.keys.join(" "),
                date::day(grant.not_after),
            ]);
        }
        table.fmt(f)
    }
}
