//! The role's configuration file.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use symbolon_plugin::Policy;
use symbolon_store::Sealing;
use symbolon_trust::StoreLabel;

/// Configuration of one driver. Relative paths count from the file's own directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The account's first root document.
    pub account: PathBuf,
    /// The label of the key store that it serves.
    #[serde(deserialize_with = "label")]
    pub store: StoreLabel,
    /// `host:port` of the access manager, where it isn't the one of the root document.
    pub access_manager: Option<String>,
    /// The identity key, sealed.
    pub identity: PathBuf,
    /// The key that jobs are sealed to, sealed.
    pub job_key: PathBuf,
    /// What secrets at rest are sealed under.
    pub sealing: Sealing,
    /// The datastore's file: the owner's documents, and the answers that were given.
    pub datastore: PathBuf,
    /// Jobs at a time; about as many as the HSM has processors.
    #[serde(default = "four")]
    pub jobs: u32,
    /// The provider.
    pub plugin: PluginConfig,
}

/// The provider's plugin, and what it is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// Its file.
    pub file: PathBuf,
    /// Whose plugins may run, what it is given, what it may use.
    pub policy: Policy,
}

impl Config {
    /// Makes relative paths start from a directory.
    pub fn resolve(&mut self, base: &Path) {
        self.sealing.resolve(base);
        let own = [&mut self.account, &mut self.identity, &mut self.job_key, &mut self.datastore];
        let tokens = self.plugin.policy.grants.pkcs11.values_mut();
        let tokens = tokens.flat_map(|token| [&mut token.module, &mut token.pin_file]);
        for path in own.into_iter().chain([&mut self.plugin.file]).chain(tokens) {
            *path = base.join(&path);
        }
    }
}

fn label<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<StoreLabel, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn four() -> u32 {
    4
}
