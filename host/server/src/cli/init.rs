//! `symbolon init`: founds an account.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use symbolon_client::Protection;
use symbolon_client::owner::{Administrator, NewAccount, NewMember, Owner};
use symbolon_envelope::sealed::Passphrase;
use symbolon_trust::{AccessManager, PublicKey, Shape, Spread, shape_warning};

use super::{Context, Failure, spelled};

/// `symbolon init --owner DIR --access-manager … --permit … --manager …`
#[derive(Debug, Args)]
pub struct Init {
    /// A new folder for the owner's keys and documents, to be kept off the servers
    #[arg(long, value_name = "DIR")]
    owner: PathBuf,
    /// The access manager's identity and address
    #[arg(long, value_name = "sympub1…@HOST:PORT", value_parser = spelled::access_manager)]
    access_manager: AccessManager,
    /// The access manager's permit key
    #[arg(long, value_name = "sympub1…")]
    permit: PublicKey,
    /// A fragment manager: its name, identity and address, and whose and where it is; once for each
    #[arg(long = "manager", required = true, value_parser = spelled::manager,
          value_name = "NAME=sympub1…@HOST:PORT,operator=…,cloud=…,region=…")]
    managers: Vec<NewMember>,
    /// The least that a key's fragment set must have
    #[arg(long, value_name = "T-of-N", default_value = "2-of-2", value_parser = spelled::shape)]
    minimum: Shape,
    /// No single one of these may have enough fragments to make a key: none, operator, cloud, region
    #[arg(long, value_name = "RULE", default_value = "none", value_parser = spelled::spread)]
    spread: Spread,
    /// One more administrator, by the keys that `symbolon owner keys` printed for them
    #[arg(long = "administrator", value_parser = spelled::administrator,
          value_name = "root=sympub1…,policy=sympub1…,deny=sympub1…")]
    administrators: Vec<Administrator>,
    /// How many administrators must sign grants, orders and root documents
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    administrators_needed: u16,
}

impl Init {
    /// Founds the account.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let passphrase = context.new_passphrase("the owner")?;
        let protection = Protection::Passphrase(Passphrase::new(passphrase.to_string()));
        let (folder, managers) = (self.owner.clone(), self.managers.len());
        if let Some(warning) = shape_warning(self.minimum.t, managers) {
            context.output().note(format_args!("note: {warning}"));
        }
        let owner = Owner::found(&folder, self.into_account(), &protection)?;
        context.output().answer(&Founded { account: owner.account().to_string(), root: owner.account_file() })
    }

    fn into_account(self) -> NewAccount {
        NewAccount {
            access_manager: self.access_manager,
            permit: self.permit,
            managers: self.managers,
            minimum: self.minimum,
            spread: self.spread,
            administrators: self.administrators,
            threshold: self.administrators_needed,
        }
    }
}

/// An account that was founded.
#[derive(Debug, Serialize)]
struct Founded {
    account: String,
    root: PathBuf,
}

impl fmt::Display for Founded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "account {}", self.account)?;
        writeln!(f, "Put {} into the `accounts` folder of every server;", self.root.display())?;
        writeln!(f, "each prints the account's id when it starts: compare it with the one above.")
    }
}
