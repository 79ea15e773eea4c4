//! Why a server does not start or stops.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use bailiwick_translog::{CheckpointError, LogError};

use crate::client::ClientError;
use crate::config::ConfigError;
use crate::dir::PublishedError;
use crate::keyfile::KeyFileError;
use crate::tls::TlsError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The log, e.g. damaged.
    #[error(transparent)]
    Log(#[from] LogError<io::Error>),
    /// A file or folder.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What a witness remembers of a log is not readable with the keys it is configured with. It must not start from nothing.
    #[error("{path}: {source}; a witness never forgets what it has cosigned")]
    Head {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// What a witness remembers of a log it has cosigned is gone. It must not start from nothing.
    #[error(
        "{path} is missing, and this witness has cosigned that log; put the newest copy back, or make a new witness with a new key"
    )]
    HeadMissing {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint readers are shown does not fit the log.
    #[error(
        "{path}: {source}; an older copy may have been put back, and going on would sign a second history"
    )]
    Published {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PublishedError,
    },
    /// Certificate or key to serve with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A witness's address or certificates.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The address cannot be listened on.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Threads or signals cannot be set up.
    #[error("runtime: {0}")]
    Runtime(#[source] io::Error),
}
