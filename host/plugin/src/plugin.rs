//! A loaded plugin: its calls, each in an instance of its own or of its tenant's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant as Time};

use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use wasmtime::component::InstancePre;

use crate::bundle::Digests;
use crate::capability::log::line;
use crate::grants::Granted;
use crate::guest::{Call, Guest, Identity};
use crate::host::Room;
use crate::instance::{Fault, Indices, Instance};
use crate::keystore::Keystore;
use crate::limits::Limits;
use crate::manifest::{Lifetime, Manifest};
use crate::tally::{Counters, Tally};
use crate::tenant::Tenant;
use crate::verdict::{Bounds, CallError, Slice, Verdict};
use crate::warm::{Generation, Warm};

/// The longest that a warm instance lives.
const MAX_AGE: Duration = Duration::from_mins(10);

/// A loaded plugin. Clones are the same plugin.
#[derive(Clone)]
pub struct Plugin(Arc<Loaded>);

struct Loaded {
    identity: Arc<Identity>,
    digests: Digests,
    granted: Arc<Granted>,
    limits: Arc<Limits>,
    lifetime: Lifetime,
    offers: BTreeSet<Slice>,
    pre: InstancePre<Guest>,
    indices: Arc<Indices>,
    /// Calls that may run now.
    turns: Semaphore,
    warm: Warm,
    counters: Counters,
    room: Room,
}

/// What a plugin is put together from.
pub struct Parts {
    pub manifest: Manifest,
    pub granted: Granted,
    pub limits: Limits,
    pub offers: BTreeSet<Slice>,
    pub pre: InstancePre<Guest>,
    pub room: Room,
    pub digests: Digests,
}

/// Whose call it is, and in what instance.
pub struct Caller<'c> {
    pub tenant: &'c Tenant,
    pub request: &'c Arc<str>,
    /// An instance that nobody has used, and nobody will use again.
    pub fresh: bool,
}

impl Plugin {
    pub(crate) fn new(parts: Parts) -> wasmtime::Result<Self> {
        let indices = Arc::new(Indices::of(&parts.pre)?);
        let about = parts.manifest.plugin;
        let instances = parts.limits.instances as usize;
        Ok(Self(Arc::new(Loaded {
            identity: Arc::new(Identity { id: about.id, version: about.version }),
            digests: parts.digests,
            granted: Arc::new(parts.granted),
            limits: Arc::new(parts.limits),
            lifetime: parts.manifest.instance,
            offers: parts.offers,
            pre: parts.pre,
            indices,
            turns: Semaphore::new(instances),
            warm: Warm::new(instances),
            counters: Counters::default(),
            room: parts.room,
        })))
    }

    /// The manifest's id.
    pub fn id(&self) -> &str {
        &self.0.identity.id
    }

    /// The manifest's version.
    pub fn version(&self) -> &str {
        &self.0.identity.version
    }

    /// Of the file that it was loaded from.
    pub fn digests(&self) -> &Digests {
        &self.0.digests
    }

    /// The slices that it exports.
    pub fn offers(&self) -> &BTreeSet<Slice> {
        &self.0.offers
    }

    /// The limits that hold for its calls.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How its calls ended so far.
    pub fn tally(&self) -> Tally {
        self.0.counters.tally()
    }

    /// The plugin as a key store of this tenant.
    pub fn keystore(&self, tenant: &Tenant) -> Keystore {
        Keystore::new(self.clone(), tenant.clone())
    }

    /// Ends the tenant's instances and whatever they keep in mind: idle ones now, others when their call ends.
    pub fn forget(&self, tenant: &Tenant) {
        self.0.warm.forget(tenant);
    }

    /// Runs `work` on an instance, within the limits. An instance that didn't come back in order is not used again.
    pub(crate) async fn call<R, F>(
        &self,
        caller: Caller<'_>,
        work: impl FnOnce(Box<Instance>) -> F,
    ) -> Result<R, CallError>
    where
        F: Future<Output = (Result<R, Fault>, Box<Instance>)>,
    {
        let request = caller.request;
        let outcome = self.0.run(&caller, work).await;
        self.0.counters.call(&outcome);
        if let Err(CallError::Host(verdict)) = &outcome {
            let (plugin, version) = (self.id(), self.version());
            tracing::warn!(target: "symbolon::plugin", plugin, version, %request, %verdict, "call ended by the host");
        }
        outcome
    }
}

impl Loaded {
    async fn run<R, F>(
        &self,
        caller: &Caller<'_>,
        work: impl FnOnce(Box<Instance>) -> F,
    ) -> Result<R, CallError>
    where
        F: Future<Output = (Result<R, Fault>, Box<Instance>)>,
    {
        let now = Time::now();
        let deadline = now + self.limits.deadline;
        // Who waited for half of the time would be out of time with little done.
        let patience = now + self.limits.deadline / 2;
        let Ok(Ok(_turn)) = timeout_at(patience.into(), self.turns.acquire()).await else {
            return Err(Verdict::Busy.into());
        };
        let _running = self.room.shared().ticker.begin();
        let began = self.warm.generation();
        let whole = async {
            let instance = self.instance(caller, deadline).await?;
            Ok::<_, wasmtime::Error>(work(instance).await)
        };
        match timeout_at(deadline.into(), whole).await {
            Err(_) => Err(Verdict::OutOfTime.into()),
            Ok(Err(error)) => Err(self.judge(&error).into()),
            Ok(Ok((result, instance))) => self.conclude(caller, began, instance, result),
        }
    }

    async fn instance(&self, caller: &Caller<'_>, deadline: Time) -> wasmtime::Result<Box<Instance>> {
        let call = Call::begin(Arc::clone(caller.request), deadline, &self.limits);
        let idle = if caller.fresh { None } else { self.warm.take(caller.tenant) };
        if let Some(mut instance) = idle {
            instance.begin(call);
            return Ok(instance);
        }
        self.counters.instance();
        let (identity, tenant) = (Arc::clone(&self.identity), caller.tenant.clone());
        let guest = Guest::new(identity, tenant, Arc::clone(&self.granted), Arc::clone(&self.limits), call);
        Instance::start(&self.room.shared().engine, &self.pre, &self.indices, guest).await
    }

    fn conclude<R>(
        &self,
        caller: &Caller<'_>,
        began: Generation,
        instance: Box<Instance>,
        result: Result<R, Fault>,
    ) -> Result<R, CallError> {
        if let lines @ 1.. = instance.dropped_lines() {
            tracing::warn!(target: "symbolon::plugin", plugin = self.identity.id, lines, "lines of the log were dropped");
        }
        match result {
            Err(Fault::Host(error)) => Err(self.judge(&error).into()),
            Err(Fault::Plugin(error)) => {
                self.keep(caller, began, instance);
                Err(CallError::Plugin(error.into()))
            }
            Ok(value) => {
                self.keep(caller, began, instance);
                Ok(value)
            }
        }
    }

    fn keep(&self, caller: &Caller<'_>, began: Generation, instance: Box<Instance>) {
        if self.lifetime.warm && !caller.fresh && !instance.worn(self.lifetime.max_calls, MAX_AGE) {
            self.warm.put(instance, began);
        }
    }

    fn judge(&self, error: &wasmtime::Error) -> Verdict {
        // With the guest's backtrace, which no caller gets to see.
        tracing::debug!(target: "symbolon::plugin", plugin = self.identity.id, trace = %line(&format!("{error:?}"), 4096));
        Verdict::of(error, Bounds { output: self.limits.output, handles: self.limits.handles })
    }
}
