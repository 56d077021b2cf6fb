//! The relay: who gets a tunnel, and when it is cut. What goes through it is the channel's tests' business.

mod harness;

use std::sync::Arc;

use harness::{
    Site, config, directory, pair,
    world::{World, document},
};
use symbolon_access_manager::{Config, Limits};
use symbolon_channel::{Identity, rustls::pki_types::ServerName, tls};
use symbolon_protocol::api::path;
use symbolon_trust::{KeyPair, Operation};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A manager of sorts: says back what it hears.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

/// Asks for a tunnel; the answer's first line with its body, and the tunnel.
async fn connect(site: &Site, key: &KeyPair, authority: &str) -> (String, TlsStream<TcpStream>) {
    let identity = Identity::new(key).unwrap();
    let config = tls::between_roles_client(&identity, &site.server().key, tls::ALPN_HTTP).unwrap();
    let tcp = TcpStream::connect(site.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap();
    let request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 8192];
    let read = stream.read(&mut answer).await.unwrap();
    (String::from_utf8_lossy(&answer[..read]).into_owned(), stream)
}

async fn speaks(tunnel: &mut TlsStream<TcpStream>) -> bool {
    let mut heard = [0; 5];
    tunnel.write_all(b"hello").await.is_ok()
        && tunnel.read_exact(&mut heard).await.is_ok()
        && heard == *b"hello"
}

async fn grant(site: &Site, world: &World, id: u64, holder: &KeyPair) {
    let grant = world.grant(id, 1, "*", holder, &[Operation::Decrypt]);
    site.client(holder).post(&world.path(path::GRANTS), &document(&grant)).await.done();
}

fn authority(world: &World, index: u16) -> String {
    path::relay_authority(&world.id(), index)
}

#[tokio::test]
async fn a_holder_with_a_grant_and_the_owner_get_tunnels() {
    let address = echo().await;
    let world = World::new("a", 10, [&address, "127.0.0.1:1", "127.0.0.1:1"]);
    let directory = directory(&[&world]);
    let second = std::collections::BTreeMap::from([(world.members[1].public().to_string(), address)]);
    let site = Site::start(&Config { addresses: second, ..config(directory.path()) }).await;
    grant(&site, &world, 1, &world.holder).await;
    for (key, index) in [(&world.holder, 1), (&world.owner, 1), (&world.holder, 2)] {
        let (answer, mut tunnel) = connect(&site, key, &authority(&world, index)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(speaks(&mut tunnel).await);
    }
}

#[tokio::test]
async fn everybody_else_gets_a_problem() {
    let [world, other] = [World::unreachable("a", 10), World::unreachable("b", 30)];
    let directory = directory(&[&world, &other]);
    let site = Site::start(&config(directory.path())).await;
    grant(&site, &world, 1, &world.holder).await;
    grant(&site, &other, 1, &other.holder).await;
    let cases = [
        (&pair(200), authority(&world, 1), 403, "denied"),
        (&other.holder, authority(&world, 1), 403, "denied"),
        (&other.owner, authority(&world, 1), 403, "denied"),
        (&world.members[1], authority(&world, 1), 403, "denied"),
        (&world.holder, authority(&world, 1), 502, "manager-unreachable"),
        (&world.holder, authority(&world, 9), 404, "not-found"),
        (&world.holder, "example.org:443".to_owned(), 400, "malformed"),
        (
            &world.holder,
            path::relay_authority(&symbolon_protocol::api::Id([0; 32]), 1),
            404,
            "unknown-account",
        ),
    ];
    for (key, authority, status, kind) in cases {
        let (answer, _) = connect(&site, key, &authority).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{authority}: {answer}");
        assert!(answer.contains(&format!("urn:symbolon:problem:{kind}")), "{authority}: {answer}");
    }
}

#[tokio::test]
async fn whatever_takes_a_holders_right_cuts_its_tunnels_and_no_others() {
    let address = echo().await;
    let world = World::new("a", 10, [&address, &address, &address]);
    let directory = directory(&[&world]);
    let site = Site::start(&config(directory.path())).await;
    for (id, holder) in [(1, &world.holder), (2, &world.other)] {
        grant(&site, &world, id, holder).await;
    }
    let (_, mut revoked) = connect(&site, &world.holder, &authority(&world, 1)).await;
    let (_, mut kept) = connect(&site, &world.other, &authority(&world, 2)).await;
    assert!(speaks(&mut revoked).await && speaks(&mut kept).await);
    let deny = world.deny(1, |deny| deny.deny_grant(1, 1));
    site.client(&world.owner).put(&world.path(path::DENY), &document(&deny)).await.done();
    assert!(!speaks(&mut revoked).await);
    assert!(speaks(&mut kept).await);
    let (answer, _) = connect(&site, &world.holder, &authority(&world, 1)).await;
    assert!(answer.contains("urn:symbolon:problem:revoked"), "{answer}");

    let deny = world.deny(2, |deny| {
        deny.deny_grant(1, 1);
        deny.deny_holder(world.other.public().thumbprint());
    });
    site.client(&world.owner).put(&world.path(path::DENY), &document(&deny)).await.done();
    assert!(!speaks(&mut kept).await);
}

#[tokio::test]
async fn a_holder_has_so_many_tunnels_and_gets_them_back() {
    let address = echo().await;
    let world = World::new("a", 10, [&address, &address, &address]);
    let directory = directory(&[&world]);
    let limits = Limits { tunnels: 2, ..Limits::default() };
    let site = Site::start(&Config { limits, ..config(directory.path()) }).await;
    grant(&site, &world, 1, &world.holder).await;
    let at = authority(&world, 1);
    let (_, first) = connect(&site, &world.holder, &at).await;
    let (_, mut second) = connect(&site, &world.holder, &at).await;
    let (answer, _) = connect(&site, &world.holder, &at).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(speaks(&mut second).await);
    let (answer, _) = connect(&site, &world.owner, &at).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "another holder has its own");
    drop(first);
    // The place is free when the relay has seen the end of the first tunnel.
    loop {
        let (answer, _tunnel) = connect(&site, &world.holder, &at).await;
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        tokio::task::yield_now().await;
    }
}
