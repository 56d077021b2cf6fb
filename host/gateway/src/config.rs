//! What an operator says about a gateway: one TOML file. Reading the file and naming it in errors is the binary's work.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use symbolon_client::chain::LONGEST_LEASE;

/// The gateway's configuration. An unknown key is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// `host:port` that programs call.
    pub listen: String,
    /// The accounts that it serves; they share nothing but the port.
    #[serde(rename = "account")]
    pub accounts: Vec<Account>,
    /// The certificate that callers see.
    pub tls: Tls,
    /// Bounds on what a caller can take; the defaults suit small messages.
    #[serde(default)]
    pub limits: Limits,
}

/// One account's side of a gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// The gateway's own client profile: account, access manager, holder's key, customer fragments.
    pub profile: PathBuf,
    /// Who may call, and with the rights of this account only: see [`crate::callers`].
    pub callers: PathBuf,
}

/// A PEM certificate chain and its PEM private key (PKCS#8), as any web server has.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tls {
    /// The chain, the gateway's own certificate first.
    pub certificate: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

/// Bounds on bodies, time and connections.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Limits {
    /// Longest request body in bytes. Base64 makes a message a third longer; large files belong to a client.
    pub body_bytes: usize,
    /// Seconds that a TLS handshake, a request's head, or a whole request may take.
    pub request_secs: u64,
    /// Connections at a time; a further one waits to be accepted.
    pub connections: usize,
    /// Seconds that an unwrapped key of a key chain is kept at most: how long a gateway that is cut off from everybody
    /// else can still open data keys after the owner switched the chain off. 60 at most, as a permit lasts.
    pub lease_secs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1 << 20, request_secs: 30, connections: 1024, lease_secs: LONGEST_LEASE.as_secs() }
    }
}

impl Limits {
    pub(crate) fn lease(self) -> Duration {
        Duration::from_secs(self.lease_secs)
    }

    pub(crate) fn request_time(self) -> Duration {
        Duration::from_secs(self.request_secs)
    }
}

impl Config {
    /// Makes relative paths relative to `base`, the directory of the configuration file.
    pub fn resolve(&mut self, base: &Path) {
        let accounts =
            self.accounts.iter_mut().flat_map(|account| [&mut account.profile, &mut account.callers]);
        for path in accounts.chain([&mut self.tls.certificate, &mut self.tls.key]) {
            *path = base.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        listen = "127.0.0.1:8443"
        tls = { certificate = "tls.pem", key = "tls.key" }
        [[account]]
        profile = "profile.toml"
        callers = "/etc/symbolon/callers.toml"
    "#;

    #[test]
    fn relative_paths_start_at_the_file_and_limits_have_defaults() {
        let mut config: Config = toml::from_str(FILE).unwrap();
        config.resolve(Path::new("/srv/gateway"));
        assert_eq!(config.accounts[0].profile, Path::new("/srv/gateway/profile.toml"));
        assert_eq!(config.accounts[0].callers, Path::new("/etc/symbolon/callers.toml"));
        assert_eq!(config.limits.body_bytes, 1 << 20);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = toml::from_str::<Config>(&format!("{FILE}\n[limits]\nbody-byte = 1")).unwrap_err();
        assert!(error.message().contains("unknown field `body-byte`"), "{error}");
    }
}
