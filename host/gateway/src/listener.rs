//! HTTP/1.1 and HTTP/2 on accepted connections, every wait bounded.

use axum::{Extension, Router};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use symbolon_channel::CancellationToken;
use symbolon_channel::listener::{Accepted, Limits as ListenerLimits, accept};
use symbolon_channel::quiet::UnderWay;
use symbolon_channel::rustls::ServerConfig;
use symbolon_trust::ProvenHolder;
use tokio::net::TcpListener;

use crate::config::Limits;

/// HTTP/2 requests at a time on one connection.
const STREAMS: u32 = 64;

/// Who the TLS client proved to be, if it showed a certificate; every request carries this.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) Option<ProvenHolder>);

/// Serves until `stop`, then lets requests in flight finish for a moment.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: ServerConfig,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let bounds = ListenerLimits {
        connections: limits.connections,
        handshake_time: limits.request_time(),
        ..ListenerLimits::default()
    };
    let stopping = stop.clone();
    accept(listener, tls, bounds, stop, move |accepted| {
        let router = router.clone().layer(Extension(Peer(accepted.holder())));
        converse(accepted, router, limits, stopping.clone())
    })
    .await;
}

async fn converse(accepted: Accepted, router: Router, limits: Limits, stop: CancellationToken) {
    let address = accepted.address;
    let (server, under_way) = (http(limits), UnderWay::default());
    let requests = under_way.clone();
    let web = TowerToHyperService::new(router);
    let counted = service_fn(move |request| requests.during(web.call(request)));
    let connection = server.serve_connection(TokioIo::new(accepted.stream), counted);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = under_way.none_for(limits.request_time()) => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "connection ended");
    }
}

fn http(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.request_time());
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.request_time())
        .max_concurrent_streams(STREAMS);
    builder
}
