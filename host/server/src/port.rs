//! Taking the port that a role is to answer on.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Why a port couldn't be taken.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another process has it.
    #[error("port {} of {} is in use", .0.port(), .0.ip())]
    InUse(SocketAddr),
    /// Ports below 1024 need a privilege.
    #[error("this user may not take port {} of {}", .0.port(), .0.ip())]
    NotAllowed(SocketAddr),
    /// The address isn't one of this machine, or the system refused for another reason.
    #[error("can't listen on {address}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

/// Listens on `address`.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, PortError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => PortError::InUse(address),
        io::ErrorKind::PermissionDenied => PortError::NotAllowed(address),
        _ => PortError::Refused { address, error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_told_from_other_refusals() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let taken = first.local_addr().unwrap();
        assert!(matches!(bind(taken).await, Err(PortError::InUse(address)) if address == taken));
        let elsewhere = bind("192.0.2.1:9".parse().unwrap()).await;
        assert!(matches!(elsewhere, Err(PortError::Refused { .. })));
    }
}
