//! Serves a router on a listener, with bounds on what a silent client can hold.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::peers::Peers;
use super::stalled::Impatient;

/// A request's head must be complete in this time; an idle connection is closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that reads nothing of its answer for so long is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// More connections than this wait in the backlog of the socket.
const MAX_CONNECTIONS: usize = 4_096;
/// Answers in flight at the end may take this long; connections that a browser keeps open do not hold it up.
const GRACE: Duration = Duration::from_secs(3);
/// After an error of `accept` (no file handle left), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the shutdown. `peers` bounds what one address may hold; without it any may hold everything.
pub async fn serve(
    listener: Arc<TcpListener>,
    router: Router,
    peers: Option<Arc<Peers>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIMEOUT);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place?,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            () = shutdown.cancelled() => break,
        };
        let visit = match &peers {
            None => None,
            Some(peers) => match peers.enter(peer.ip()) {
                Some(visit) => Some(visit),
                None => {
                    tracing::debug!(%peer, "closed: its address holds as many connections as it may");
                    continue;
                }
            },
        };
        let (builder, router, shutdown) = (builder.clone(), router.clone(), shutdown.clone());
        connections.spawn(async move {
            connection(&builder, stream, peer, router, shutdown).await;
            drop((place, visit));
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn connection(
    builder: &Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) {
    stream.set_nodelay(true).ok();
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let stream = TokioIo::new(Impatient::new(stream, WRITE_TIMEOUT));
    let mut connection = pin!(builder.serve_connection(stream, TowerToHyperService::new(service)));
    // An error here is the client's: it went away or sent no HTTP.
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error = error.as_ref() as &dyn std::error::Error, "connection ended");
    }
}
