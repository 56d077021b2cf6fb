//! `symbolon plugin`: make a plugin's file, sign it, look into it, and check it as a host would.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_plugin::{
    Bundle, CallError, Manifest, Plugin, PluginHost, Policy, Refusal, Settings, Tenant, reason,
};
use wit_component::ComponentEncoder;

use super::{Context, Failure, Kind, role};
use crate::identity;

/// `symbolon plugin …`
#[derive(Debug, Subcommand)]
pub enum PluginVerb {
    /// Put a manifest and a component into one file
    Pack(Pack),
    /// Print the public half of the key that you sign plugins with; make the key if there is none
    Key(Key),
    /// Sign a plugin's file
    Sign(Sign),
    /// Show what a plugin's file says about itself; nothing of it is proven
    Inspect(Inspect),
    /// Check a plugin's file against an operator's file, as a host does before it runs it
    Check(Check),
}

impl PluginVerb {
    /// Runs the command.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Pack(verb) => verb.run(context),
            Self::Key(verb) => verb.run(context),
            Self::Sign(verb) => verb.run(context),
            Self::Inspect(verb) => verb.run(context),
            Self::Check(verb) => verb.run(context),
        }
    }
}

/// `symbolon plugin pack`
#[derive(Debug, Args)]
pub struct Pack {
    /// The component, or the core module that a compiler made with wit-bindgen, which becomes one
    #[arg(value_name = "WASM")]
    component: PathBuf,
    /// Its manifest
    #[arg(long, value_name = "FILE", default_value = "plugin.toml")]
    manifest: PathBuf,
    /// The plugin's file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Pack {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let manifest = std::fs::read_to_string(&self.manifest)
            .map_err(|error| Failure::io(format_args!("reading {}", self.manifest.display()), &error))?;
        let read: Manifest = manifest.parse().map_err(Refusal::from)?;
        let component = std::fs::read(&self.component)
            .map_err(|error| Failure::io(format_args!("reading {}", self.component.display()), &error))?;
        write(&self.output, &Bundle::new(manifest, componentized(component)?))?;
        context.output().note(format_args!(
            "{} {} is in {}; sign it next: symbolon plugin sign",
            read.plugin.id,
            read.plugin.version,
            self.output.display()
        ));
        Ok(())
    }
}

/// A component; a core module is wrapped into one by the contract that wit-bindgen wrote into it.
fn componentized(wasm: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if !wasm.starts_with(b"\0asm\x01\0\0\0") {
        return Ok(wasm);
    }
    let encoder = ComponentEncoder::default().validate(true).module(&wasm);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| {
        Failure::new(Kind::Invalid, format!("the module doesn't become a component: {error:#}"))
    })
}

/// `symbolon plugin key`
#[derive(Debug, Args)]
pub struct Key {
    /// The key's file (mode 0600)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Key {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let key = identity::load_or_make(&self.file, None)?;
        context.output().answer(&Signer { signer: key.public().to_string() })
    }
}

#[derive(Serialize)]
struct Signer {
    signer: String,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signer)
    }
}

/// `symbolon plugin sign`
#[derive(Debug, Args)]
pub struct Sign {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Your key, as `symbolon plugin key` made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Sign {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let key = identity::load(&self.key, None)?;
        let mut bundle = read(&self.file)?;
        bundle.sign(&key);
        write(&self.file, &bundle)?;
        context.output().note(format_args!("signed by {}", key.public()));
        Ok(())
    }
}

/// `symbolon plugin inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Inspect {
    fn run(self, context: &Context) -> Result<(), Failure> {
        context.output().answer(&About::of(&read(&self.file)?)?)
    }
}

/// What a plugin's file says, for people and programs.
#[derive(Debug, Serialize)]
struct About {
    id: String,
    version: String,
    summary: String,
    license: String,
    world: String,
    component_bytes: usize,
    component: String,
    manifest: String,
    signers: Vec<String>,
    asks_for: Vec<String>,
}

impl About {
    fn of(bundle: &Bundle) -> Result<Self, Failure> {
        let manifest: Manifest = bundle.manifest().parse().map_err(Refusal::from)?;
        let digests = bundle.digests();
        Ok(Self {
            id: manifest.plugin.id,
            version: manifest.plugin.version,
            summary: manifest.plugin.summary,
            license: manifest.plugin.license,
            world: manifest.plugin.world.to_string(),
            component_bytes: bundle.component().len(),
            component: hex::encode(digests.component),
            manifest: hex::encode(digests.manifest),
            signers: bundle.signers().map(|key| key.to_string()).collect(),
            asks_for: manifest.grants.lines(),
        })
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plugin      {} {}  ({})", self.id, self.version, self.license)?;
        writeln!(f, "            {}", self.summary)?;
        writeln!(f, "world       {}", self.world)?;
        writeln!(f, "component   sha256 {}  ({} bytes)", self.component, self.component_bytes)?;
        writeln!(f, "manifest    sha256 {}", self.manifest)?;
        for signer in &self.signers {
            writeln!(f, "signed by   {signer}")?;
        }
        if self.signers.is_empty() {
            writeln!(f, "signed by   nobody")?;
        }
        let asked: &[String] = if self.asks_for.is_empty() { &["nothing".into()] } else { &self.asks_for };
        asked.iter().try_for_each(|wish| writeln!(f, "asks for    {wish}"))
    }
}

/// `symbolon plugin check`
#[derive(Debug, Args)]
pub struct Check {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the operator gives: signers, grants, limits
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Try it, too, with keys that are thrown away: whether it works, and whether its randomness is the host's
    #[arg(long)]
    probe: bool,
}

impl Check {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let text = std::fs::read_to_string(&self.policy)
            .map_err(|error| Failure::io(format_args!("reading {}", self.policy.display()), &error))?;
        let policy: Policy = toml::from_str(&text)
            .map_err(|error| Failure::new(Kind::Invalid, format!("{}: {error}", self.policy.display())))?;
        let bundle = read(&self.file)?;
        role::runtime(1)?.block_on(self.check(context, &bundle, &policy))
    }

    async fn check(&self, context: &Context, bundle: &Bundle, policy: &Policy) -> Result<(), Failure> {
        let host = PluginHost::new(Settings::default()).map_err(|error| Failure::new(Kind::Io, error))?;
        let plugin = host.load(bundle, policy).await?;
        if self.probe {
            probe(&plugin).await?;
        }
        context.output().answer(&Fine {
            id: plugin.id().into(),
            version: plugin.version().into(),
            offers: plugin.offers().iter().map(ToString::to_string).collect(),
            probed: self.probe,
        })
    }
}

async fn probe(plugin: &Plugin) -> Result<(), Failure> {
    let tenant = Tenant::new("probe").map_err(|error| Failure::new(Kind::Bug, error))?;
    let store = plugin.keystore(&tenant);
    let tried = async {
        store.check_config().await?;
        store.probe().await
    };
    tried.await.map_err(|error| {
        let next = match &error {
            CallError::Plugin(said) if said.reason == reason::MASTER_MISSING => {
                "the probe needs the token's master key; it is made by:  symbolon driver enrol --create-master-key"
            }
            CallError::Plugin(_) => "mend what it names in the operator's file or the token, and check again",
            CallError::Host(_) => "the plugin must not be used as it is",
        };
        Failure::new(Kind::Invalid, error).next(next)
    })
}

/// A plugin that may run.
#[derive(Debug, Serialize)]
struct Fine {
    id: String,
    version: String,
    offers: Vec<String>,
    probed: bool,
}

impl fmt::Display for Fine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probed = if self.probed { ", and passed the probe" } else { "" };
        writeln!(f, "{} {} may run here{probed}", self.id, self.version)?;
        self.offers.iter().try_for_each(|slice| writeln!(f, "  offers {slice}"))
    }
}

fn read(path: &Path) -> Result<Bundle, Failure> {
    Bundle::read(path)
        .map_err(|error| Failure::new(Kind::Invalid, error).next(format!("file: {}", path.display())))
}

fn write(path: &Path, bundle: &Bundle) -> Result<(), Failure> {
    let draft = path.with_extension("symplugin-draft");
    let written = std::fs::write(&draft, bundle.encode()).and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| Failure::io(format_args!("writing {}", path.display()), &error))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::Unsigned(_) => Kind::Integrity,
            Refusal::Wider(_) | Refusal::NotGranted { .. } => Kind::Denied,
            _ => Kind::Invalid,
        };
        let remedy = refusal.remedy();
        Self::new(kind, refusal).next(remedy)
    }
}
