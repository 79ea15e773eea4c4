//! Refusals as clients see them, and failures to start as operators see them.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bailiwick_protocol::api::{ErrorBody, code};
use bailiwick_protocol::codec::CodecError;
use bailiwick_store::StoreError;

use crate::config::ConfigError;
use crate::hostkey::HostKeyError;
use crate::replay::FloorError;

/// Why a node does not start or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host key.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// The store, e.g. in use by another process.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// An inventory that is still live is not of this host's key: the key of another node, or a damaged head.
    #[error(
        "the inventory of epoch {epoch} is not of this host's key (docs/operations.md, section Inventories): {source}"
    )]
    ForeignInventory {
        /// Its epoch.
        epoch: u64,
        /// What does not fit.
        source: CodecError,
    },
    /// The replay floor.
    #[error(transparent)]
    Floor(#[from] FloorError),
    /// The process may open too few files to work at all.
    #[error("{limit} open files are too few, {needed} are needed; raise the limit (ulimit -n, LimitNOFILE)")]
    Descriptors {
        /// The hard limit.
        limit: u64,
        /// The least.
        needed: u64,
    },
    /// `init` found something at its target.
    #[error("{0} exists; a node is only made in a new folder")]
    Exists(PathBuf),
    /// A folder or file of the node cannot be made.
    #[error("{path}: {source}")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key.
    #[error("TLS: {0}")]
    Tls(#[from] crate::server::TlsError),
    /// Threads or signals cannot be set up.
    #[error("runtime: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Code of the refusal that the restart floor lies far ahead of the clock.
const FLOOR_AHEAD: &str = "floor-ahead";

/// A refusal: status, stable code, what is wrong, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    help: &'static str,
    retry_after: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        help: &'static str,
    ) -> Self {
        Self { status, code, message: message.into(), help, retry_after: None }
    }

    fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// One answer for an unknown key, a bad, expired, early or replayed signature, and none: A01.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::UNAUTHENTICATED,
            "this request needs a fresh signature of a key this node knows",
            "check the key, the clock, the host key, and that nothing between rewrites the request",
        )
    }

    pub(crate) fn forbidden() -> Self {
        let help = "owners change their own objects; auditors ask challenges";
        Self::new(StatusCode::FORBIDDEN, code::FORBIDDEN, "this key may not do this here", help)
    }

    pub(crate) fn restart_floor(seconds: u64) -> Self {
        let help = "wait Retry-After seconds and sign again";
        Self::new(
            StatusCode::TOO_EARLY,
            code::RESTART_FLOOR,
            "created before this node's restart floor",
            help,
        )
        .after(seconds)
    }

    /// The floor is ahead of the clock by more than a client should wait for; only the host can do something.
    pub(crate) fn floor_ahead(seconds: u64) -> Self {
        let message =
            format!("this node's clock was ahead; it accepts no signed request for {seconds} seconds");
        let help = "tell the host: docs/operations.md, section Clock, says how to go on at once";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, FLOOR_AHEAD, message, help)
    }

    pub(crate) fn busy(what: &'static str, seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::BUSY, what, "wait Retry-After seconds")
            .after(seconds)
    }

    /// This key has its share of `what`, others have room.
    pub(crate) fn key_share(what: &'static str, seconds: u64) -> Self {
        let help = "this key has its share: wait Retry-After seconds, and ask for less at a time";
        Self::new(StatusCode::TOO_MANY_REQUESTS, code::KEY_SHARE, what, help).after(seconds)
    }

    /// An fsync failed: nothing may rest on this disk until somebody has looked at it.
    pub(crate) fn read_only(what: &'static str) -> Self {
        let help = "tell the host: look at the disk, then restart the node";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "read-only", what, help)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message, "see /openapi.json")
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, what, "check the name")
    }

    pub(crate) fn too_large(max: u64) -> Self {
        let message = format!("more than the limit of {max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message, "ask the host for a higher limit")
    }

    pub(crate) fn length_required() -> Self {
        let help = "send Content-Length and no Transfer-Encoding";
        Self::new(StatusCode::LENGTH_REQUIRED, "length-required", "the length must be known first", help)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body came too slowly", "send it again")
    }

    /// Without detail: what happened is in the log.
    pub(crate) fn internal() -> Self {
        let help = "the host's log names this request";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the node failed", help)
    }

    #[cfg(test)]
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    fn unprocessable(code: &'static str, error: &StoreError) -> Self {
        let help = "seal or commit again, or send the body that belongs to this envelope";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string(), help)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let conflict = |code, help| Self::new(StatusCode::CONFLICT, code, error.to_string(), help);
        match &error {
            E::Envelope(_) => Self::unprocessable("envelope", &error),
            E::WrongOwner { .. } => Self::unprocessable("owner", &error),
            E::NoCommitment => Self::unprocessable("no-commitment", &error),
            E::BodyTooLong { .. } | E::BodyTooShort { .. } => Self::unprocessable("length", &error),
            E::HeaderMismatch => Self::unprocessable("body-header", &error),
            E::ContentMismatch { .. } => Self::unprocessable("blake3", &error),
            E::CellTreeMismatch { .. } => Self::unprocessable("cell-root", &error),
            E::LowerGeneration { .. } => conflict("lower-generation", "fetch the stored envelope"),
            E::Equivocation { .. } => conflict("equivocation", "raise the generation with every change"),
            E::QuotaExceeded { .. } | E::NoSpace { .. } => {
                // Paths and figures of the host stay in its log.
                tracing::warn!(error = %error, "no room");
                let help = "delete objects or ask the host for more";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no-space", "no room for this object", help)
            }
            E::TooLarge { max, .. } => Self::too_large(*max),
            E::NotFound(_) => Self::not_found("no such object"),
            E::OutOfRange { size, .. } => {
                let message = format!("the body has {size} bytes");
                Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", message, "ask inside it")
            }
            E::ReadOnly | E::SyncFailed { .. } => {
                tracing::error!(error = %error, "store is read-only");
                let help = "reading goes on; tell the host";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "read-only", "the node takes no changes", help)
            }
            E::Damaged { .. } => {
                tracing::error!(error = %error, "damaged object");
                let help = "put the object again; tell the host";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", "the stored bytes are damaged", help)
            }
            _ => {
                tracing::error!(error = %error, "store failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body =
            ErrorBody { code: self.code.to_owned(), message: self.message, help: self.help.to_owned() };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature"));
        }
        response
    }
}
