//! The accept loop: bounded connections, deadlines, optional TLS, orderly shutdown.

mod io;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bailiwick_store::files::{FileSystem, StdFiles};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use tls::TlsError;

use crate::config::{Config, Limits};
use crate::descriptors;
use crate::error::NodeError;
use crate::routes;
use crate::state::App;
use io::Timed;

/// Size of a connection's read buffer. A request head that has filled it and is not complete is refused with 431 by
/// hyper (A09); one that exceeds it by less than a read and is complete by then may still be served. Also the size of
/// one read of a body.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long an idle prover thread may take to notice a stop on a busy machine; one at work ends with the process.
const PROVER_PATIENCE: Duration = Duration::from_secs(2);
/// Header fields of a request, at most (A09).
const HEADERS_MAX: usize = 64;

/// A node that listens and does not serve yet.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl Server {
    /// Opens key, store and replay floor, and listens. Blocks for as long as opening the store takes.
    ///
    /// # Errors
    /// `NodeError`; nothing is left running.
    pub async fn bind(config: Config) -> Result<Self, NodeError> {
        Self::bind_with(config, Arc::new(StdFiles)).await
    }

    /// Like [`Server::bind`], with objects, index and replay floor on another file system.
    ///
    /// # Errors
    /// As for [`Server::bind`].
    pub async fn bind_with(mut config: Config, files: Arc<dyn FileSystem>) -> Result<Self, NodeError> {
        config.limits.connections = descriptors::affordable(config.limits.connections)?;
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let listen = config.listen;
        let failed = |source| NodeError::Listen { address: listen, source };
        let app = match tokio::task::spawn_blocking(move || App::open(config, &files)).await {
            Ok(app) => app?,
            Err(e) => return Err(NodeError::Runtime(std::io::Error::other(e))),
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { app, listener, tls, address })
    }

    /// Where it listens; the port the system chose when the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves, then finishes the requests in flight within the configured time.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let limits = self.app.config.limits;
        let router = routes::router(&self.app);
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(limits.connections));
        let floor = {
            let app = Arc::clone(&self.app);
            tokio::spawn(async move { app.keep_floor_ahead().await })
        };
        let inventories = {
            let app = Arc::clone(&self.app);
            tokio::spawn(async move { app.keep_inventories().await })
        };
        tracing::info!(address = %self.address, host = %self.app.host, tls = self.tls.is_some(), "listening");
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &slots) => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let connection = serve_connection(
                        stream,
                        slot,
                        self.tls.clone(),
                        router.clone(),
                        limits,
                        graceful.watcher(),
                    );
                    connections.spawn(connection);
                    while connections.try_join_next().is_some() {}
                }
                Err(error) => {
                    // Out of descriptors, mostly: pause instead of spinning.
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self.listener);
        tracing::info!(connections = graceful.count(), "stopping");
        let patience = Duration::from_secs(limits.shutdown_seconds);
        if tokio::time::timeout(patience, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests still running at the deadline were cut off");
        }
        connections.shutdown().await;
        floor.abort();
        inventories.abort();
        let app = self.app;
        let closing = tokio::task::spawn_blocking(move || {
            app.prover.stop_and_wait(PROVER_PATIENCE);
            app.close();
        });
        closing.await.ok();
        tracing::info!("stopped");
    }
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

async fn serve_connection(
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    watcher: Watcher,
) {
    let stream = Timed::new(stream, Duration::from_secs(limits.idle_seconds));
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let result = match tls {
        None => watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await,
        Some(tls) => {
            let handshake =
                tokio::time::timeout(Duration::from_secs(limits.header_seconds), tls.accept(stream));
            let Ok(Ok(stream)) = handshake.await else {
                tracing::debug!("TLS handshake failed or timed out");
                return;
            };
            watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection");
    }
}
