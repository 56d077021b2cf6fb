//! What the network may try: weaker cryptography, keys that nobody listed, requests that are too large or too slow.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use hyper::Method;
use symbolon_channel::{http, tls};
use symbolon_client::owner::Office;
use symbolon_e2e::{Connection, Deployment, PATIENCE, Party, Process, Site, run};
use symbolon_protocol::api::{Problem, ProblemType, path};
use symbolon_protocol::wire::MAX_FRAME;

/// Its servers wait for a request as short as they can, so that a test needn't wait long.
static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(|| {
    let site = Site::prepare();
    for (name, after) in
        [("access-manager", "permit-key = \"permit.key\""), ("gateway", "callers = \"callers.toml\"")]
    {
        site.reconfigure(name, after, &format!("{after}\n[limits]\nrequest-secs = 1"));
    }
    site.start()
});

static GATEWAY: LazyLock<Process> = LazyLock::new(|| DEPLOYMENT.gateway());

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
    let said = openssl(GATEWAY.address(), &["-tls1_3", "-groups", "X25519"]);
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

/// A connection of the first person to the access manager.
fn to_access_manager() -> Connection {
    let party = Party::new(&DEPLOYMENT.identity_of_person());
    let key = DEPLOYMENT.account().access_manager().key;
    party.connection(DEPLOYMENT.access_manager.address(), &key, tls::ALPN_HTTP)
}

/// A connection of the first person to a fragment manager.
fn to_manager() -> Connection {
    let party = Party::new(&DEPLOYMENT.identity_of_person());
    let key = DEPLOYMENT.account().manager(0);
    party.connection(DEPLOYMENT.manager_address(0), &key, tls::ALPN_FRAMES)
}

#[test]
fn an_oversized_request_is_refused_and_the_server_goes_on() {
    let (deployment, account) = (&*DEPLOYMENT, DEPLOYMENT.account());
    let owner = Party::new(&deployment.owner_key(Office::Deny));
    let deny = path::of_account(path::DENY, &account.path_id());
    let large = format!("{{\"document\": \"{}\"}}", "A".repeat(3 << 20));
    let request = http::Request::new(Method::PUT, deny).with_json(large.into_bytes());
    let refused = owner.rest(&account.access_manager(), request).unwrap();
    let problem: Problem = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(problem.kind, ProblemType::TooLarge, "{problem:?}");

    let mut manager = to_manager();
    let announced = u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes();
    manager.write(&announced);
    assert_eq!(manager.rest(), b"", "nothing of it is waited for");
    deployment.cli().run(&["status"]).succeeds();
}

#[test]
fn a_slow_request_is_cut_off_and_the_server_goes_on() {
    let deployment = &*DEPLOYMENT;
    let deny = path::of_account(path::DENY, &deployment.account().path_id());
    let mut body = to_access_manager();
    let head = "host: a\r\ncontent-type: application/json\r\ncontent-length: 100";
    body.write(format!("PUT {deny} HTTP/1.1\r\n{head}\r\n\r\n{{").as_bytes());
    let mut head = to_access_manager();
    head.write(b"GET /healthz HTTP/1.1\r\nhost");
    let mut frame = to_manager();
    frame.write(&[0, 0, 1, 0, 0x82]);
    // All three wait while others are served.
    deployment.cli().run(&["status"]).succeeds();
    let said = String::from_utf8(body.first()).unwrap();
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("urn:symbolon:problem:too-slow"), "{said}");
    let said = String::from_utf8(head.rest()).unwrap();
    assert!(!said.contains("200 OK"), "{said}");
    assert_eq!(frame.rest(), b"", "half a frame is no request");
}

#[test]
fn a_slow_program_does_not_hold_the_gateway() {
    let home = DEPLOYMENT.site().home("gateway");
    let token = std::fs::read_to_string(home.join("token")).unwrap();
    let head = format!(
        "POST /v1/encrypt HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let mut program = Command::new("python3");
    program.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/slow.py"));
    program.arg(GATEWAY.address().port().to_string()).arg(home.join("tls.pem")).arg(head);
    let said = run(&mut program, b"").text();
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("urn:symbolon:problem:too-slow"), "{said}");
}
