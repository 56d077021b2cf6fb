//! `symbolon root`: the account's root document, its roster above all.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::error::FileError;
use symbolon_client::owner::{Courier, NewDriver, NewMember, Office, Owner, RootChange};
use symbolon_encoding::from_canonical;
use symbolon_fragments::names::{Index, Thumbprint};
use symbolon_trust::{
    AccessManager, Enrolment, KeyStore, Member, MemberKind, PublicKey, RootDocument, Signed, StoreDriver,
};

use super::desk::Desk;
use super::output::Table;
use super::owner::push;
use super::sent::Sent;
use super::{Context, Failure, Kind, date, spelled};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Root {
    /// Show roles, roster and rules
    Show(Show),
    /// Sign fragment managers in
    AddManager(AddManager),
    /// Sign an HSM's driver in, by the fingerprint that its operator reads out
    AddDriver(AddDriver),
    /// Retire a fragment manager, or a driver, for good. Move a manager's sets first:  symbolon order change
    Retire(Retire),
    /// Give a fragment manager's new address
    Move(Move),
    /// Sign in another access manager, or its new address, or its new permit key
    AccessManager(NewAccessManager),
    /// Replace this administrator's key of a role by a new one, and sign anew what the old one signed
    RotateKey(RotateKey),
}

/// `symbolon root show`
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    desk: Desk,
}

/// `symbolon root add-manager NAME=…`
#[derive(Debug, Args)]
pub struct AddManager {
    #[command(flatten)]
    desk: Desk,
    /// Name, identity and address, and whose and where it is
    #[arg(required = true, value_parser = spelled::manager,
          value_name = "NAME=sympub1…@HOST:PORT,operator=…,cloud=…,region=…")]
    managers: Vec<NewMember>,
}

/// `symbolon root add-driver NAME FILE --fingerprint sym1…`
#[derive(Debug, Args)]
pub struct AddDriver {
    #[command(flatten)]
    desk: Desk,
    /// What to call it
    name: String,
    /// What `symbolon driver enrol` wrote on its machine
    #[arg(value_name = "FILE")]
    enrolment: PathBuf,
    /// What the driver's operator reads out; another driver's file is refused
    #[arg(long, value_name = "sym1…")]
    fingerprint: Thumbprint,
    /// Who runs it
    #[arg(long, default_value = "")]
    operator: String,
    /// Whose machines it runs on
    #[arg(long, default_value = "")]
    cloud: String,
    /// Where those stand
    #[arg(long, default_value = "")]
    region: String,
}

/// A manager by its name.
#[derive(Debug, Args)]
pub struct Named {
    #[command(flatten)]
    desk: Desk,
    /// The manager's name
    name: String,
}

/// `symbolon root retire NAME`
#[derive(Debug, Args)]
pub struct Retire {
    #[command(flatten)]
    named: Named,
    /// Although it holds fragments: where too few others hold some, keys are lost for good
    #[arg(long)]
    force: bool,
}

/// `symbolon root move NAME HOST:PORT`
#[derive(Debug, Args)]
pub struct Move {
    #[command(flatten)]
    named: Named,
    /// Its address
    #[arg(value_name = "HOST:PORT")]
    address: String,
}

/// `symbolon root access-manager`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Changed {
    /// Its identity and address
    #[arg(long, value_name = "sympub1…@HOST:PORT", value_parser = spelled::access_manager)]
    identity: Option<AccessManager>,
    /// Its permit key
    #[arg(long, value_name = "sympub1…")]
    permit: Option<PublicKey>,
}

/// See [`Changed`].
#[derive(Debug, Args)]
pub struct NewAccessManager {
    #[command(flatten)]
    desk: Desk,
    #[command(flatten)]
    changed: Changed,
}

/// `symbolon root rotate-key ROLE`
#[derive(Debug, Args)]
pub struct RotateKey {
    #[command(flatten)]
    desk: Desk,
    /// The role: root, policy or deny
    #[arg(value_parser = spelled::office, value_name = "ROLE")]
    role: Office,
}

impl Root {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Show(Show { desk }) => {
                let owner = desk.open(context)?;
                context.output().answer(&Shown::new(&owner))
            }
            Self::AddManager(verb) => verb.run(context).await,
            Self::AddDriver(verb) => verb.run(context).await,
            Self::Retire(verb) => verb.run(context).await,
            Self::Move(Move { named: Named { desk, name }, address }) => {
                let what = format!("{name} is at {address}");
                change(&desk, context, what, async |owner, _| {
                    Ok(RootChange::Address(index(owner, &name)?, address))
                })
                .await
            }
            Self::AccessManager(NewAccessManager { desk, changed }) => {
                let Changed { identity, permit } = changed;
                let what = match &identity {
                    Some(AccessManager { address, .. }) => format!("the access manager is at {address}"),
                    None => "the access manager has a new permit key".to_owned(),
                };
                let permit = permit.map(RootChange::Permit);
                let changed = identity.map(RootChange::AccessManager).or(permit);
                change(&desk, context, what, async |_, _| changed.ok_or_else(nothing)).await
            }
            Self::RotateKey(verb) => verb.run(context).await,
        }
    }
}

impl Retire {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { named: Named { desk, name }, force } = self;
        change(&desk, context, format!("{name} is retired"), async |owner, courier| {
            let member = index(owner, &name)?;
            if !force {
                holds_nothing(owner, courier, member, &name).await?;
            }
            Ok(RootChange::Retire(member))
        })
        .await
    }
}

/// Nobody takes part in a ceremony after retiring, so what a manager holds has to be elsewhere by then. A driver holds nothing.
async fn holds_nothing(owner: &Owner, courier: &Courier, member: Index, name: &str) -> Result<(), Failure> {
    let known = owner.root().document().member(member);
    if known.is_some_and(|known| known.kind == MemberKind::Driver) {
        return Ok(());
    }
    let sets = courier.sets(owner.root()).await.map_err(Failure::from);
    let sets = sets.map_err(|failure| failure.next("without knowing what it holds:  --force"))?;
    let held: usize =
        sets.iter().filter(|(now, _)| now.members.contains(&member)).map(|(_, sets)| sets.len()).sum();
    if held == 0 {
        return Ok(());
    }
    Err(Failure::new(Kind::Conflict, format!("{name} still has a part in fragment sets: {held}"))
        .next("give them to others first:  symbolon order change;  symbolon order exclude"))
}

impl RotateKey {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { desk, role } = self;
        // The servers know the owner by one of the keys, which has to be one that stays.
        let stays = if role == Office::Root { Office::Deny } else { Office::Root };
        let sent = desk.work(context, stays, async |owner, keys, courier| {
            let renewed = owner.rotate_key(keys, role)?;
            let report = push(owner, courier).await?;
            for file in &renewed.waiting {
                context.output().note(format_args!(
                    "note: a grant waits for other signatures:  symbolon owner sign {}",
                    file.display()
                ));
            }
            let (version, grants) = (owner.root().document().version, renewed.grants.len());
            Ok(Sent::new(Rotated { role: role.name(), version, grants }, &report, owner.root()))
        });
        sent.await?.answer(context)
    }
}

/// A key that was replaced.
#[derive(Debug, Serialize)]
struct Rotated {
    role: &'static str,
    version: u64,
    grants: usize,
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root document {} names a new {} key", self.version, self.role)?;
        match self.grants {
            0 => Ok(()),
            1 => write!(f, "; 1 grant is signed anew"),
            grants => write!(f, "; {grants} grants are signed anew"),
        }
    }
}

impl AddManager {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { desk, managers } = self;
        let names: Vec<&str> = managers.iter().map(|new| new.name.as_str()).collect();
        let what = format!("{} signed in", names.join(", "));
        let signed_in = change(&desk, context, what, async |owner, _| {
            managers.iter().try_for_each(|new| unknown(owner, &new.name, &new.key))?;
            Ok(RootChange::AddManagers(managers))
        });
        signed_in.await?;
        context.output().note(
            "before it starts, its accounts folder needs, of the owner's folder:  account.root  and  successors/*.root",
        );
        Ok(())
    }
}

/// Neither name nor key of somebody who is to be signed in may be on the roster.
fn unknown(owner: &Owner, name: &str, key: &PublicKey) -> Result<(), Failure> {
    let roster = &owner.root().document().roster;
    let Some(there) = roster.iter().find(|member| member.name == *name || member.key == *key) else {
        return Ok(());
    };
    let state = if there.retired { "retired" } else { "signed in already" };
    let error = if there.key == *key {
        format!("this key is {}'s, which is {state}", there.name)
    } else {
        format!("the roster has another {name}, which is {state}")
    };
    Err(Failure::new(Kind::Conflict, error)
        .next("the roster, in which nobody is replaced:  symbolon root show"))
}

impl AddDriver {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let bytes = std::fs::read(&self.enrolment).map_err(|cause| FileError::io(&self.enrolment, cause))?;
        let enrolment: Signed<Enrolment> = from_canonical(&bytes).map_err(|_| {
            Failure::new(Kind::Invalid, format!("{} is not an enrolment", self.enrolment.display()))
                .next("on the driver's machine:  symbolon driver enrol")
        })?;
        let Self { desk, name, fingerprint, operator, cloud, region, .. } = self;
        let what = format!("driver {name} is signed in");
        let new = NewDriver { name, enrolment, fingerprint, operator, cloud, region };
        change(&desk, context, what, async |owner, _| {
            unknown(owner, &new.name, &new.enrolment.body().key)?;
            let driver = new.check(owner.root())?;
            context.output().note(format_args!("check value {}", hex::encode(driver.check_value())));
            Ok(RootChange::AddDriver(Box::new(driver)))
        })
        .await
    }
}

fn nothing() -> Failure {
    Failure::new(Kind::Invalid, "nothing to change")
}

/// `what` says what a next root document brings.
async fn change(
    desk: &Desk,
    context: &Context,
    what: String,
    change: impl AsyncFnOnce(&Owner, &Courier) -> Result<RootChange, Failure>,
) -> Result<(), Failure> {
    let sent = desk.work(context, Office::Root, async |owner, keys, courier| {
        let change = change(owner, courier).await?;
        let root = owner.change_root(keys, change)?;
        let report = courier.deliver(owner, &root).await;
        Ok(Sent::new(Version { version: root.body().version, what }, &report, owner.root()))
    });
    sent.await?.answer(context)
}

/// The number of the member with this name.
pub fn index(owner: &Owner, name: &str) -> Result<Index, Failure> {
    let roster = &owner.root().document().roster;
    let member = roster.iter().find(|member| member.name == name).map(|member| member.index);
    member.ok_or_else(|| {
        Failure::new(Kind::NotFound, format!("the roster has no manager named {name}"))
            .next("the roster:  symbolon root show")
    })
}

/// A root document's version.
#[derive(Debug, Serialize)]
struct Version {
    version: u64,
    #[serde(skip)]
    what: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root document {}: {}", self.version, self.what)
    }
}

/// A root document.
#[derive(Debug, Serialize)]
struct Shown {
    account: String,
    version: u64,
    created: u64,
    roles: [Role; 4],
    access_manager: Server,
    minimum: String,
    spread: &'static str,
    roster: Vec<Entry>,
    key_stores: Vec<Store>,
}

#[derive(Debug, Serialize)]
struct Store {
    label: String,
    check_value: String,
    drivers: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Role {
    name: &'static str,
    threshold: u16,
    keys: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Server {
    key: String,
    address: String,
}

#[derive(Debug, Serialize)]
struct Entry {
    index: u16,
    name: String,
    kind: &'static str,
    key: String,
    address: String,
    operator: String,
    cloud: String,
    region: String,
    retired: bool,
}

impl Shown {
    fn new(owner: &Owner) -> Self {
        let document = owner.root().document();
        let access_manager = &document.access_manager;
        Self {
            account: owner.account().to_string(),
            version: document.version,
            created: document.created.0,
            roles: roles(document),
            access_manager: Server {
                key: access_manager.key.to_string(),
                address: access_manager.address.clone(),
            },
            minimum: format!("{}-of-{}", document.minimum.t, document.minimum.n),
            spread: spelled::spread_word(document.spread),
            roster: document.roster.iter().map(entry).collect(),
            key_stores: document.key_stores.iter().map(|store| Store::of(store, document)).collect(),
        }
    }
}

impl Store {
    fn of(store: &KeyStore, document: &RootDocument) -> Self {
        let name = |driver: &StoreDriver| {
            let member = document.member(driver.index).filter(|member| !member.retired)?;
            Some(member.name.clone())
        };
        Self {
            label: store.label.to_string(),
            check_value: hex::encode(&store.check_value),
            drivers: store.drivers.iter().filter_map(name).collect(),
        }
    }
}

fn roles(document: &RootDocument) -> [Role; 4] {
    let roles = &document.roles;
    let named =
        [("root", &roles.root), ("policy", &roles.policy), ("deny", &roles.deny), ("permit", &roles.permit)];
    named.map(|(name, keys)| Role {
        name,
        threshold: keys.threshold,
        keys: keys.keys.iter().map(ToString::to_string).collect(),
    })
}

fn entry(member: &Member) -> Entry {
    Entry {
        index: member.index.get(),
        name: member.name.clone(),
        kind: match member.kind {
            MemberKind::FragmentManager => "fragment manager",
            MemberKind::Driver => "driver",
        },
        key: member.key.to_string(),
        address: member.address.clone(),
        operator: member.operator.clone(),
        cloud: member.cloud.clone(),
        region: member.region.clone(),
        retired: member.retired,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "account         {}", self.account)?;
        writeln!(f, "root document   {} of {}", self.version, date::minute(self.created))?;
        writeln!(f, "fragment sets   at least {}, spread {}", self.minimum, self.spread)?;
        writeln!(f, "access manager  {} at {}", self.access_manager.key, self.access_manager.address)?;
        for role in &self.roles {
            let (name, keys) = (format!("{} key", role.name), role.keys.join(", "));
            match role.keys.len() {
                1 => writeln!(f, "{name:14}  {keys}")?,
                all => writeln!(f, "{name:14}  {} of these {all}: {keys}", role.threshold)?,
            }
        }
        writeln!(f)?;
        let mut table = Table::new(["", "name", "address", "operator", "cloud", "region", "", "key"]);
        for member in &self.roster {
            table.row([
                member.index.to_string(),
                member.name.clone(),
                member.address.clone(),
                member.operator.clone(),
                member.cloud.clone(),
                member.region.clone(),
                if member.retired { "retired".to_owned() } else { String::new() },
                member.key.clone(),
            ]);
        }
        table.fmt(f)?;
        for Store { label, check_value, drivers } in &self.key_stores {
            let drivers = if drivers.is_empty() { "none".to_owned() } else { drivers.join(", ") };
            write!(f, "\nkey store {label}: check value {check_value}, drivers {drivers}")?;
        }
        Ok(())
    }
}
