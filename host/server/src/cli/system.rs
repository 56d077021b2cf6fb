//! `symbolon system`: the third level of the key chain, one key a linked system, wrapped by its tenant's.

use clap::{Args, Subcommand};
use symbolon_keychain::{SystemId, TenantId};
use symbolon_protocol::api::SystemQuery;

use super::link_owner::{LinkOwner, Noun};
use super::link_view::{ShownSystem, Systems};
use super::tenant::chain;
use super::{Context, Failure};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum System {
    /// Make a system of a tenant: a storage cluster, a database, whatever asks for data keys
    Create(Named),
    /// List the systems that you may see
    List(List),
    /// Show a system, the versions of its key, and the keys above
    Show(Named),
    /// Make a new version of its key, which wraps data keys made from now on; earlier ones still open
    Rotate(Named),
    #[command(flatten)]
    Owner(LinkOwner),
}

/// `symbolon system list`
#[derive(Debug, Args)]
pub struct List {
    /// Only those of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
}

/// A system.
#[derive(Debug, Args)]
pub struct Named {
    /// The system, its tenant first: acme/ceph-eu
    system: SystemId,
}

impl System {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let (system, verb) = match self {
            Self::Owner(verb) => return verb.run(Noun::System, context).await,
            Self::List(verb) => return verb.run(context).await,
            Self::Create(Named { system }) => (system, Verb::Create),
            Self::Show(Named { system }) => (system, Verb::Show),
            Self::Rotate(Named { system }) => (system, Verb::Rotate),
        };
        let (client, chain) = chain(context)?;
        let shown = match verb {
            Verb::Create => context.noting(&client, chain.create_system(&system)).await?,
            Verb::Show => context.noting(&client, chain.system(&system)).await?,
            Verb::Rotate => context.noting(&client, chain.rotate_system(&system)).await?,
        };
        context.output().answer(&ShownSystem(shown))
    }
}

/// The verbs that end with showing the system.
enum Verb {
    Create,
    Show,
    Rotate,
}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let (client, chain) = chain(context)?;
        let tenant = self.tenant.map(|tenant| tenant.to_string());
        let mut query = SystemQuery { tenant, ..SystemQuery::default() };
        let mut systems = Vec::new();
        loop {
            let page = context.noting(&client, chain.systems(&query)).await?;
            systems.extend(page.items);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return context.output().answer(&Systems(systems)),
            }
        }
    }
}
