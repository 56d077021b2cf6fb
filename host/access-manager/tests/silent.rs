//! Connections on which nobody asks anything: whoever holds any key may open one, and nobody may keep it.

mod harness;

use std::time::Duration;

use harness::{Site, config, directory, world::World};
use symbolon_access_manager::{Config, Limits};
use symbolon_channel::{Identity, tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn silent_connections_do_not_hold_the_server() {
    let world = World::unreachable("a", 10);
    let directory = directory(&[&world]);
    let limits = Limits { request_secs: 1, ..Limits::default() };
    let site = Site::start(&Config { limits, ..config(directory.path()) }).await;
    let identity = Identity::new(&world.owner).unwrap();
    let client = tls::between_roles_client(&identity, &site.server().key, tls::ALPN_HTTP).unwrap();
    let connector = TlsConnector::from(std::sync::Arc::new(client));

    let beginnings: [&[u8]; 3] = [b"", b"PRI * HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for beginning in beginnings {
        let tcp = TcpStream::connect(site.address).await.unwrap();
        let mut silent = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        silent.write_all(beginning).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_mins(1), silent.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "still open after {:?}", String::from_utf8_lossy(beginning));
    }
}
