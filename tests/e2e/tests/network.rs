//! What the network may try: weaker cryptography, keys that nobody listed, requests that are too large or too slow.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::LazyLock;

use symbolon_e2e::{Deployment, PATIENCE, run};

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(Deployment::start);

/// What `openssl s_client` says of a server; Debian's OpenSSL 3.0 knows no hybrid group.
fn openssl(address: SocketAddr, arguments: &[&str]) -> String {
    let address = address.to_string();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address]).args(arguments);
    let finished = run(&mut command, b"");
    String::from_utf8_lossy(&finished.stdout).into_owned() + &finished.stderr
}

#[test]
fn a_classical_only_peer_is_refused() {
    let deployment = &*DEPLOYMENT;
    for address in [deployment.access_manager.address(), deployment.manager_address(0)] {
        let said = openssl(address, &["-tls1_3", "-groups", "X25519:P-256"]);
        assert!(said.contains("handshake failure"), "{address}: {said}");
        let said = openssl(address, &["-tls1_2"]);
        assert!(said.contains("alert protocol version"), "{address}: {said}");
    }
}

#[test]
fn the_gateway_accepts_a_classical_program() {
    let gateway = DEPLOYMENT.gateway();
    let said = openssl(gateway.address(), &["-tls1_3", "-groups", "X25519"]);
    assert!(said.contains("Server Temp Key: X25519"), "{said}");
}

#[test]
fn bytes_that_are_no_tls_end_the_connection_and_nothing_else() {
    let deployment = &*DEPLOYMENT;
    for address in [deployment.access_manager.address(), deployment.manager_address(0)] {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(&[0x47; 4096]).unwrap();
        let mut answer = Vec::new();
        // An alert, or a reset: either way an end.
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.len() < 64, "{answer:?}");
    }
    deployment.cli().run(&["status"]).succeeds();
}

#[test]
fn a_peer_that_connects_and_says_nothing_is_dropped() {
    let deployment = &*DEPLOYMENT;
    let sockets: Vec<_> = [deployment.access_manager.address(), deployment.manager_address(0)]
        .map(|address| TcpStream::connect(address).unwrap())
        .into();
    for mut socket in sockets {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut byte = [0];
        assert_eq!(socket.read(&mut byte).unwrap(), 0, "the server closes within its handshake time");
    }
}
