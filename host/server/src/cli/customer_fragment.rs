//! `symbolon customer-fragment`: the part of a key that never leaves the customer's side.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_client::customer::{Place, TokenPlace, token};
use symbolon_client::error::FileError;
use symbolon_client::{Profile, Protection, create_key_file, customer};
use symbolon_envelope::sealed::Passphrase;
use symbolon_fragments::CustomerFragmentId;
use zeroize::Zeroizing;

use super::{Context, Failure, Kind};
use crate::passphrase::Passphrases;

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

/// A PKCS#11 token in the place of a file. It never shows the fragment.
#[derive(Debug, Args)]
pub struct InToken {
    /// Keep it in a token: the PKCS#11 library of the token's vendor
    #[arg(long, value_name = "FILE", requires = "token", conflicts_with = "Protected")]
    module: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL", requires = "module")]
    token: Option<String>,
    /// The file with the token's PIN (mode 0600); without it, the PIN is asked for
    #[arg(long, value_name = "FILE", requires = "module")]
    pin_file: Option<PathBuf>,
}

/// `symbolon customer-fragment create`
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    protected: Protected,
    #[command(flatten)]
    token: InToken,
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
    #[command(flatten)]
    token: InToken,
}

impl CustomerFragment {
    /// Runs the verb.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let mut place = Kept::open(context)?;
        match self {
            Self::Create(create) => place.create(context, &create),
            Self::Rotate(create) => place.rotate(context, &create),
            Self::List => place.list(context),
            Self::Backup(backup) => place.backup(context, &backup),
            Self::Restore(restore) => place.restore(context, &restore),
        }
    }
}

/// The profile and its file.
struct Kept {
    file: PathBuf,
    profile: Profile,
}

impl Kept {
    fn open(context: &Context) -> Result<Self, Failure> {
        let file = context.profile_file()?;
        Ok(Self { profile: Profile::load(&file)?, file })
    }

    fn create(&mut self, context: &Context, create: &Create) -> Result<(), Failure> {
        if !self.profile.customer_fragments.is_empty() {
            let error = "the profile has a customer fragment already";
            return Err(Failure::new(Kind::Conflict, error)
                .next("to replace it for writing:  symbolon customer-fragment rotate"));
        }
        self.rotate(context, create)?;
        let how = match create.token.module {
            Some(_) => "it never leaves the token: lose that, and what it encrypts is lost",
            None => "without it, what it encrypts is lost: symbolon customer-fragment backup FILE",
        };
        context.output().note(how);
        Ok(())
    }

    fn rotate(&mut self, context: &Context, create: &Create) -> Result<(), Failure> {
        let (id, place) = if let Some(mut place) = create.token.place()? {
            let pin = place_pin(context, &place)?;
            let id = token::generate(&place.module, &place.token, &pin).map_err(of_token)?;
            place.id = id.to_string();
            (id, Place::Token(place))
        } else {
            let path = self.free_path();
            let protection = self.protection(context, &create.protected)?;
            (customer::create(&path, &protection)?, Place::File(path))
        };
        self.profile.customer_fragments.insert(0, place.clone());
        self.profile.save(&self.file)?;
        context.output().answer(&Entry::new(id.to_string(), &place, true))
    }

    fn list(&self, context: &Context) -> Result<(), Failure> {
        let (mut entries, mut passphrases) = (Vec::new(), context.unlocking());
        let mut unlock = self.profile.unlocking(&mut passphrases);
        for (at, place) in self.profile.customer_fragments.iter().enumerate() {
            let id = match place {
                Place::File(path) => customer::load(path, &mut unlock)?.id().to_string(),
                Place::Token(token) => token.id.clone(),
            };
            entries.push(Entry::new(id, place, at == 0));
        }
        context.output().answer(&Entries(entries))
    }

    fn backup(&mut self, context: &Context, backup: &Backup) -> Result<(), Failure> {
        let from = self.find(context, backup.id.as_deref())?;
        let protection = self.protection(context, &backup.protected)?;
        let mut passphrases = context.unlocking();
        let mut unlock = self.profile.unlocking(&mut passphrases);
        let id = customer::copy(&from, &mut unlock, &backup.file, &protection)?;
        context.output().answer(&Entry::new(id.to_string(), &Place::File(backup.file.clone()), false))
    }

    fn restore(&mut self, context: &Context, restore: &Restore) -> Result<(), Failure> {
        let (id, place) = if let Some(place) = restore.token.place()? {
            self.import(context, &restore.file, place)?
        } else {
            let path = self.free_path();
            let protection = self.protection(context, &restore.protected)?;
            let mut passphrases = context.unlocking();
            let mut unlock = self.profile.unlocking(&mut passphrases);
            (customer::copy(&restore.file, &mut unlock, &path, &protection)?, Place::File(path))
        };
        self.profile.customer_fragments.push(place.clone());
        self.profile.save(&self.file)?;
        let writing = self.profile.customer_fragments.len() == 1;
        context.output().answer(&Entry::new(id.to_string(), &place, writing))
    }

    /// Puts a backup into a token.
    fn import(
        &self,
        context: &Context,
        backup: &Path,
        mut place: TokenPlace,
    ) -> Result<(CustomerFragmentId, Place), Failure> {
        let mut passphrases = context.unlocking();
        let fragment = customer::load(backup, &mut self.profile.unlocking(&mut passphrases))?;
        let pin = place_pin(context, &place)?;
        let id = token::import(&place.module, &place.token, &pin, &fragment).map_err(of_token)?;
        place.id = id.to_string();
        Ok((id, Place::Token(place)))
    }

    /// The file of the fragment with that id, or of the one for writing.
    fn find(&self, context: &Context, id: Option<&str>) -> Result<PathBuf, Failure> {
        let places = &self.profile.customer_fragments;
        let none = || {
            Failure::new(Kind::NotFound, "the profile has no such customer fragment")
                .next("to see what it has:  symbolon customer-fragment list")
        };
        let mut passphrases = context.unlocking();
        let mut unlock = self.profile.unlocking(&mut passphrases);
        for place in places {
            match place {
                Place::Token(token) if id.is_none_or(|id| id == token.id) => {
                    let error = format!("token {} keeps the fragment to itself", token.token);
                    return Err(Failure::new(Kind::Invalid, error)
                        .next("make it in a file, back it up, and restore it into the token"));
                }
                Place::Token(_) => {}
                Place::File(file) if id.is_none() => return Ok(file.clone()),
                Place::File(file) => {
                    if Some(customer::load(file, &mut unlock)?.id().to_string().as_str()) == id {
                        return Ok(file.clone());
                    }
                }
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

impl InToken {
    /// The token that was named, if one was; the fragment's id comes later.
    fn place(&self) -> Result<Option<TokenPlace>, Failure> {
        let (Some(module), Some(token)) = (&self.module, &self.token) else { return Ok(None) };
        let absolute = |file: &PathBuf| std::path::absolute(file).map_err(|error| FileError::io(file, error));
        let pin_file = self.pin_file.as_ref().map(absolute).transpose()?;
        Ok(Some(TokenPlace { module: module.clone(), token: token.clone(), id: String::new(), pin_file }))
    }
}

fn place_pin(context: &Context, place: &TokenPlace) -> Result<Zeroizing<String>, Failure> {
    match &place.pin_file {
        Some(file) => {
            let pins = Passphrases::from(Some(file.clone()));
            Ok(pins.existing("the token")?)
        }
        None => context.passphrase(&format!("token {}", place.token)),
    }
}

fn of_token(error: customer::KeeperError) -> Failure {
    let kind = match error {
        customer::KeeperError::Gone(_) | customer::KeeperError::Failed(_) => Kind::Unavailable,
        customer::KeeperError::WrongPin
        | customer::KeeperError::Place(_)
        | customer::KeeperError::WrongLength(_) => Kind::Invalid,
    };
    Failure::new(kind, error)
}

fn same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(one) == whole(other)
}

/// A customer fragment and where it is kept.
#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    writing: bool,
}

impl Entry {
    fn new(id: String, place: &Place, writing: bool) -> Self {
        let (file, token) = match place {
            Place::File(file) => (Some(file.clone()), None),
            Place::Token(token) => (None, Some(token.token.clone())),
        };
        Self { id, file, token, writing }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = if self.writing { "  for writing" } else { "" };
        match (&self.file, &self.token) {
            (Some(file), _) => write!(f, "{}  {}{purpose}", self.id, file.display()),
            (None, token) => {
                write!(f, "{}  token {}{purpose}", self.id, token.as_deref().unwrap_or_default())
            }
        }
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
