//! The folder of a deployment on loopback: which files it has, and the configuration of each role in it.
//!
//! The files are those of a deployment on machines of their own; only the addresses and the sealing key's place show
//! that all of it is on one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::fleet::Role;

/// The fragment managers, in the order of their roster indices.
pub const MANAGERS: [&str; 3] = ["kfm-1", "kfm-2", "kfm-3"];
/// The access manager.
pub const ACCESS_MANAGER: &str = "access-manager";
/// The gateway.
pub const GATEWAY: &str = "gateway";

/// Ports are taken from here: below those that the system gives to outgoing connections.
const FIRST_PORT: u16 = 20_000;
/// How many.
const PORTS: u16 = 12_000;

/// A deployment's folder.
#[derive(Clone, Debug)]
pub struct Layout(PathBuf);

/// The address of each role.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The fragment managers', in order.
    pub managers: [SocketAddr; MANAGERS.len()],
    /// The access manager's.
    pub access_manager: SocketAddr,
    /// The gateway's.
    pub gateway: SocketAddr,
}

impl Layout {
    /// The deployment in `folder`, there or not.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Whether a deployment was laid out here to the end: the profile is written last.
    pub fn is_complete(&self) -> bool {
        self.profile().is_file()
    }

    /// A role's own folder.
    pub fn home(&self, role: &str) -> PathBuf {
        self.0.join(role)
    }

    /// A role's configuration.
    pub fn config(&self, role: &str) -> PathBuf {
        self.home(role).join("config.toml")
    }

    /// The folder from which a role learns which accounts it serves.
    pub fn accounts(&self, role: &str) -> PathBuf {
        self.home(role).join("accounts")
    }

    /// The owner's place, which would be off the servers.
    pub fn owner(&self) -> PathBuf {
        self.home("owner")
    }

    /// The passphrase of the owner's root: in a file, since nothing here is worth guarding yet.
    pub fn owner_passphrase(&self) -> PathBuf {
        self.owner().join("passphrase")
    }

    /// The profile of the person who tries it out.
    pub fn profile(&self) -> PathBuf {
        self.0.join("profile.toml")
    }

    /// What starts each role, in the order in which people think of them.
    pub fn roles(&self) -> Vec<Role> {
        let managers = MANAGERS.map(|name| (name, "fragment-manager"));
        let others = [(ACCESS_MANAGER, "access-manager"), (GATEWAY, "gateway")];
        managers.into_iter().chain(others).map(|(name, noun)| self.role(name, noun)).collect()
    }

    fn role(&self, name: &'static str, noun: &'static str) -> Role {
        Role { name, noun, config: self.config(name), log: self.home(name).join("log") }
    }

    /// Makes the folders and writes all configuration files.
    pub fn write(&self, addresses: &Addresses) -> io::Result<()> {
        for (manager, address) in MANAGERS.iter().zip(addresses.managers) {
            self.write_config(manager, &fragment_manager(address))?;
        }
        self.write_config(ACCESS_MANAGER, &access_manager(addresses.access_manager))?;
        self.write_config(GATEWAY, &gateway(addresses.gateway))
    }

    fn write_config(&self, role: &str, text: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.accounts(role))?;
        std::fs::write(self.config(role), text)
    }
}

fn fragment_manager(listen: SocketAddr) -> String {
    format!(
        "\
# A fragment manager. Relative paths start at this file's folder.
listen = \"{listen}\"
accounts = \"accounts\"
datastore = \"fragments.db\"
identity = \"identity.key\"
# The fragments are sealed under a key in this file. On a server, put it on another medium than the datastore,
# or under a passphrase:  sealing = {{ passphrase = \"sealing.key\" }}
sealing = {{ file = \"sealing.key\" }}
"
    )
}

fn access_manager(listen: SocketAddr) -> String {
    format!(
        "\
# The access manager. Relative paths start at this file's folder.
listen = \"{listen}\"
accounts = \"accounts\"
datastore = \"access.db\"
identity = \"identity.key\"
permit-key = \"permit.key\"
"
    )
}

fn gateway(listen: SocketAddr) -> String {
    format!(
        "\
# The gateway. Relative paths start at this file's folder.
listen = \"{listen}\"

[tls]
certificate = \"tls.pem\"
key = \"tls.key\"

[[account]]
profile = \"profile.toml\"
callers = \"callers.toml\"
"
    )
}

impl Addresses {
    /// Free ones on loopback. They are kept in the configuration files, so that a restart finds them.
    pub fn free() -> io::Result<Self> {
        let mut free = free_ports()?;
        let mut next = || free.next().ok_or_else(|| io::Error::from(io::ErrorKind::AddrInUse));
        Ok(Self { managers: [next()?, next()?, next()?], access_manager: next()?, gateway: next()? })
    }
}

/// Ports that nobody listens on now, from a random one on, so that two deployments made at the same time don't meet.
fn free_ports() -> io::Result<impl Iterator<Item = SocketAddr>> {
    let start = u16::try_from(getrandom::u32()? % u32::from(PORTS)).unwrap_or(0);
    let ports = (0..PORTS).map(move |step| FIRST_PORT + (start + step) % PORTS);
    Ok(ports
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .filter(|address| TcpListener::bind(address).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_differ_and_are_free() {
        let Addresses { managers: [one, two, three], access_manager, gateway } = Addresses::free().unwrap();
        let all = std::collections::BTreeSet::from([one, two, three, access_manager, gateway]);
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|address| TcpListener::bind(address).is_ok()));
    }
}
