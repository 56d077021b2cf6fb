//! Taking the port that a role is to answer on.

use std::fmt::Display;
use std::io;

use tokio::net::{TcpListener, ToSocketAddrs};

/// Why a port couldn't be taken.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another process has it.
    #[error("{0} is in use by another process")]
    InUse(String),
    /// Ports below 1024 need a privilege.
    #[error("this user may not listen on {0}")]
    NotAllowed(String),
    /// The address isn't one of this machine, or the system refused for another reason.
    #[error("can't listen on {address}")]
    Refused {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

/// Listens on `address`.
pub async fn bind(address: impl ToSocketAddrs + Display) -> Result<TcpListener, PortError> {
    let named = address.to_string();
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => PortError::InUse(named),
        io::ErrorKind::PermissionDenied => PortError::NotAllowed(named),
        _ => PortError::Refused { address: named, error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_told_from_other_refusals() {
        let first = bind("127.0.0.1:0").await.unwrap();
        let taken = first.local_addr().unwrap();
        assert!(matches!(bind(taken).await, Err(PortError::InUse(address)) if address == taken.to_string()));
        assert!(matches!(bind("192.0.2.1:9").await, Err(PortError::Refused { .. })));
    }
}
