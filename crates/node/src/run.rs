//! A node as a process.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::error::NodeError;
use crate::logging;
use crate::server::Server;

/// Runs a node until SIGTERM or SIGINT, then finishes what is in flight. `on_ready` hears the address once it listens.
/// Logs to standard error; prints nothing.
///
/// # Errors
/// `NodeError` when it cannot start.
pub fn run(config: Config, on_ready: impl FnOnce(SocketAddr)) -> Result<(), NodeError> {
    logging::install(config.log);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(NodeError::Runtime)?;
    let served = runtime.block_on(async {
        // Before listening: a signal that comes right after must not kill.
        let mut terminate = signal(SignalKind::terminate()).map_err(NodeError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(NodeError::Runtime)?;
        let server = Server::bind(config).await?;
        on_ready(server.address());
        server
            .serve(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await;
        Ok(())
    });
    // Blocking calls of requests that were cut off end like in a crash, which the store is made for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}
