//! TCP sockets as every connection here wants them: no Nagle delay, and a peer that vanished is noticed.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;

/// Silence on a connection before the first probe.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// Time between probes; the system gives up after [`KEEPALIVE_PROBES`] of them.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;
/// How long sent bytes may stay unacknowledged before the connection counts as dead.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Sets the options of a connected socket.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    socket.set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_PROBES))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// Connects within a time, and tunes the socket.
pub(crate) async fn connect(address: impl ToSocketAddrs, within: Duration) -> io::Result<TcpStream> {
    let stream =
        timeout(within, TcpStream::connect(address)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    tune(&stream)?;
    Ok(stream)
}
