//! `symbolon key`: making keys and looking at them.

use clap::{Args, Subcommand};
use symbolon_client::hsm::NewHsmKey;
use symbolon_client::keys::{Members, NewKey, RootOfKey};
use symbolon_client::{Client, Error};
use symbolon_fragments::SuiteId;
use symbolon_fragments::names::{Index, KeyId, Purpose};
use symbolon_protocol::api::KeyQuery;
use symbolon_trust::{KeyAlgorithm, Shape};

use super::key_owner::KeyOwner;
use super::key_view::{Listed, Shown};
use super::{Context, Failure, Kind, pairs, spelled};

/// What the store is called that isn't inside an HSM.
const FRAGMENTS: &str = "fragments";

/// The nouns' verbs.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key: fragment managers generate it together, and it never exists whole; or an HSM does
    Create(Create),
    /// List the keys that you may see
    List(List),
    /// Show a key, its versions, and what its certificate says
    Show(Show),
    /// Make a new version, with which everything is encrypted from now on; old versions still decrypt
    Rotate(Rotate),
    /// Set labels, or take them away
    Label(Label),
    #[command(flatten)]
    Owner(KeyOwner),
}

/// `symbolon key create KEY`
#[derive(Debug, Args)]
pub struct Create {
    /// The key's id: a path such as shop/orders, never used twice
    key: KeyId,
    /// How many fragments there are, and how many make an operation
    #[arg(long, value_name = "T-of-N", default_value = "2-of-3", value_parser = spelled::shape)]
    threshold: Shape,
    /// Who holds a fragment, by name [default: N of the roster]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    managers: Vec<String>,
    /// ristretto255 or p256
    #[arg(long, value_name = "SUITE", default_value = "ristretto255")]
    suite: SuiteId,
    /// What it is for: data, data-key, wrap [default: data; in an HSM: wrap, or signing, as its algorithm says]
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<Purpose>,
    /// Where it is to be: `fragments`, or the label of a key store in HSMs
    #[arg(long, value_name = "LABEL", default_value = FRAGMENTS)]
    store: String,
    /// In an HSM: aes-256 (seals and wraps), ecdsa-p256, ecdsa-p384, ecdsa-secp256k1, ed25519, rsa-2048 (sign)
    #[arg(long, value_name = "ALGORITHM", conflicts_with_all = ["suite", "threshold", "managers", "on", "shared"])]
    algorithm: Option<KeyAlgorithm>,
    /// Have every use take the customer fragment too
    #[arg(long)]
    customer_fragment: bool,
    /// Make its fragment set a shared root, which other keys can join
    #[arg(long, conflicts_with = "on")]
    shared: bool,
    /// Put it on the shared root of this key: no ceremony, it costs a row
    #[arg(long, value_name = "KEY", conflicts_with_all = ["threshold", "managers", "suite"])]
    on: Option<KeyId>,
    /// A label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::parse)]
    label: Vec<(String, String)>,
}

/// `symbolon key list`
#[derive(Debug, Args)]
pub struct List {
    /// Only keys below this path
    #[arg(long, value_name = "PATH")]
    below: Option<String>,
    /// Only keys with this label
    #[arg(long, value_name = "NAME=VALUE")]
    label: Option<String>,
}

/// `symbolon key show KEY`
#[derive(Debug, Args)]
pub struct Show {
    /// The key
    key: KeyId,
    /// This version alone
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
}

/// `symbolon key rotate KEY`
#[derive(Debug, Args)]
pub struct Rotate {
    /// The key
    key: KeyId,
}

/// `symbolon key label KEY NAME=VALUE…`
#[derive(Debug, Args)]
pub struct Label {
    /// The key
    key: KeyId,
    /// Labels to set
    #[arg(value_name = "NAME=VALUE", value_parser = pairs::parse)]
    set: Vec<(String, String)>,
    /// A label to take away; may be repeated
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
}

impl Key {
    /// Runs the verb.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(verb) => verb.run(context).await,
            Self::List(verb) => verb.run(context).await,
            Self::Show(verb) => verb.run(context).await,
            Self::Rotate(verb) => verb.run(context).await,
            Self::Label(verb) => verb.run(context).await,
            Self::Owner(verb) => verb.run(context).await,
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let info = if self.store == FRAGMENTS {
            let new = self.into_key(&client)?;
            context.noting(&client, client.keys().create(&new)).await?
        } else {
            let new = self.into_hsm_key()?;
            context.noting(&client, client.keys().create_in_hsm(&new)).await?
        };
        context.output().answer(&Shown::newest(&info, &client.root()))
    }

    fn into_hsm_key(self) -> Result<NewHsmKey, Failure> {
        let algorithm = self.algorithm.unwrap_or(KeyAlgorithm::Aes256);
        let fits = self.purpose.is_none_or(|purpose| purpose == Purpose::Wrap && !algorithm.signs());
        if !fits || self.customer_fragment {
            let why = "a key in an HSM wraps (aes-256) or signs (the other algorithms), and has no customer fragment";
            return Err(Failure::new(Kind::Invalid, why));
        }
        let store = self.store.parse().map_err(|error| Failure::new(Kind::Invalid, error))?;
        Ok(NewHsmKey { key: self.key, store, algorithm, labels: self.label.into_iter().collect() })
    }

    fn into_key(self, client: &Client) -> Result<NewKey, Failure> {
        let members = match self.managers.as_slice() {
            [] => Members::Any(self.threshold.n),
            names => Members::These(indices(client, names)?),
        };
        let root = match (self.on, self.shared) {
            (Some(other), _) => RootOfKey::SharedWith(other),
            (None, true) => RootOfKey::NewShared,
            (None, false) => RootOfKey::Dedicated,
        };
        let Self { key, suite, purpose, customer_fragment, threshold: Shape { t, .. }, label, .. } = self;
        Ok(NewKey {
            key,
            suite,
            t,
            members,
            purpose: purpose.unwrap_or(Purpose::Data),
            customer_fragment,
            root,
            labels: label.into_iter().collect(),
        })
    }
}

/// The roster's numbers of these names.
fn indices(client: &Client, names: &[String]) -> Result<Vec<Index>, Failure> {
    let root = client.root();
    let index = |name: &String| {
        let member = root.document().roster.iter().find(|member| member.name == *name);
        let known: Vec<&str> = root.document().roster.iter().map(|member| member.name.as_str()).collect();
        let unknown = || Failure::new(Kind::NotFound, format!("there is no fragment manager {name}"));
        member
            .map(|member| member.index)
            .ok_or_else(|| unknown().next(format!("there are {}", known.join(", "))))
    };
    names.iter().map(index).collect()
}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let query = KeyQuery { below: self.below, label: self.label, ..KeyQuery::default() };
        let keys = context.noting(&client, client.keys().list(query)).await?;
        context.output().answer(&Listed(keys))
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let info = context.noting(&client, client.keys().show(&self.key)).await?;
        let shown = match self.version {
            None => Shown::all(&info, &client.root()),
            Some(version) => Shown::version(&info, version, &client.root()).ok_or_else(|| {
                Error::from(symbolon_client::error::NotFound::Version { key: self.key, version })
            })?,
        };
        context.output().answer(&shown)
    }
}

impl Rotate {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let info = context.noting(&client, client.keys().rotate(&self.key)).await?;
        context.output().answer(&Shown::newest(&info, &client.root()))
    }
}

impl Label {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client()?;
        let set = self.set.into_iter().map(|(name, value)| (name, Some(value)));
        let changes = set.chain(self.remove.into_iter().map(|name| (name, None))).collect();
        let key = context.noting(&client, client.keys().label(&self.key, changes)).await?;
        context.output().answer(&Listed(vec![key.summary]))
    }
}
