//! `symbolon tenant`: the second level of the key chain, one key a tenant, sealed by a root key.

use clap::{Args, Subcommand};
use symbolon_client::chain::Chain;
use symbolon_fragments::names::KeyId;
use symbolon_keychain::TenantId;
use symbolon_protocol::api::TenantQuery;

use super::link_owner::{LinkOwner, Noun};
use super::link_view::{ShownTenant, Tenants};
use super::{Context, Failure};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Make a tenant below a root key, whose purpose is `wrap`
    Create(Create),
    /// List the tenants that you may see
    List(List),
    /// Show a tenant, its root key and the versions of its key
    Show(Named),
    /// Make a new version of its key, which wraps the keys of systems made from now on
    Rotate(Named),
    #[command(flatten)]
    Owner(LinkOwner),
}

/// `symbolon tenant create TENANT --root KEY`
#[derive(Debug, Args)]
pub struct Create {
    /// The tenant's name: one segment, never used twice, nor for a key
    tenant: TenantId,
    /// Its root key, wherever that is kept
    #[arg(long, value_name = "KEY")]
    root: KeyId,
}

/// `symbolon tenant list`
#[derive(Debug, Args)]
pub struct List {
    /// Only those below this root key
    #[arg(long, value_name = "KEY")]
    root: Option<KeyId>,
}

/// A tenant.
#[derive(Debug, Args)]
pub struct Named {
    /// The tenant
    tenant: TenantId,
}

impl Tenant {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(verb) => verb.run(context).await,
            Self::List(verb) => verb.run(context).await,
            Self::Show(Named { tenant }) => {
                let (client, chain) = chain(context)?;
                let shown = context.noting(&client, chain.tenant(&tenant)).await?;
                context.output().answer(&ShownTenant(shown))
            }
            Self::Rotate(Named { tenant }) => {
                let (client, chain) = chain(context)?;
                let shown = context.noting(&client, chain.rotate_tenant(&tenant)).await?;
                context.output().answer(&ShownTenant(shown))
            }
            Self::Owner(verb) => verb.run(Noun::Tenant, context).await,
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let (client, chain) = chain(context)?;
        let made = context.noting(&client, chain.create_tenant(&self.tenant, &self.root)).await?;
        context.output().answer(&ShownTenant(made))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let (client, chain) = chain(context)?;
        let mut query = TenantQuery { root: self.root.map(Into::into), ..TenantQuery::default() };
        let mut tenants = Vec::new();
        loop {
            let page = context.noting(&client, chain.tenants(&query)).await?;
            tenants.extend(page.items);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return context.output().answer(&Tenants(tenants)),
            }
        }
    }
}

/// The key chains that the profile's holder may use.
pub(super) fn chain(context: &Context) -> Result<(symbolon_client::Client, Chain), Failure> {
    let client = context.client_with_fragments()?;
    Ok((client.clone(), Chain::new(client)))
}
