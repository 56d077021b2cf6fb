//! `symbolon owner`: what administrators do with the owner's folder itself.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::Protection;
use symbolon_client::owner::{
    Administrator, Courier, Office, Owner, Report, Signer, Waiting, sign_first_root,
};
use symbolon_envelope::sealed::Passphrase;

use super::desk::{Desk, Known};
use super::sent::Sent;
use super::{Context, Failure, Kind};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum OwnerVerb {
    /// Bring all servers up to date with what the owner signed
    Push(Push),
    /// Make the keys of one more administrator, before the account is founded
    Keys(Keys),
    /// Add this administrator's signature to a document that waits for it
    Sign(Sign),
}

/// `symbolon owner push`
#[derive(Debug, Args)]
pub struct Push {
    #[command(flatten)]
    desk: Desk,
}

/// `symbolon owner keys --owner DIR`
#[derive(Debug, Args)]
pub struct Keys {
    /// A new folder for the keys
    #[arg(long, value_name = "DIR")]
    owner: PathBuf,
}

/// `symbolon owner sign FILE --owner DIR`
#[derive(Debug, Args)]
pub struct Sign {
    /// This administrator's folder
    #[arg(long, value_name = "DIR")]
    owner: PathBuf,
    /// The document
    file: PathBuf,
}

impl OwnerVerb {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Push(Push { desk }) => {
                let sent = desk.work(context, Office::Deny, async |owner, keys, courier| {
                    if owner.rival().is_some() {
                        owner.deny_more(keys, |_| ())?;
                    }
                    let report = push(owner, courier).await?;
                    Ok(Sent::new(Pushed, &report, owner.root()))
                });
                sent.await?.answer(context)
            }
            Self::Keys(verb) => verb.run(context),
            Self::Sign(verb) => verb.run(context),
        }
    }
}

/// Sends the newest root document, and with it everything that a manager lacks; then the grants that can be used.
pub async fn push(owner: &Owner, courier: &Courier) -> Result<Report, Failure> {
    let report = match owner.deny() {
        Some(deny) => courier.deliver(owner, deny.signed()).await,
        None => courier.deliver(owner, owner.root().signed()).await,
    };
    for grant in owner.usable_grants() {
        courier.publish_grant(grant).await?;
    }
    Ok(report)
}

/// What the owner signed.
#[derive(Debug, Serialize)]
struct Pushed;

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("up to date")
    }
}

impl Keys {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let passphrase = context.new_passphrase("this administrator")?;
        let protection = Protection::Passphrase(Passphrase::new(passphrase.to_string()));
        let Administrator { root, policy, deny } = Owner::administrator(&self.owner, &protection)?;
        let (root, policy, deny) = (root.to_string(), policy.to_string(), deny.to_string());
        context.output().answer(&Made { root, policy, deny })
    }
}

/// An administrator's public keys, as `symbolon init --administrator` takes them.
#[derive(Debug, Serialize)]
struct Made {
    root: String,
    policy: String,
    deny: String,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root={},policy={},deny={}", self.root, self.policy, self.deny)
    }
}

impl Sign {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let waiting = Waiting::read(&self.file)?;
        let office = match &waiting {
            Waiting::Root(_) => Office::Root,
            Waiting::Grant(_) | Waiting::Order(_) => Office::Policy,
            Waiting::Deny(_) => Office::Deny,
        };
        // Whoever signs sees what; giving the passphrase is the consent.
        context.output().note(told(&waiting));
        let mut unlock = Known::ask(context, office)?;
        let mut keys = Signer::new(&self.owner, &mut unlock);
        match waiting {
            Waiting::Root(signed) if signed.body().version == 1 => {
                let complete = sign_first_root(&self.file, signed, &mut keys)?;
                let next = format!(
                    "the next administrator adds theirs:  symbolon owner sign {}",
                    self.file.display()
                );
                complete.map_err(|missing| Failure::new(Kind::Unavailable, missing).next(next))?;
            }
            waiting => Owner::open_to_sign(&self.owner)?.sign_too(&self.file, waiting, &mut keys)?,
        }
        context.output().answer(&Complete)
    }
}

fn told(waiting: &Waiting) -> String {
    match waiting {
        Waiting::Root(signed) => {
            let root = signed.body();
            let names: Vec<&str> = root.roster.iter().map(|member| member.name.as_str()).collect();
            format!("a root document, version {}, with the managers {}", root.version, names.join(", "))
        }
        Waiting::Grant(signed) => super::grant::told(signed.body()),
        Waiting::Deny(signed) => {
            let deny = signed.body();
            let (grants, holders, keys) = (deny.grants.len(), deny.holders.len(), deny.keys.len());
            format!("deny document {}: {grants} grants, {holders} holders, {keys} keys", deny.version)
        }
        Waiting::Order(signed) => super::order::told_alone(signed.body()),
    }
}

/// A document that enough have signed.
#[derive(Debug, Serialize)]
struct Complete;

impl fmt::Display for Complete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "signed by as many as are needed.")?;
        writeln!(
            f,
            "a first root document goes into every `accounts` folder; anything else:  symbolon owner push"
        )
    }
}
