//! A server as a process: bounded connections, deadlines, orderly shutdown.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::filter::LevelFilter;

use crate::config::LogLevel;
use crate::error::ServerError;
use crate::tls::{self, TlsFiles};

/// Seconds for a request head, and for an idle connection.
const HEAD_SECONDS: u64 = 10;
/// Seconds a connection lives, at most: whoever reads or writes too slowly is cut off.
const CONNECTION_SECONDS: u64 = 600;
/// Seconds requests in flight have to finish at shutdown.
const SHUTDOWN_SECONDS: u64 = 15;
/// Bytes of a connection's read buffer.
const BUFFER_BYTES: usize = 64 << 10;
/// Header fields of a request, at most.
const HEADERS_MAX: usize = 64;

fn install(level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .finish();
    // Somebody else's subscriber stays: an embedding program decides.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Where and how to serve.
#[derive(Clone, Copy, Debug)]
pub struct Listen<'a> {
    /// Address and port.
    pub address: SocketAddr,
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Least level logged.
    pub log: LogLevel,
    /// Certificate and key; `None` for plain HTTP.
    pub tls: Option<&'a TlsFiles>,
}

/// Who is at the other end of a connection; a request carries it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Serves until SIGTERM or SIGINT. `open` makes the routes; `on_ready` hears the address once it listens. Logs to standard error.
///
/// # Errors
/// `ServerError` when it cannot start.
pub fn run(
    listen: &Listen<'_>,
    open: impl FnOnce() -> Result<Router, ServerError>,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    install(listen.log);
    let tls = listen.tls.map(tls::acceptor).transpose()?;
    let router = open()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::Runtime)?;
    let served = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Runtime)?;
        let failed = |source| ServerError::Listen { address: listen.address, source };
        let listener = TcpListener::bind(listen.address).await.map_err(failed)?;
        on_ready(listener.local_addr().map_err(failed)?);
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(listener, listen.connections, tls, router, stop).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(
    listener: TcpListener,
    connections: usize,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, slot)) => {
                tokio::spawn(connection(stream, slot, tls.clone(), router.clone(), graceful.watcher()));
            }
            Err(error) => {
                // Out of descriptors, mostly: pause instead of spinning.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    // Requests still running at the deadline are cut off.
    let _ = tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECONDS), graceful.shutdown()).await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

async fn connection(
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) {
    let router = match stream.peer_addr() {
        Ok(peer) => router.layer(Extension(Peer(peer.ip().to_canonical()))),
        Err(_) => router,
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS))
        .max_buf_size(BUFFER_BYTES)
        .max_headers(HEADERS_MAX);
    let service = TowerToHyperService::new(router);
    let served = async {
        match tls {
            None => watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(Duration::from_secs(HEAD_SECONDS), tls.accept(stream));
                let Ok(Ok(stream)) = handshake.await else {
                    tracing::debug!("TLS handshake failed or timed out");
                    return Ok(());
                };
                watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(CONNECTION_SECONDS), served).await {
        Ok(Err(error)) => tracing::debug!(%error, "connection"),
        Ok(Ok(())) => {}
        Err(_) => tracing::debug!("connection was cut off at its deadline"),
    }
}
