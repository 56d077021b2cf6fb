//! The owner's verbs of `symbolon tenant` and `symbolon system`: the same as a key's, since the same documents name them.

use clap::{Args, Subcommand};
use symbolon_client::Subject;
use symbolon_client::owner::Courier;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::{SystemId, TenantId};
use symbolon_protocol::api::{self, KeyState, path};

use super::desk::Desk;
use super::key_owner::{self, Due};
use super::{Context, Failure, Kind};

/// The owner's verbs.
#[derive(Debug, Subcommand)]
pub enum LinkOwner {
    /// Switch it off, with everything below it: no data key is made or opened once leases have ended, within a minute
    Disable(Named),
    /// Switch it on again
    Enable(Named),
    /// Have its keys destroyed for good, after at least 72 hours; nothing below it can be used meanwhile
    Destroy(Destroy),
    /// Keep one that waits for its destruction
    CancelDestruction(Named),
}

/// A tenant or system, and where the owner's folder is.
#[derive(Debug, Args)]
pub struct Named {
    #[command(flatten)]
    desk: Desk,
    /// Its name
    #[arg(value_name = "NAME")]
    link: KeyId,
}

/// `symbolon tenant destroy NAME`
#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    named: Named,
    /// This version of its key alone [default: all versions]
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    /// After so many days; not before 72 hours in any case
    #[arg(long, value_name = "DAYS", default_value_t = 3)]
    days: u64,
}

/// Which noun the verb belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Noun {
    Tenant,
    System,
}

impl LinkOwner {
    /// Runs the verb.
    pub async fn run(self, noun: Noun, context: &Context) -> Result<(), Failure> {
        noun.check(self.link())?;
        match self {
            Self::Disable(Named { desk, link }) => {
                let known = async |courier: &Courier| noun.versions(courier, &link).await.map(drop);
                key_owner::disable(&desk, &link, known, context).await
            }
            Self::Enable(Named { desk, link }) => key_owner::enable(&desk, link, context).await,
            Self::CancelDestruction(Named { desk, link }) => key_owner::cancel(&desk, link, context).await,
            Self::Destroy(Destroy { named, version, days }) => {
                let Named { desk, link } = named;
                let there = async |courier: &Courier| noun.versions(courier, &link).await;
                key_owner::destroy(&desk, &link, Due::in_days(days), version, there, context).await
            }
        }
    }

    const fn link(&self) -> &KeyId {
        match self {
            Self::Disable(named) | Self::Enable(named) | Self::CancelDestruction(named) => &named.link,
            Self::Destroy(verb) => &verb.named.link,
        }
    }
}

impl Noun {
    fn check(self, link: &KeyId) -> Result<(), Failure> {
        let checked = match self {
            Self::Tenant => TenantId::try_from(link.clone()).map(drop),
            Self::System => SystemId::try_from(link.clone()).map(drop),
        };
        checked.map_err(|error| Failure::new(Kind::Invalid, error))
    }

    /// The versions that aren't destroyed, by the access manager's word.
    async fn versions(self, courier: &Courier, link: &KeyId) -> Result<Vec<u64>, Failure> {
        let access = courier.access();
        let about = Subject { key: Some(link), ..Subject::default() };
        let explain = |error| access.explain(error, about);
        let there = |state: KeyState| state != KeyState::Destroyed;
        Ok(match self {
            Self::Tenant => {
                let path = path::tenant(access.account(), link.as_str());
                let found: api::Tenant = access.get(path).await.map_err(explain)?;
                let left = found.versions.iter().filter(|version| there(version.state));
                left.map(|version| version.version).rev().collect()
            }
            Self::System => {
                let path = path::system(access.account(), link.as_str());
                let found: api::System = access.get(path).await.map_err(explain)?;
                let left = found.versions.iter().filter(|version| there(version.state));
                left.map(|version| version.version).rev().collect()
            }
        })
    }
}
