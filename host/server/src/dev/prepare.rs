//! Laying a deployment out: what operators, the owner and the first person do one after the other, each on a machine
//! of their own, done here at once in one folder. No server runs meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use symbolon_client::error::FileError;
use symbolon_client::owner::{GrantTerms, NewAccount, NewMember, Owner, OwnerError, Signer};
use symbolon_client::{Profile, Protection, RouteChoice, SecretError, Unlock, private_file};
use symbolon_encoding::to_canonical;
use symbolon_envelope::sealed::{Cost, Passphrase, SealingKey};
use symbolon_fragments::names::{KeyPattern, Thumbprint};
use symbolon_trust::{AccessManager, KeyPair, Operation, Seconds, Shape, Spread};
use zeroize::Zeroizing;

use super::layout::{ACCESS_MANAGER, Addresses, GATEWAY, Layout, MANAGERS};
use crate::identity::{self, IdentityError};
use crate::passphrase::Passphrases;
use crate::sealing::{self, Sealing, SealingError};

/// Where the first person's and the gateway's grants end, in seconds from now: ten years.
const GRANTED_SECS: u64 = 10 * 365 * 86_400;

/// The pattern that covers them all.
const EVERY_KEY: &str = "*";

/// Stretching a passphrase that lies in a file beside what it protects would only cost time.
const NO_STRETCHING: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

/// Why a deployment can't be laid out.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The folder holds something else.
    #[error("{} is not empty, and no deployment", .0.display())]
    Occupied(PathBuf),
    /// A folder that is made beside and renamed needs a name.
    #[error("a deployment is made in a folder of its own, not in {}", .0.display())]
    Nameless(PathBuf),
    /// A file or folder can't be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// A role's keys can't be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A manager's sealing key can't be made.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The owner's account can't be made.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The first person's identity can't be made.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The gateway's callers can't be listed.
    #[error(transparent)]
    Callers(#[from] symbolon_gateway::callers::CallersError),
}

/// Lays a deployment out in `layout`'s folder, whole or not at all: it is made beside it and then renamed.
pub fn prepare(layout: &Layout) -> Result<(), PrepareError> {
    let folder = layout.folder();
    if folder.file_name().is_none() {
        return Err(PrepareError::Nameless(folder.to_owned()));
    }
    let draft = Layout::new(&folder.with_added_extension("new"));
    let io = |error| FileError::io(folder, error);
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(PrepareError::Occupied(folder.to_owned()));
    }
    if draft.folder().exists() {
        fs::remove_dir_all(draft.folder()).map_err(io)?;
    }
    fill(&draft)?;
    fs::rename(draft.folder(), folder).map_err(io)?;
    Ok(())
}

fn fill(layout: &Layout) -> Result<(), PrepareError> {
    let io = |error| FileError::io(layout.folder(), error);
    let addresses = Addresses::free().map_err(io)?;
    layout.write(&addresses).map_err(io)?;
    let mut owner = found(layout, &addresses)?;
    for role in MANAGERS.iter().chain([&ACCESS_MANAGER]) {
        install(&owner, &layout.accounts(role).join("account.root"))?;
    }
    let gateway = person(layout, &layout.home(GATEWAY), &owner)?;
    let first = person(layout, layout.folder(), &owner)?;
    for (name, holder) in [("first", first), ("gateway", gateway)] {
        grant(layout, &mut owner, name, holder)?;
    }
    gateway_files(&layout.home(GATEWAY))
}

/// The roles' keys, then the owner's, then the root document that names all of them.
fn found(layout: &Layout, addresses: &Addresses) -> Result<Owner, PrepareError> {
    let home = layout.home(ACCESS_MANAGER);
    let key = identity::load_or_make(&home.join("identity.key"), None)?.public();
    let permit = identity::load_or_make(&home.join("permit.key"), None)?.public();
    let numbered = MANAGERS.iter().zip(addresses.managers);
    let managers = numbered.map(|(name, address)| manager(layout, name, address.to_string()));
    let new = NewAccount {
        access_manager: AccessManager { key, address: addresses.access_manager.to_string() },
        permit,
        managers: managers.collect::<Result<_, _>>()?,
        minimum: Shape { t: 2, n: 2 },
        spread: Spread::None,
        administrators: Vec::new(),
        threshold: 1,
    };
    let passphrase = new_passphrase(layout)?;
    let protection = Protection::Passphrase(Passphrase::new(passphrase.to_string()).costing(NO_STRETCHING));
    Ok(Owner::found(&layout.owner(), new, &protection)?)
}

fn manager(layout: &Layout, name: &str, address: String) -> Result<NewMember, PrepareError> {
    let home = layout.home(name);
    let sealing: SealingKey =
        sealing::unlock_or_make(&Sealing::File(home.join("sealing.key")), &Passphrases::default())?;
    let identity: KeyPair = identity::load_or_make(&home.join("identity.key"), Some(&sealing))?;
    let local = || "local".to_owned();
    Ok(NewMember {
        name: name.to_owned(),
        key: identity.public(),
        address,
        operator: local(),
        cloud: local(),
        region: local(),
    })
}

fn new_passphrase(layout: &Layout) -> Result<Zeroizing<String>, PrepareError> {
    let text = Zeroizing::new(hex::encode(*Zeroizing::new(crate::random::bytes::<16>())));
    make_folder(&layout.owner())?;
    private_file::create(&layout.owner_passphrase(), text.as_bytes())?;
    Ok(text)
}

/// A profile with an identity of its own.
fn person(layout: &Layout, home: &Path, owner: &Owner) -> Result<Thumbprint, PrepareError> {
    let identity = home.join("holder.key");
    let holder = symbolon_client::identity::create(&identity, &Protection::Plain)?.public().thumbprint();
    let root = home.join("account.root");
    install(owner, &root)?;
    let profile = Profile {
        account: owner.account().to_string(),
        root,
        identity,
        access_manager: None,
        route: RouteChoice::default(),
        key_file: None,
        customer_fragments: Vec::new(),
    };
    let file = if home == layout.folder() { layout.profile() } else { home.join("profile.toml") };
    profile
        .save(&file)
        .map_err(|error| PrepareError::from(FileError::io(&file, std::io::Error::other(error))))?;
    Ok(holder)
}

/// Everything with every key: what is tried out here is not who may do what.
fn grant(layout: &Layout, owner: &mut Owner, name: &str, holder: Thumbprint) -> Result<(), PrepareError> {
    let not_before = Seconds(jiff::Timestamp::now().as_second().cast_unsigned());
    let terms = GrantTerms {
        keys: KeyPattern::from_str(EVERY_KEY).into_iter().collect(),
        holder,
        operations: Operation::ALL.into_iter().collect(),
        rate: 0,
        not_before,
        not_after: Seconds(not_before.0 + GRANTED_SECS),
    };
    let mut passphrase = FromFile(layout.owner_passphrase());
    let folder = owner.folder().to_owned();
    let signed = owner.make_grant(&mut Signer::new(&folder, &mut passphrase), terms)?;
    let file = layout.accounts(ACCESS_MANAGER).join(format!("{name}.grant"));
    fs::write(&file, to_canonical(&signed)).map_err(|error| FileError::io(&file, error))?;
    Ok(())
}

/// The owner's passphrase, as it would be typed.
struct FromFile(PathBuf);

impl Unlock for FromFile {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        Passphrases::from(Some(self.0.clone())).existing("the owner").ok()
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}

fn gateway_files(home: &Path) -> Result<(), PrepareError> {
    let tls = symbolon_gateway::tls::self_signed(&["localhost", "127.0.0.1"]);
    let certificate = home.join("tls.pem");
    fs::write(&certificate, &tls.certificate).map_err(|error| FileError::io(&certificate, error))?;
    private_file::create(&home.join("tls.key"), tls.key.as_bytes())?;
    let token = symbolon_gateway::callers::add_token(&home.join("callers.toml"), "dev")?;
    private_file::create(&home.join("token"), token.as_bytes())?;
    Ok(())
}

/// Gives a role or a person the account's first root document.
fn install(owner: &Owner, to: &Path) -> Result<(), PrepareError> {
    fs::copy(owner.account_file(), to).map_err(|error| FileError::io(to, error))?;
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), PrepareError> {
    fs::create_dir_all(folder).map_err(|error| FileError::io(folder, error))?;
    Ok(())
}
