//! Free ports of the loopback.

use std::net::{Ipv4Addr, TcpListener};

/// A port that was free a moment ago. Configuration files and the roster need the number before the role binds it.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
