//! The owner at work, as every command of the owner begins: the folder is opened, a key unlocked, news are fetched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use symbolon_client::Unlock;
use symbolon_client::owner::{Courier, Office, Owner, Signer};
use symbolon_trust::TrustedRoot;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::failure::with_causes;
use super::{Context, Failure, Kind};

/// A revocation does not wait long for an access manager that stalls.
const LEARN_WITHIN: Duration = Duration::from_secs(5);

/// The folder beside the profile where `symbolon dev` puts the owner.
const FOLDER: &str = "owner";

/// The file in the owner's folder that opens its keys, where somebody put it there, as `symbolon dev` does.
const PASSPHRASE: &str = "passphrase";

/// Where the owner's folder is.
#[derive(Clone, Debug, Args)]
pub struct Desk {
    /// The owner's folder, as `symbolon init` made it [default: the folder `owner` beside the profile]
    #[arg(long = "owner", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Desk {
    /// The folder, if there is an account in it.
    pub fn folder(&self, context: &Context) -> Result<PathBuf, Failure> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => beside(&context.profile_file()?),
        };
        if folder.join("account.root").is_file() { Ok(folder) } else { Err(no_owner(&folder)) }
    }

    /// What the owner has done so far.
    pub fn open(&self, context: &Context) -> Result<Owner, Failure> {
        Ok(Owner::open(&self.folder(context)?)?)
    }

    /// Works with a key of one role, after learning what other administrators did.
    pub async fn work<T>(
        &self,
        context: &Context,
        office: Office,
        work: impl AsyncFnOnce(&mut Owner, &mut Signer<'_>, &Courier) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let folder = self.folder(context)?;
        let mut owner = Owner::open_to_sign(&folder)?;
        let mut unlock = Known::in_folder(context, &folder, office)?;
        let mut keys = Signer::new(&folder, &mut unlock);
        let courier = courier(context, owner.root(), &mut keys, office)?;
        match timeout(LEARN_WITHIN, owner.learn(&courier)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => context.output().note(format_args!("note: {}", with_causes(&error))),
            Err(_) => context.output().note("note: the access manager does not answer; going on without it"),
        }
        work(&mut owner, &mut keys, &courier).await
    }
}

/// The access manager and the relay know the owner by a key of the owner's roles.
fn courier(
    context: &Context,
    root: &TrustedRoot,
    keys: &mut Signer<'_>,
    office: Office,
) -> Result<Courier, Failure> {
    let address = context.profile().ok().and_then(|profile| profile.access_manager);
    Ok(Courier::new(keys.key(office)?, root, address)?)
}

fn beside(profile: &Path) -> PathBuf {
    profile.parent().unwrap_or(Path::new(".")).join(FOLDER)
}

fn no_owner(folder: &Path) -> Failure {
    Failure::new(Kind::NotFound, format!("{} is not an owner's folder", folder.display()))
        .next("name it:  --owner DIR")
        .next("to found an account:  symbolon init --owner DIR …")
}

fn what(office: Office) -> String {
    format!("the owner's {office} key")
}

/// A passphrase that was asked for already.
pub struct Known(Zeroizing<String>);

impl Known {
    /// The passphrase of the owner's key of a role, as a consent: it has to be given.
    pub fn ask(context: &Context, office: Office) -> Result<Self, Failure> {
        context.passphrase(&what(office)).map(Self)
    }

    /// The same, from the folder where it is kept there.
    fn in_folder(context: &Context, folder: &Path, office: Office) -> Result<Self, Failure> {
        context.passphrase_beside(&folder.join(PASSPHRASE), &what(office)).map(Self)
    }
}

impl Unlock for Known {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        Some(self.0.clone())
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}
