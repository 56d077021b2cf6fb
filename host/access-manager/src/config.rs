//! What an operator says about an access manager: one TOML file. Reading the file is the binary's work.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The access manager's configuration. An unknown key is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Address and port for holders, managers and owners: mutual TLS, hybrid key exchange only.
    pub listen: SocketAddr,
    /// A second port with a certificate of the operator's own, which accepts classical key exchange too.
    pub public: Option<Public>,
    /// The datastore's file.
    pub datastore: PathBuf,
    /// Directory of the accounts that are served: `NAME.root` has an account's signed root document, `NAME.cedar`,
    /// where there is one, the operator's policy for it, and `*.grant` signed grants to begin with.
    pub accounts: PathBuf,
    /// The operator's policy for accounts without one of their own; everything that is granted where it is absent.
    pub policy: Option<PathBuf>,
    /// File of the identity key, with which it answers TLS connections.
    pub identity: PathBuf,
    /// File of the permit key, which the role `permit` of each account's root document names.
    pub permit_key: PathBuf,
    /// Where fragment managers are reached from here, in the place of the roster's addresses: `sympub1… = "host:port"`.
    #[serde(default)]
    pub addresses: BTreeMap<String, String>,
    /// Bounds on what callers can take.
    #[serde(default)]
    pub limits: Limits,
}

/// The public port.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Public {
    /// Address and port.
    pub listen: SocketAddr,
    /// PEM certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// PEM private key of that certificate (PKCS#8).
    pub key: PathBuf,
}

/// Bounds, a holder and in all. The defaults suit a few hundred busy holders.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a second and holder, on average.
    pub requests_per_sec: u32,
    /// Requests that a holder may make at once, after a pause.
    pub burst: u32,
    /// Open tunnels a holder.
    pub tunnels: u32,
    /// Open jobs for HSMs a holder.
    pub jobs: u32,
    /// Open jobs for HSMs a key store.
    pub jobs_in_store: u32,
    /// Connections in all.
    pub connections: usize,
    /// Seconds within which the head of a request, and then its body, has to arrive.
    pub request_secs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_sec: 200,
            burst: 1000,
            tunnels: 256,
            jobs: 256,
            jobs_in_store: 4096,
            connections: 4096,
            request_secs: 30,
        }
    }
}

impl Config {
    /// Makes relative paths relative to `base`, the directory of the configuration file.
    pub fn resolve(&mut self, base: &Path) {
        let own = [&mut self.datastore, &mut self.accounts, &mut self.identity, &mut self.permit_key];
        let public = self.public.iter_mut().flat_map(|public| [&mut public.certificate, &mut public.key]);
        for path in own.into_iter().chain(self.policy.iter_mut()).chain(public) {
            *path = base.join(&*path);
        }
    }
}
