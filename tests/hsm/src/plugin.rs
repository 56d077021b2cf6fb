//! The plugin `hsm-pkcs11` on a test token, as an operator would give it.

use std::fs;
use std::path::PathBuf;

use symbolon_pkcs11::{Program, TokenSettings};
use symbolon_plugin::{Bundle, Keystore, Plugin, PluginHost, Policy, Settings, Tenant};
use wit_component::ComponentEncoder;

use crate::in_build_folder;

/// The manifest that the plugin comes with.
pub const MANIFEST: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/hsm-pkcs11/plugin.toml"));

const MODULE: &str = "symbolon_hsm_pkcs11.wasm";

/// The plugin's file, unsigned.
///
/// # Panics
/// `cargo xtask plugins` has not run, or what it made is no component's module.
pub fn bundle() -> Bundle {
    let module = fs::read(module()).expect("the plugin's module");
    let mut encoder =
        ComponentEncoder::default().validate(true).module(&module).expect("a component's module");
    Bundle::new(MANIFEST.to_owned(), encoder.encode().expect("a component"))
}

/// In `$SYMBOLON_PLUGINS`, or where `cargo xtask plugins` puts it.
fn module() -> PathBuf {
    let candidates = match std::env::var_os("SYMBOLON_PLUGINS") {
        Some(folder) => vec![PathBuf::from(folder).join(MODULE)],
        None => in_build_folder(&format!("plugins/wasm32-unknown-unknown/release/{MODULE}")),
    };
    let found = candidates.iter().find(|path| path.is_file());
    found
        .unwrap_or_else(|| panic!("the plugin is in none of {candidates:?}; run: cargo xtask plugins"))
        .clone()
}

/// What an operator's file says, with one token and these settings of the plugin (TOML).
///
/// # Panics
/// The settings are no TOML.
pub fn policy(token: TokenSettings, settings: &str) -> Policy {
    let text = format!(
        "signature = 'i-accept-unsigned-plugins'\n[grants]\nentropy = true\n[grants.config]\n{settings}\n[limits]\ndeadline-ms = 60000\n"
    );
    let mut policy: Policy = toml::from_str(&text).expect("an operator's file");
    policy.grants.pkcs11.insert("main".to_owned(), token);
    policy
}

/// A host with the plugin loaded.
pub struct Hosted {
    plugin: Plugin,
    _host: PluginHost,
}

impl Hosted {
    /// Loads the plugin.
    ///
    /// # Panics
    /// It is refused.
    pub async fn new(broker: Program, token: TokenSettings, settings: &str) -> Self {
        let host = PluginHost::new(Settings { instances: 16, broker: Some(broker), ..Settings::default() });
        let host = host.expect("a host");
        let plugin = host.load(&bundle(), &policy(token, settings)).await.expect("the plugin is taken");
        Self { plugin, _host: host }
    }

    /// The key store of one account.
    ///
    /// # Panics
    /// The name is no tenant's.
    pub fn keystore(&self, tenant: &str) -> Keystore {
        self.plugin.keystore(&Tenant::new(tenant).expect("a tenant's name"))
    }
}
