//! `symbolon profile`: who a person is, and in which account.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::error::FileError;
use symbolon_client::{Profile, Protection, RouteChoice, identity};
use symbolon_encoding::from_canonical;
use symbolon_envelope::sealed::Passphrase;
use symbolon_trust::{RootDocument, Signed, TrustedRoot};

use super::{Context, Failure, Kind};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum ProfileOf {
    /// Make an identity here, and a profile that uses it; prints the access id that the owner grants things to
    Create(Create),
    /// Show whose profile it is
    Show,
}

/// `symbolon profile create FILE --account ROOT`
#[derive(Debug, Args)]
pub struct Create {
    /// The profile to write; the identity goes beside it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The account's root document, as the owner gave it to you
    #[arg(long, value_name = "FILE")]
    account: PathBuf,
    /// Reach the access manager here, and not where the root document says
    #[arg(long, value_name = "HOST:PORT")]
    access_manager: Option<String>,
    /// How fragment managers are reached
    #[arg(long, value_name = "auto|relay|direct", default_value = "auto", value_parser = route)]
    route: RouteChoice,
    /// Protect the identity by the mode of its file alone: for programs that nobody starts by hand
    #[arg(long)]
    no_passphrase: bool,
}

fn route(text: &str) -> Result<RouteChoice, &'static str> {
    match text {
        "auto" => Ok(RouteChoice::Auto),
        "relay" => Ok(RouteChoice::Relay),
        "direct" => Ok(RouteChoice::Direct),
        _ => Err("one of auto, relay, direct"),
    }
}

impl ProfileOf {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(context),
            Self::Show => show(context),
        }
    }
}

impl Create {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let (bytes, account) = self.account_document()?;
        let [root, key] = ["account.root", "holder.key"].map(|name| self.beside(name));
        if let Some(taken) = [&self.file, &root, &key].into_iter().find(|file| file.exists()) {
            return Err(FileError::Exists { path: taken.clone() }.into());
        }
        let protection = self.protection(context)?;
        let holder = identity::create(&key, &protection)?.public().thumbprint();
        fs::write(&root, bytes).map_err(|error| FileError::io(&root, error))?;
        let profile = Profile {
            account: account.clone(),
            root,
            identity: key,
            access_manager: self.access_manager,
            route: self.route,
            key_file: None,
            customer_fragments: Vec::new(),
        };
        profile.save(&self.file)?;
        context.output().answer(&Who { access_id: holder.to_string(), account, profile: self.file })
    }

    /// The root document's bytes, and the account that it makes.
    fn account_document(&self) -> Result<(Vec<u8>, String), Failure> {
        let bytes = fs::read(&self.account).map_err(|error| FileError::io(&self.account, error))?;
        let no_root =
            || Failure::new(Kind::Invalid, format!("{} is not a root document", self.account.display()));
        let signed: Signed<RootDocument> = from_canonical(&bytes).map_err(|_| no_root())?;
        let account = signed.body().account();
        TrustedRoot::install(account, signed).map_err(|error| Failure::new(Kind::Integrity, error))?;
        Ok((bytes, account.to_string()))
    }

    fn beside(&self, name: &str) -> PathBuf {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let name = if stem == "profile" { name.to_owned() } else { format!("{stem}.{name}") };
        self.file.with_file_name(name)
    }

    fn protection(&self, context: &Context) -> Result<Protection, Failure> {
        if self.no_passphrase {
            return Ok(Protection::Plain);
        }
        let passphrase = context.new_passphrase("your identity")?;
        Ok(Protection::Passphrase(Passphrase::new(passphrase.to_string())))
    }
}

fn show(context: &Context) -> Result<(), Failure> {
    let file = context.profile_file()?;
    let profile = Profile::load(&file)?;
    let holder = identity::load(&profile.identity, &mut context.unlocking())?.public().thumbprint();
    context.output().answer(&Who { access_id: holder.to_string(), account: profile.account, profile: file })
}

#[derive(Debug, Serialize)]
struct Who {
    access_id: String,
    account: String,
    profile: PathBuf,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "access id  {}", self.access_id)?;
        writeln!(f, "account    {}", self.account)?;
        writeln!(f, "profile    {}", self.profile.display())
    }
}
