//! The host: what all plugins share, and the way in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use symbolon_pkcs11::Program;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre};

use crate::admission::{Admitted, admit};
use crate::bundle::Bundle;
use crate::capability::{self, log::line};
use crate::engine::{Settings, StartError, engine};
use crate::grants::Granted;
use crate::guest::Guest;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::plugin::{Parts, Plugin};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::ticker::Ticker;

/// Runs plugins. One a process is enough: they share its pool, and nothing else.
pub struct PluginHost {
    shared: Arc<Shared>,
    broker: Program,
    settings: Settings,
}

/// What lives as long as any plugin does.
pub struct Shared {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    left: AtomicU32,
}

/// Instances that are set aside for one plugin.
pub struct Room {
    shared: Arc<Shared>,
    instances: u32,
}

impl PluginHost {
    /// Starts a host. Addresses are reserved here: in a process that locks its memory, start the host first.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        let engine = engine(&settings)?;
        let ticker = Ticker::start(&engine).map_err(StartError::new)?;
        let broker = match &settings.broker {
            Some(broker) => broker.clone(),
            None => Program::ourselves("pkcs11-broker").map_err(StartError::new)?,
        };
        let shared = Arc::new(Shared { engine, ticker, left: AtomicU32::new(settings.instances) });
        Ok(Self { shared, broker, settings })
    }

    /// Takes a plugin: signature, manifest, grants, structure, and only then the compiler.
    pub async fn load(&self, bundle: &Bundle, policy: &Policy) -> Result<Plugin, Refusal> {
        let authentic = bundle.authentic(policy)?;
        let manifest: Manifest = authentic.manifest().parse()?;
        let granted = Granted::between(&manifest.grants, &policy.grants, &self.broker)?;
        let limits = Limits::between(&manifest.limits, &policy.limits).within(&self.settings);
        let admitted = admit(authentic.component(), &manifest.plugin.world, &granted, &limits)?;
        let room = Room::take(&self.shared, limits.instances.saturating_mul(2))?;
        let pre = self.compile(&admitted, &granted).await?;
        let offers = admitted.into_offers();
        let plugin =
            Plugin::new(Parts { manifest, granted, limits, offers, pre, room, digests: bundle.digests() })
                .map_err(|error| unfit(&error))?;
        tracing::info!(target: "symbolon::plugin", plugin = plugin.id(), version = plugin.version(), "loaded");
        Ok(plugin)
    }

    async fn compile(
        &self,
        admitted: &Admitted<'_>,
        granted: &Granted,
    ) -> Result<InstancePre<Guest>, Refusal> {
        let (engine, bytes) = (self.shared.engine.clone(), admitted.component().to_vec());
        let compiled = tokio::task::spawn_blocking(move || Component::new(&engine, bytes)).await;
        let component = match compiled {
            Ok(component) => component.map_err(|error| unfit(&error))?,
            Err(_) => return Err(Refusal::Unfit("the compiler ended".into())),
        };
        let linker = capability::linker(&self.shared.engine, granted).map_err(|error| unfit(&error))?;
        linker.instantiate_pre(&component).map_err(|error| unfit(&error))
    }
}

fn unfit(error: &wasmtime::Error) -> Refusal {
    Refusal::Unfit(line(&format!("{error:#}"), 512))
}

impl Room {
    fn take(shared: &Arc<Shared>, instances: u32) -> Result<Self, Refusal> {
        let taken =
            shared.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(instances));
        match taken {
            Ok(_) => Ok(Self { shared: Arc::clone(shared), instances }),
            Err(left) => Err(Refusal::NoRoom { instances, left }),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.left.fetch_add(self.instances, Ordering::AcqRel);
    }
}
