//! A host, and plugins in it.

use symbolon_guests::{Guest, MANIFEST, bundle, policy};
use symbolon_plugin::{
    CallError, KeyRef, Keystore, Plugin, PluginError, PluginHost, Policy, Refusal, Settings, SignInput,
    Tenant, Verdict,
};

/// A host with room for a few plugins.
pub fn host() -> PluginHost {
    PluginHost::new(Settings { instances: 24, memory_mib: 8, ..Settings::default() }).unwrap()
}

pub async fn load(host: &PluginHost, guest: &Guest) -> Plugin {
    host.load(&guest.bundle(), &policy()).await.unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Why a guest is not loaded.
pub async fn refused(guest: &Guest) -> Refusal {
    refused_with(MANIFEST, guest.component(), &policy()).await
}

pub async fn refused_with(manifest: &str, component: Vec<u8>, policy: &Policy) -> Refusal {
    match host().load(&bundle(manifest, component), policy).await {
        Ok(_) => panic!("the plugin was loaded"),
        Err(refusal) => refusal,
    }
}

pub fn tenant(name: &str) -> Tenant {
    Tenant::new(name).unwrap()
}

pub fn keystore(plugin: &Plugin) -> Keystore {
    plugin.keystore(&tenant("acme"))
}

/// Signs with some key: the call that hostile guests misbehave in.
pub async fn sign(store: &Keystore, message: &[u8]) -> Result<Vec<u8>, CallError> {
    let key = KeyRef { id: &[1; 16], binding: b"binding" };
    store.sign(key, "echo", SignInput::Message(message)).await
}

/// The plugin's own error.
pub fn said<R: std::fmt::Debug>(outcome: Result<R, CallError>) -> PluginError {
    match outcome {
        Err(CallError::Plugin(error)) => error,
        other => panic!("no error of the plugin but {other:?}"),
    }
}

/// The host's verdict on a call.
pub fn verdict<R: std::fmt::Debug>(outcome: Result<R, CallError>) -> Verdict {
    match outcome {
        Err(CallError::Host(verdict)) => verdict,
        other => panic!("no verdict but {other:?}"),
    }
}
