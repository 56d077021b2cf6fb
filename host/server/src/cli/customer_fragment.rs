//! `symbolon customer-fragment`: the part of a key that never leaves the customer's side.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::error::FileError;
use symbolon_client::{Profile, Protection, create_key_file, customer};
use symbolon_envelope::sealed::Passphrase;
use symbolon_fragments::{CustomerFragmentId, CustomerShare};

use super::{Context, Failure, Kind};

/// What the files beside a profile are called; the second and later ones get a number.
const NAME: &str = "customer-fragment";

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum CustomerFragment {
    /// Make one and enter it into the profile
    Create(Create),
    /// Make another one, for everything that is encrypted from now on; the old ones stay for reading
    Rotate(Create),
    /// Show which ones the profile has
    List,
    /// Write one to another file, under a protection of its own
    Backup(Backup),
    /// Take one from a backup into the profile
    Restore(Restore),
}

/// What protects a file besides its mode, which is always 0600. A passphrase is asked for unless another is chosen.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Protected {
    /// Seal it under the key in this file, which is made where there is none
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Protect it by nothing else
    #[arg(long)]
    plain: bool,
}

/// `symbolon customer-fragment create`
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    protected: Protected,
}

/// `symbolon customer-fragment backup FILE`
#[derive(Debug, Args)]
pub struct Backup {
    /// Where it goes
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which one [default: the one for writing]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    protected: Protected,
}

/// `symbolon customer-fragment restore FILE`
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    protected: Protected,
}

impl CustomerFragment {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let mut place = Place::open(context)?;
        match self {
            Self::Create(create) => place.create(context, &create.protected),
            Self::Rotate(create) => place.rotate(context, &create.protected),
            Self::List => place.list(context),
            Self::Backup(backup) => place.backup(context, &backup),
            Self::Restore(restore) => place.restore(context, &restore),
        }
    }
}

/// The profile and its file.
struct Place {
    file: PathBuf,
    profile: Profile,
}

impl Place {
    fn open(context: &Context) -> Result<Self, Failure> {
        let file = context.profile_file()?;
        Ok(Self { profile: Profile::load(&file)?, file })
    }

    fn create(&mut self, context: &Context, protected: &Protected) -> Result<(), Failure> {
        if !self.profile.customer_fragments.is_empty() {
            let error = "the profile has a customer fragment already";
            return Err(Failure::new(Kind::Conflict, error)
                .next("to replace it for writing:  symbolon customer-fragment rotate"));
        }
        self.rotate(context, protected)?;
        context.output().note("without it, what it encrypts is lost: symbolon customer-fragment backup FILE");
        Ok(())
    }

    fn rotate(&mut self, context: &Context, protected: &Protected) -> Result<(), Failure> {
        let path = self.free_path();
        let protection = self.protection(context, protected)?;
        let id = customer::create(&path, &protection)?;
        self.profile.customer_fragments.insert(0, path.clone());
        self.profile.save(&self.file)?;
        context.output().answer(&Entry::new(id, path, true))
    }

    fn list(&self, context: &Context) -> Result<(), Failure> {
        let (mut entries, mut passphrases) = (Vec::new(), context.unlocking());
        let mut unlock = self.profile.unlocking(&mut passphrases);
        for (at, path) in self.profile.customer_fragments.iter().enumerate() {
            entries.push(Entry::new(customer::load(path, &mut unlock)?.id(), path.clone(), at == 0));
        }
        context.output().answer(&Entries(entries))
    }

    fn backup(&mut self, context: &Context, backup: &Backup) -> Result<(), Failure> {
        let from = self.find(context, backup.id.as_deref())?;
        let protection = self.protection(context, &backup.protected)?;
        let mut passphrases = context.unlocking();
        let mut unlock = self.profile.unlocking(&mut passphrases);
        let id = customer::copy(&from, &mut unlock, &backup.file, &protection)?;
        context.output().answer(&Entry::new(id, backup.file.clone(), false))
    }

    fn restore(&mut self, context: &Context, restore: &Restore) -> Result<(), Failure> {
        let path = self.free_path();
        let protection = self.protection(context, &restore.protected)?;
        let mut passphrases = context.unlocking();
        let mut unlock = self.profile.unlocking(&mut passphrases);
        let id = customer::copy(&restore.file, &mut unlock, &path, &protection)?;
        drop(unlock);
        self.profile.customer_fragments.push(path.clone());
        self.profile.save(&self.file)?;
        context.output().answer(&Entry::new(id, path, self.profile.customer_fragments.len() == 1))
    }

    /// The file of the fragment with that id, or of the one for writing.
    fn find(&self, context: &Context, id: Option<&str>) -> Result<PathBuf, Failure> {
        let files = &self.profile.customer_fragments;
        let none = || {
            Failure::new(Kind::NotFound, "the profile has no such customer fragment")
                .next("to see what it has:  symbolon customer-fragment list")
        };
        let Some(id) = id else { return files.first().cloned().ok_or_else(none) };
        let mut passphrases = context.unlocking();
        let mut unlock = self.profile.unlocking(&mut passphrases);
        for file in files {
            if customer::load(file, &mut unlock)?.id().to_string() == id {
                return Ok(file.clone());
            }
        }
        Err(none())
    }

    /// What was chosen; a key file is made if need be, and entered into the profile.
    fn protection(&mut self, context: &Context, protected: &Protected) -> Result<Protection, Failure> {
        if protected.plain {
            return Ok(Protection::Plain);
        }
        let Some(key_file) = &protected.key_file else {
            let passphrase = context.new_passphrase("the customer fragment")?;
            return Ok(Protection::Passphrase(Passphrase::new(passphrase.to_string())));
        };
        let key_file = std::path::absolute(key_file).map_err(|error| FileError::io(key_file, error))?;
        if !key_file.exists() {
            create_key_file(&key_file)?;
        }
        match &self.profile.key_file {
            Some(other) if !same(other, &key_file) => {
                let error = format!("the profile's key file is {}", other.display());
                return Err(Failure::new(Kind::Conflict, error).next("use that one, or a passphrase"));
            }
            _ => self.profile.key_file = Some(key_file.clone()),
        }
        Ok(Protection::KeyFile(key_file))
    }

    fn free_path(&self) -> PathBuf {
        let numbered = |number: u32| match number {
            1 => self.file.with_file_name(NAME),
            _ => self.file.with_file_name(format!("{NAME}-{number}")),
        };
        (1..=u32::MAX).map(numbered).find(|path| !path.exists()).unwrap_or_default()
    }
}

fn same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(one) == whole(other)
}

/// A customer fragment in a file.
#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    file: PathBuf,
    writing: bool,
}

impl Entry {
    fn new(id: CustomerFragmentId, file: PathBuf, writing: bool) -> Self {
        Self { id: id.to_string(), file, writing }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = if self.writing { "  for writing" } else { "" };
        write!(f, "{}  {}{purpose}", self.id, self.file.display())
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Entries(Vec<Entry>);

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (at, entry) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            entry.fmt(f)?;
        }
        Ok(())
    }
}
